//! Asks the app's server before users' operations, whichever vendor's client they come from.
//!
//! A layer around the groups that all surfaces call, so that no client bypasses it, and the only place where users'
//! operations are asked about. Operations of an app itself pass here; the server API's command for it asks, with the
//! same bodies.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::event::Actor;
use conclave_core::model::{Group, GroupId, Join, Member, Message, MessageId, Millis, Sent, TopicId, UserId};
use conclave_core::operation::{
    AddMembers, AddOutcome, Apply, CreateGroup, InTopic, MakeTopic, Operation, Posted, Reply, SendMessage, Steps,
};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::query::{Answer, MembersNamed, Query};
use conclave_core::refusal::Refusal;
use conclave_kit::{Post, Prepared, perform_steps};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::before::{APPLY, CREATE, INVITE, SEND};
use super::{Asked, BEFORE, Questions, WebhookSettings, accounts, of_group, topics};
use crate::dialect::kind::Kind;
use crate::dialect::message::{self, label};
use crate::realm::Credentials;
use crate::refusals::{Code, Failure};

/// Wraps the groups so that the app's server is asked before users' operations, as far as it is configured.
pub fn guarded(
    groups: Arc<dyn Groups>,
    credentials: &Credentials,
    hooks: &WebhookSettings,
    post: &Arc<dyn Post>,
) -> Arc<dyn Groups> {
    let questions = Questions { sdkappid: credentials.sdkappid, hooks: hooks.clone(), post: Arc::clone(post) };
    let asks = BEFORE.into_iter().any(|command| questions.asks(command));
    if asks { Arc::new(Guarded { groups, questions }) } else { groups }
}

struct Guarded {
    groups: Arc<dyn Groups>,
    questions: Questions,
}

#[async_trait]
impl Groups for Guarded {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        let Actor::User { user, .. } = actor else { return self.groups.perform(actor, operation).await };
        let Operation::Together(together) = operation else {
            let (prepared, left_out) = self.prepare(user, operation).await?;
            return match prepared {
                Prepared::Perform(operation) => Ok(left_out.shown_in(self.groups.perform(actor, operation).await?)),
                Prepared::Answered(reply) => Ok(reply),
            };
        };
        let (mut prepared, mut all_left_out) = (Vec::new(), Vec::new());
        for step in together.steps {
            let (step, left_out) = self.prepare(user, step).await.map_or_else(
                |refusal| (Err(refusal), LeftOut::default()),
                |(prepared, left_out)| (Ok(prepared), left_out),
            );
            prepared.push(step);
            all_left_out.push(left_out);
        }
        let replies = perform_steps(&*self.groups, actor, together.on_refusal, prepared).await?;
        let shown = replies.into_iter().zip(all_left_out);
        Ok(Steps(shown.map(|(reply, left_out)| reply.map(|reply| left_out.shown_in(reply))).collect()).into())
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        self.groups.read(actor, query).await
    }

    fn now(&self) -> Millis {
        self.groups.now()
    }
}

/// The outcome of the question about a message.
enum Said {
    /// It is sent, perhaps with another content.
    Passed(Box<SendMessage>),
    /// It is not delivered, and its sender gets a success.
    Dropped(Posted),
}

/// A group, and one user's membership in it.
type GroupAndMember = (Arc<Group>, Option<Arc<Member>>);

/// The users that the app's server has removed from an invitation, and all invited users, in order.
#[derive(Default)]
struct LeftOut {
    users: Vec<UserId>,
    order: Vec<UserId>,
}

impl LeftOut {
    /// The reply, including the removed users.
    fn shown_in(self, reply: Reply) -> Reply {
        let Reply::Added(mut added) = reply else { return reply };
        if !self.users.is_empty() {
            added.outcomes.extend(self.users.into_iter().map(|user| (user, AddOutcome::LeftOut(veto()))));
            added.outcomes.sort_by_key(|(user, _)| self.order.iter().position(|asked| asked == user));
            added.outcomes.dedup_by(|one, other| one.0 == other.0);
        }
        Reply::Added(added)
    }
}

fn veto() -> Refusal {
    Refusal::Vetoed { code: None, words: String::new() }
}

