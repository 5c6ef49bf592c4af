//! The users in tips and notices, as clients are shown them.

use std::collections::{BTreeMap, BTreeSet};

use conclave_core::event::Actor;
use conclave_core::model::{Group, Role, UserId};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::{FindUsers, MembersNamed};
use conclave_core::refusal::Refusal;
use serde_json::{Value, json};

use crate::dialect::client_message::Face;
use crate::dialect::events::Fact;
use crate::realm::App;

/// Users, by account.
#[derive(Clone)]
pub(super) struct People(BTreeMap<String, Person>);

#[derive(Debug, Clone, Default)]
struct Person {
    face: Face,
    /// 400 owner, 300 admin, 200 member, 0 not a member.
    role: u32,
}

impl People {
    /// The current data of these accounts.
    pub(super) async fn find(app: &App, group: &Group, accounts: &BTreeSet<&str>) -> Result<Self, Refusal> {
        let (groups, actor) = (&app.realm.groups, Actor::app());
        let ids: Vec<UserId> = accounts.iter().filter_map(|account| UserId::new(*account).ok()).collect();
        let users = groups.ask(&actor, FindUsers { ids: ids.clone(), folded: false }).await?.0;
        let members = match groups.ask(&actor, MembersNamed { group: group.id.clone(), users: ids.clone() }).await {
            Ok(found) => found.members,
            Err(Refusal::GroupNotFound { .. }) => vec![None; ids.len()],
            Err(refusal) => return Err(refusal),
        };
        let mut people = BTreeMap::new();
        for ((id, user), member) in ids.into_iter().zip(users).zip(members) {
            let (nick, avatar) = user.map(|user| (user.nick.clone(), user.avatar.clone())).unwrap_or_default();
            let (card, role) = member.map(|member| (member.card.clone(), role(member.role))).unwrap_or_default();
            people.insert(id.as_str().to_owned(), Person { face: Face { nick, avatar, card }, role });
        }
        Ok(Self(people))
    }

    /// The same for one fact: members who have left with it keep their last state.
    pub(super) fn with_former(mut self, fact: &Fact<'_>) -> Self {
        for was in fact.former() {
            if let Some(person) = self.0.get_mut(was.user.as_str()) {
                person.face.card.clone_from(&was.card);
                person.role = role(was.role);
            }
        }
        self
    }

    /// Nick, avatar and name card.
    pub(super) fn face(&self, account: &str) -> Face {
        self.0.get(account).map(|person| person.face.clone()).unwrap_or_default()
    }

    /// A user in the format of tips and notices.
    pub(super) fn shown(&self, account: &str) -> Value {
        let Person { face: Face { nick, avatar, card }, role } = self.0.get(account).cloned().unwrap_or_default();
        json!({ "UserId": account, "NickName": nick, "ImageUrl": avatar, "NameCard": card, "Role": role })
    }
}

fn role(role: Role) -> u32 {
    match role {
        Role::Owner => 400,
        Role::Admin => 300,
        Role::Member => 200,
    }
}
