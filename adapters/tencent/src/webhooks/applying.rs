//! Users who ask to join: the app's server may refuse them, through whichever vendor's client they ask.
//!
//! There is no command for it in the server API, so this stands around the groups that all surfaces call.

use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::event::Actor;
use conclave_core::model::{Join, UserId};
use conclave_core::operation::{Apply, Operation, Reply};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::query::{Answer, MembersNamed, Query};
use conclave_core::refusal::Refusal;
use conclave_kit::Post;
use serde_json::Value;

use super::before::APPLY;
use super::{Questions, WebhookSettings, of_group};
use crate::realm::Credentials;
use crate::refusals::Code;

/// The groups, with the app's server asked before a user applies, where that is switched on.
pub fn guarded(
    groups: Arc<dyn Groups>,
    credentials: &Credentials,
    hooks: &WebhookSettings,
    post: &Arc<dyn Post>,
) -> Arc<dyn Groups> {
    let questions = Questions { sdkappid: credentials.sdkappid, hooks: hooks.clone(), post: Arc::clone(post) };
    if questions.asks(APPLY) { Arc::new(Guarded { groups, questions }) } else { groups }
}

struct Guarded {
    groups: Arc<dyn Groups>,
    questions: Questions,
}

#[async_trait]
impl Groups for Guarded {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        if let (Actor::User { user, .. }, Operation::Apply(apply)) = (actor, &operation) {
            self.ask(user, apply).await?;
        }
        self.groups.perform(actor, operation).await
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        self.groups.read(actor, query).await
    }

    fn now(&self) -> conclave_core::model::Millis {
        self.groups.now()
    }
}

impl Guarded {
    /// Asks, where the group itself does not refuse anyway.
    async fn ask(&self, user: &UserId, apply: &Apply) -> Result<(), Refusal> {
        let named = MembersNamed { group: apply.group.clone(), users: vec![user.clone()] };
        let Ok(found) = self.groups.ask(&Actor::app(), named).await else { return Ok(()) };
        let group = &found.group;
        let may_ask = group.governed && !group.disabled && group.policy.join != Join::Closed;
        if !may_ask
            || found.members.iter().any(Option::is_some)
            || apply.user.as_ref().is_some_and(|other| other != user)
        {
            return Ok(());
        }
        let mut body = of_group(group);
        body.insert("Requestor_Account".to_owned(), Value::from(user.as_str()));
        let asked = self.questions.ask(APPLY, "Unknown", self.groups.now(), body).await;
        asked.map(drop).map_err(|failure| {
            let code = Some(failure.number()).filter(|number| *number != Code::Webhook.row().0);
            let words = if code.is_some() { failure.text.into_owned() } else { String::new() };
            Refusal::Vetoed { code, words }
        })
    }
}