impl Guarded {
    /// Asks about an operation, if that is configured.
    async fn prepare(&self, user: &UserId, operation: Operation) -> Result<(Prepared, LeftOut), Refusal> {
        let operation = match operation {
            Operation::Apply(apply) if self.questions.asks(APPLY) => {
                self.apply(user, &apply).await?;
                Operation::Apply(apply)
            }
            Operation::CreateGroup(create) if self.questions.asks(CREATE) => {
                self.create(user, &create).await?;
                Operation::CreateGroup(create)
            }
            Operation::AddMembers(add) if self.questions.asks(INVITE) => {
                let (add, left_out) = self.invite(user, *add).await?;
                return Ok((Prepared::Perform(add.into()), left_out));
            }
            Operation::SendMessage(send) if self.questions.asks(SEND) => match self.send(user, None, *send).await? {
                Said::Passed(send) => Operation::SendMessage(send),
                Said::Dropped(posted) => return Ok((Prepared::Answered(posted.into()), LeftOut::default())),
            },
            Operation::InTopic(in_topic) if self.questions.asks(SEND) => {
                let InTopic { topic, what } = *in_topic;
                let what = match what {
                    Operation::SendMessage(send) => match self.send(user, Some(&topic), *send).await? {
                        Said::Passed(send) => Operation::SendMessage(send),
                        Said::Dropped(posted) => return Ok((Prepared::Answered(posted.into()), LeftOut::default())),
                    },
                    other => other,
                };
                Operation::InTopic(Box::new(InTopic { topic, what }))
            }
            Operation::MakeTopic(make) if self.questions.asks(topics::BEFORE) => {
                self.make_topic(user, &make).await?;
                Operation::MakeTopic(make)
            }
            other => other,
        };
        Ok((Prepared::Perform(operation), LeftOut::default()))
    }

    async fn ask(&self, command: &'static str, body: Map<String, Value>) -> Result<Asked, Refusal> {
        let asked = self.questions.ask(command, "Unknown", self.groups.now(), body).await;
        asked.map_err(vetoed)
    }

    /// The group, and the user's membership in it; `None` where the group refuses the user anyway.
    async fn place(&self, id: &GroupId, user: &UserId) -> Result<Option<GroupAndMember>, Refusal> {
        let named = MembersNamed { group: id.clone(), users: vec![user.clone()] };
        let found = match self.groups.ask(&Actor::app(), named).await {
            Ok(found) => found,
            // the group could not be read: continuing would bypass the app's server
            Err(refusal @ Refusal::Unavailable(_)) => return Err(refusal),
            Err(_) => return Ok(None),
        };
        let member = found.members.into_iter().next().flatten();
        Ok((!found.group.disabled).then_some((found.group, member)))
    }

    async fn apply(&self, user: &UserId, apply: &Apply) -> Result<(), Refusal> {
        let Some((group, None)) = self.place(&apply.group, user).await? else { return Ok(()) };
        let for_another = apply.user.as_ref().is_some_and(|other| other != user);
        if !group.governed || group.policy.join == Join::Closed || for_another {
            return Ok(());
        }
        let mut body = of_group(&group);
        body.insert("Requestor_Account".to_owned(), Value::from(user.as_str()));
        self.ask(APPLY, body).await.map(drop)
    }

    async fn create(&self, user: &UserId, create: &CreateGroup) -> Result<(), Refusal> {
        let mut body = of_new(&*self.groups, create).await?;
        body.insert("Operator_Account".to_owned(), Value::from(user.as_str()));
        self.ask(CREATE, body).await.map(drop)
    }

    /// The invitation without the users that the app's server refuses; refused when none are left.
    async fn invite(&self, user: &UserId, add: AddMembers) -> Result<(AddMembers, LeftOut), Refusal> {
        let mut refused = Vec::new();
        if let Some((group, Some(_))) = self.place(&add.group, user).await? {
            let mut body = of_group(&group);
            body.insert("Operator_Account".to_owned(), Value::from(user.as_str()));
            let invited = accounts(add.members.iter().map(|member| &member.user));
            body.insert("DestinationMembers".to_owned(), invited);
            refused = self.ask(INVITE, body).await?.refused;
        }
        let is_left_out = |user: &UserId| refused.iter().any(|refused| refused == user.as_str());
        let order = add.members.iter().map(|member| member.user.clone()).collect();
        let (left_out, members): (Vec<_>, Vec<_>) =
            add.members.into_iter().partition(|member| is_left_out(&member.user));
        if members.is_empty() && !left_out.is_empty() {
            return Err(veto());
        }
        let users = left_out.into_iter().map(|member| member.user).collect();
        Ok((AddMembers { members, ..add }, LeftOut { users, order }))
    }

    async fn make_topic(&self, user: &UserId, make: &MakeTopic) -> Result<(), Refusal> {
        if !matches!(self.place(&make.group, user).await?, Some((_, Some(_)))) {
            return Ok(());
        }
        let mut body = of_new_topic(make);
        body.insert("Operator_Account".to_owned(), Value::from(user.as_str()));
        self.ask(topics::BEFORE, body).await.map(drop)
    }

    async fn send(&self, user: &UserId, topic: Option<&TopicId>, send: SendMessage) -> Result<Said, Refusal> {
        if forbids_question(&send) {
            return Ok(Said::Passed(Box::new(send)));
        }
        let Some((group, Some(_))) = self.place(&send.group, user).await? else {
            return Ok(Said::Passed(Box::new(send)));
        };
        let message = as_sent(&send, &group, self.groups.now())?;
        let mut body = of_message(user.as_str(), &send, &message, &group, topic);
        body.insert("Operator_Account".to_owned(), Value::from(user.as_str()));
        let asked = self.ask(SEND, body).await?;
        if asked.dropped {
            return Ok(Said::Dropped(Posted { message: Arc::new(message), repeated: false }));
        }
        changed(&self.questions, send, asked).map(Box::new).map(Said::Passed).map_err(vetoed)
    }
}

