//! Sending a message to groups: by the app in any user's name (the server API), or by a user (the client protocol).
//!
//! For the app, neither the sender, the group nor the blocklist and mutes are checked. A user sends in their own name
//! and under the group's rules; the app's server is asked first, if the realm is configured so.

use std::collections::BTreeMap;

use conclave_core::event::Actor;
use conclave_core::model::{GroupId, Mention, Sender, Traits, UserId};
use conclave_core::operation::{OnRefusal, Posted, SendMessage, SpeakCheck};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::FindUsersFor;
use conclave_core::refusal::Refusal;
use serde_json::{Map, Value};

use crate::dialect::content::Content;
use crate::dialect::message;
use crate::realm::App;

/// A message to be sent, decoded.
pub(crate) struct Outgoing {
    /// The sender; always the user themself when a user sends.
    pub(crate) from: Sender,
    pub(crate) content: Content,
    /// What the app adds to it.
    pub(crate) ext: Option<Map<String, Value>>,
    /// Only these members receive it; empty means all. With recipients it neither counts as unread nor as a
    /// conversation's last message.
    pub(crate) users: Vec<UserId>,
    /// Labels that only this vendor's clients use.
    pub(crate) labels: BTreeMap<String, String>,
    /// Whether it is stored for users who are offline.
    pub(crate) stored: bool,
    /// Whether the sender asks for read receipts.
    pub(crate) receipts: bool,
    /// The client's own id of it: a message that is sent again with the same id is the same message.
    pub(crate) client_id: Option<String>,
}

/// Why nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// Body, `ext` and labels are larger than the realm allows.
    TooLarge,
    /// It names more recipients than the realm allows.
    TooManyUsers {
        /// How many are allowed.
        most: usize,
    },
    /// The core refuses it.
    Refused(Refusal),
}

impl From<Refusal> for NotSent {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Outgoing {
    /// Refuses a message larger than the realm allows.
    pub(crate) fn check(&self, app: &App) -> Result<(), NotSent> {
        let ext = self.ext.as_ref().map_or(0, |ext| Value::from(ext.clone()).to_string().len());
        let labels: usize = self.labels.values().map(String::len).sum();
        if Value::from(self.content.body()).to_string().len() + ext + labels > app.settings.message_bytes {
            return Err(NotSent::TooLarge);
        }
        let most = app.settings.message_users;
        if self.users.len() > most { Err(NotSent::TooManyUsers { most }) } else { Ok(()) }
    }

