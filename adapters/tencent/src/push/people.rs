//! Who tips and notices are about, as clients are shown them.

use std::collections::{BTreeMap, BTreeSet};

use conclave_core::event::{Actor, Former, Happening};
use conclave_core::model::{Group, Role, UserId};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::{FindUsers, MembersNamed};
use conclave_core::refusal::Refusal;
use serde_json::{Value, json};

use crate::dialect::client_message::Face;
use crate::dialect::events::Fact;
use crate::realm::App;

/// People, by account.
pub(super) struct People(BTreeMap<String, Person>);

#[derive(Debug, Clone, Default)]
struct Person {
    face: Face,
    /// 400 owner, 300 admin, 200 member, 0 no member.
    role: u32,
}

impl People {
    /// What is known of these accounts; of members who have left with this event, what they were.
    pub(super) async fn find(
        app: &App,
        group: &Group,
        fact: &Fact<'_>,
        accounts: &BTreeSet<&str>,
    ) -> Result<Self, Refusal> {
        let (groups, actor) = (&app.realm.groups, Actor::app());
        let ids: Vec<UserId> = accounts.iter().filter_map(|account| UserId::new(*account).ok()).collect();
        let users = groups.ask(&actor, FindUsers { ids: ids.clone(), folded: false }).await?.0;
        let members = match groups.ask(&actor, MembersNamed { group: group.id.clone(), users: ids.clone() }).await {
            Ok(found) => found.members,
            Err(Refusal::GroupNotFound { .. }) => vec![None; ids.len()],
            Err(refusal) => return Err(refusal),
        };
        let former = former(&fact.event.what);
        let mut people = BTreeMap::new();
        for ((id, user), member) in ids.into_iter().zip(users).zip(members) {
            let (nick, avatar) = user.map(|user| (user.nick.clone(), user.avatar.clone())).unwrap_or_default();
            let was = former.iter().find(|was| was.user == id);
            let (card, role) = match (member, was) {
                (_, Some(was)) => (was.card.clone(), role(was.role)),
                (Some(member), None) => (member.card.clone(), role(member.role)),
                (None, None) => (String::new(), 0),
            };
            people.insert(id.as_str().to_owned(), Person { face: Face { nick, avatar, card }, role });
        }
        Ok(Self(people))
    }

    /// Nick, avatar and name card.
    pub(super) fn face(&self, account: &str) -> Face {
        self.0.get(account).map(|person| person.face.clone()).unwrap_or_default()
    }

    /// As tips and notices show somebody.
    pub(super) fn shown(&self, account: &str) -> Value {
        let Person { face: Face { nick, avatar, card }, role } = self.0.get(account).cloned().unwrap_or_default();
        json!({ "UserId": account, "NickName": nick, "ImageUrl": avatar, "NameCard": card, "Role": role })
    }
}

fn former(happening: &Happening) -> &[Former] {
    match happening {
        Happening::MembersLeft { were, .. } | Happening::GroupDisbanded { were, .. } => were,
        _ => &[],
    }
}

fn role(role: Role) -> u32 {
    match role {
        Role::Owner => 400,
        Role::Admin => 300,
        Role::Member => 200,
    }
}