/// The message as changed by the app's server.
pub(crate) fn changed(questions: &Questions, mut send: SendMessage, asked: Asked) -> Result<SendMessage, Failure> {
    if let Some(elements) = asked.msg_body {
        match message::checked(&elements) {
            Ok((body, labels)) => {
                send.body = body;
                // labels that repeat the old body in a vendor's own format would contradict the new one
                send.labels.retain(|label, _| !Message::repeats_body(label));
                send.labels.extend(labels);
            }
            Err(failure) => return questions.unusable(SEND, &failure.text).map(|()| send),
        }
    }
    if let Some(data) = asked.cloud_custom_data {
        send.labels.insert(label::CLOUD_DATA.to_owned(), data);
    }
    Ok(send)
}

/// A value of `ForbidCallbackControl`: the app's server is not asked about this message.
const NOT_ASKED: &str = "ForbidBeforeSendMsgCallback";

/// Whether the sender has switched off the question about a message.
pub(crate) fn forbids_question(send: &SendMessage) -> bool {
    send.labels.get(label::FORBIDDEN).is_some_and(|words| words.split(',').any(|word| word == NOT_ASKED))
}

/// The app server's refusal, as one that every vendor can map.
fn vetoed(failure: Failure) -> Refusal {
    let code = Some(failure.number()).filter(|number| *number != Code::Webhook.row().0);
    let words = if code.is_some() { failure.text.into_owned() } else { String::new() };
    Refusal::Vetoed { code, words }
}

/// The fields of a question about a new group, without the creator.
pub(crate) async fn of_new(groups: &dyn Groups, create: &CreateGroup) -> Result<Map<String, Value>, Refusal> {
    let mut made: BTreeMap<&str, u32> = BTreeMap::new();
    if let Some(owner) = &create.owner {
        let owned = |group: &Group, _: &Member| group.is_owned_by(owner).then(|| Kind::of(group).word());
        let owned = match groups.pick_joined(&Actor::app(), owner, owned).await {
            Ok(owned) => owned,
            // a user without an account has created nothing
            Err(Refusal::UserNotFound(_)) => Vec::new(),
            Err(refusal) => return Err(refusal),
        };
        for kind in owned {
            *made.entry(kind).or_default() += 1;
        }
    }
    let body = json!({
        "Owner_Account": create.owner.as_ref().map_or("", UserId::as_str),
        "Type": Kind::read(&create.labels, &create.policy).word(),
        "Name": create.profile.name,
        "CreateGroupNum": made.values().sum::<u32>(),
        "CreatedGroupNum": made,
        "MemberList": accounts(create.members.iter().map(|member| &member.user)),
    });
    Ok(match body {
        Value::Object(body) => body,
        _ => Map::new(),
    })
}

/// The fields of a question about a new topic, without the creator.
pub(crate) fn of_new_topic(make: &MakeTopic) -> Map<String, Value> {
    Map::from_iter([
        ("Type".to_owned(), Value::from(Kind::Community.word())),
        ("Name".to_owned(), Value::from(make.profile.name.as_str())),
    ])
}

/// The fields of a question about a message, without the caller.
pub(crate) fn of_message(
    from: &str,
    send: &SendMessage,
    message: &Message,
    group: &Group,
    topic: Option<&TopicId>,
) -> Map<String, Value> {
    let kept = |label: &str| send.labels.get(label).map(String::as_str);
    let random: u64 = kept(label::RANDOM).and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut body = of_group(group);
    body.extend([
        ("From_Account".to_owned(), Value::from(from)),
        ("Random".to_owned(), Value::from(random)),
        ("OnlineOnlyFlag".to_owned(), Value::from(u32::from(!send.stored))),
        ("MsgPriority".to_owned(), Value::from(kept(label::PRIORITY).unwrap_or("Normal"))),
        ("MsgBody".to_owned(), message::elements(message)),
        ("CloudCustomData".to_owned(), Value::from(kept(label::CLOUD_DATA).unwrap_or_default())),
    ]);
    if let Some(topic) = topic {
        body.insert("TopicId".to_owned(), Value::from(topic.as_str()));
    }
    body
}

/// The message as it would be after sending.
pub(crate) fn as_sent(send: &SendMessage, group: &Group, now: Millis) -> Result<Message, Refusal> {
    let id = match &send.id {
        Some(id) => id.clone(),
        None => MessageId::new((Uuid::new_v4().as_u64_pair().0 >> 4).to_string())?,
    };
    Ok(send.as_sent(&Sent { id, sequence: if send.stored { group.next_message } else { 0 }, at: now, next: None }))
}