    /// The message for one group.
    fn to(&self, group: GroupId, mention: Option<Mention>, check: SpeakCheck) -> SendMessage {
        let (body, mut labels) = message::neutral(&self.content, self.ext.as_ref());
        labels.extend(self.labels.clone());
        let targeted = !self.users.is_empty();
        SendMessage {
            targets: self.users.clone(),
            mention,
            counted: !targeted && self.content.is_counted(),
            shown_last: !targeted,
            stored: self.stored,
            token: self.client_id.clone(),
            traits: Traits { receipts: self.receipts, ..Traits::default() },
            labels,
            check,
            ..SendMessage::new(group, self.from.clone(), body)
        }
    }
}

/// Sends a message to each of these groups in one commit; returns the outcomes in their order.
///
/// Only groups without recipients are skipped, and only if the app sends; any other refusal applies to the whole call.
pub(crate) async fn send(
    app: &App,
    actor: &Actor,
    groups: &[GroupId],
    message: &Outgoing,
) -> Result<Vec<Result<Posted, Refusal>>, NotSent> {
    message.check(app)?;
    let (check, on_refusal) = match actor {
        Actor::User { .. } => (SpeakCheck::Enforced, OnRefusal::RefuseAll),
        _ => (SpeakCheck::Skipped, OnRefusal::SkipAbsent),
    };
    let mut messages = Vec::with_capacity(groups.len());
    for group in groups {
        messages.push(message.to(group.clone(), mention(app, group, message).await?, check));
    }
    let posted = app.groups.run_each(actor, on_refusal, messages).await;
    posted.map_err(|refusal| match refusal {
        Refusal::InStep { refusal, .. } => NotSent::Refused(*refusal),
        other => NotSent::Refused(other),
    })
}

/// Who is mentioned, with their ids as their accounts spell them.
async fn mention(app: &App, group: &GroupId, message: &Outgoing) -> Result<Option<Mention>, Refusal> {
    let Some(Mention::Users(mut ids)) = message.ext.as_ref().and_then(message::mention) else {
        return Ok(message.ext.as_ref().and_then(message::mention));
    };
    ids.truncate(app.settings.message_users);
    let find = FindUsersFor { group: group.clone(), ids };
    let found = app.groups.ask(&Actor::app(), find).await?.0;
    let users: Vec<UserId> = found.into_iter().flatten().map(|user| user.id.clone()).collect();
    Ok((!users.is_empty()).then_some(Mention::Users(users)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_core::model::{Body, Policy, Until};
    use conclave_core::operation::{CreateGroup, Mute, NewMember, NewUser, OnExisting, RegisterUsers};
    use serde_json::json;

    use super::*;
    use crate::refusals::tests::app;

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    fn group(name: &str) -> GroupId {
        GroupId::new(name).unwrap()
    }

    fn outgoing(from: Sender, content: Content) -> Outgoing {
        let (users, labels) = (Vec::new(), BTreeMap::new());
        Outgoing { from, content, ext: None, users, labels, stored: true, receipts: false, client_id: None }
    }

    fn from(name: &str, text: &str) -> Outgoing {
        outgoing(Sender::User(user(name)), Content::text(text))
    }

    /// User ann owns group g, with member ben; cy is not a member.
    async fn house() -> App {
        let app = app();
        let users = ["ann", "ben", "cy"].map(|name| NewUser::of(user(name))).into();
        let register = RegisterUsers { users, on_existing: OnExisting::Refuse, folded: false };
        app.groups.run(&Actor::app(), register).await.unwrap();
        let mut create = CreateGroup::new(Some(user("ann")), Policy::standard());
        create.id = Some(group("g"));
        create.members = vec![NewMember::now(user("ben"))];
        app.groups.run(&Actor::app(), create).await.unwrap();
        app
    }

    async fn refused(app: &App, actor: &Actor, to: &str, message: &Outgoing) -> Refusal {
        match send(app, actor, &[group(to)], message).await.unwrap_err() {
            NotSent::Refused(refusal) => refusal,
            other => unreachable!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn users_send_for_themselves_and_are_held_to_the_rules() {
        let app = house().await;
        let ben = Actor::user(user("ben"));
        let sent = send(&app, &ben, &[group("g")], &from("ben", "hi")).await.unwrap().remove(0).unwrap();
        assert_eq!((&sent.message.body, &sent.message.sender), (&Body::Text("hi".into()), &Sender::User(user("ben"))));

        assert_eq!(refused(&app, &ben, "g", &from("ann", "hi")).await, Refusal::AppOnly);
        let (cy, mine) = (Actor::user(user("cy")), from("cy", "hi"));
        assert!(matches!(refused(&app, &cy, "g", &mine).await, Refusal::NotMembers { .. }));
        assert!(matches!(refused(&app, &ben, "none", &from("ben", "hi")).await, Refusal::GroupNotFound { .. }));
        let (users, until) = (vec![user("ben")], Until::Forever);
        let mute = Mute { group: group("g"), users, until, members_only: false, spare_owner: false };
        app.groups.run(&Actor::app(), mute).await.unwrap();
        assert!(matches!(refused(&app, &ben, "g", &from("ben", "hi")).await, Refusal::Muted { .. }));
        // the app sends in any user's name, and skips groups that do not exist
        let sent = send(&app, &Actor::app(), &[group("g"), group("none")], &from("ben", "hi")).await.unwrap();
        assert!(sent[0].is_ok() && matches!(sent[1], Err(Refusal::GroupNotFound { .. })));
    }

    #[tokio::test]
    async fn a_client_that_sends_again_sends_once() {
        let app = house().await;
        let ben = Actor::user(user("ben"));
        let message = Outgoing { client_id: Some("7".to_owned()), ..from("ben", "hi") };
        let first = send(&app, &ben, &[group("g")], &message).await.unwrap().remove(0).unwrap();
        let again = send(&app, &ben, &[group("g")], &message).await.unwrap().remove(0).unwrap();
        assert!(!first.repeated && again.repeated);
        assert_eq!(first.message.id, again.message.id);
    }

    #[tokio::test]
    async fn what_is_too_large_is_not_sent() {
        let app = house().await;
        let ben = Actor::user(user("ben"));
        let before = app.log.last().await.unwrap();
        let large = from("ben", &"x".repeat(app.settings.message_bytes));
        assert_eq!(send(&app, &ben, &[group("g")], &large).await.unwrap_err(), NotSent::TooLarge);
        let most = app.settings.message_users;
        let many = Outgoing { users: vec![user("ann"); most + 1], ..from("ben", "hi") };
        assert_eq!(send(&app, &ben, &[group("g")], &many).await.unwrap_err(), NotSent::TooManyUsers { most });
        assert_eq!(app.log.last().await.unwrap(), before);
    }

    #[tokio::test]
    async fn commands_and_targeted_messages_do_not_count_as_unread() {
        let app = house().await;
        let ben = Actor::user(user("ben"));
        let read = |kind, body: Value| Content::read(kind, body.as_object().unwrap().clone()).unwrap();
        let command = outgoing(Sender::User(user("ben")), read("cmd", json!({"action": "a"})));
        let sent = send(&app, &ben, &[group("g")], &command).await.unwrap().remove(0).unwrap().message;
        assert!(!sent.counted && sent.shown_last);
        let only_ann = Outgoing { users: vec![user("ann")], ..from("ben", "hi") };
        let sent = send(&app, &ben, &[group("g")], &only_ann).await.unwrap().remove(0).unwrap().message;
        assert!(!sent.counted && !sent.shown_last);
        assert_eq!(sent.targets, [user("ann")]);
    }
}
