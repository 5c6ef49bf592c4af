//! Messages that the app sends to groups. The sender need not be a member, and mutes do not apply.

mod about;
pub(super) mod expansion;
pub(super) mod history;
pub(super) mod modify;
pub(super) mod publish;
pub(super) mod recall;

use std::collections::BTreeMap;

use conclave_core::model::{GroupId, Labels, Sender, Traits, UserId};
use conclave_core::operation::{SendMessage, SpeakCheck};

use super::Call;
use crate::dialect::{limits, message};
use crate::refusals::{Code, Failure};

/// Fields that the core does not have, stored with the message under `rong.<field>`.
const KEPT: &[&str] = &[
    "pushContent",
    "pushData",
    "pushExt",
    "isPersisted",
    "isIncludeSender",
    "contentAvailable",
    "expansion",
    "extraContent",
    "disablePush",
    "needReadReceipt",
    "busChannel",
];

/// A message to send, checked before the operation.
pub(super) struct Draft<'c> {
    sender: UserId,
    object_name: &'c str,
    content: &'c str,
    labels: Labels,
    counted: bool,
    shown_last: bool,
    mentions: bool,
    traits: Traits,
    extensions: BTreeMap<String, String>,
    token: Option<String>,
}

impl<'c> Draft<'c> {
    /// The message of a call.
    pub(super) fn of(call: &'c Call<'_>) -> Result<Self, Failure> {
        let object_name = call.required("objectName")?;
        call.check_length("objectName", object_name, limits::OBJECT_NAME)?;
        let content = call.required("content")?;
        if content.len() > limits::CONTENT_BYTES {
            return Err(call.too_long("content", limits::CONTENT_BYTES));
        }
        let mut labels = Labels::new();
        for key in KEPT {
            if let Some(value) = call.form.given(key) {
                // extensions have limits of their own
                if *key != "extraContent" && value.len() > limits::BESIDE_BYTES {
                    return Err(call.too_long(key, limits::BESIDE_BYTES));
                }
                labels.insert(format!("rong.{key}"), value.to_owned());
            }
        }
        let extensions = call.form.given("extraContent").map(message::expansion).unwrap_or_default();
        if !limits::are_expansions(&extensions, limits::EXPANSIONS) {
            let (most, key, value) = (limits::EXPANSIONS, limits::EXPANSION_KEY, limits::EXPANSION_VALUE);
            let text = format!("extraContent: at most {most} pairs of {key} and {value} characters");
            return Err(Code::Parameter.saying(text));
        }
        let token = call.form.given("msgRandom");
        if token.is_some_and(|token| token.len() > limits::TOKEN_BYTES) {
            return Err(call.too_long("msgRandom", limits::TOKEN_BYTES));
        }
        let silent_last = matches!(call.form.given("disableUpdateLastMsg"), Some("true" | "1"));
        Ok(Self {
            sender: call.user_id("fromUserId")?,
            object_name,
            content,
            labels,
            counted: call.switch("isCounted", message::is_counted(object_name))?,
            shown_last: !silent_last,
            mentions: call.switch("isMentioned", false)?,
            traits: Traits {
                receipts: matches!(call.form.given("needReadReceipt"), Some("true" | "1")),
                extensible: matches!(call.form.given("expansion"), Some("true" | "1")),
                ..Traits::default()
            },
            extensions,
            token: token.map(str::to_owned),
        })
    }

    /// The message for one group; for the targets, or for all members without targets.
    pub(super) fn to_group(&self, group: GroupId, targets: Vec<UserId>, stored: bool) -> SendMessage {
        let (body, more) = message::body(self.object_name, self.content);
        let mut labels = self.labels.clone();
        labels.extend(more);
        SendMessage {
            mention: self.mentions.then(|| message::mention(self.content)).flatten(),
            counted: self.counted,
            stored,
            shown_last: self.shown_last,
            token: self.token.clone(),
            // a message for some members cannot be extended
            traits: Traits { extensible: self.traits.extensible && targets.is_empty(), ..self.traits },
            targets,
            extensions: self.extensions.clone(),
            labels,
            check: SpeakCheck::Skipped,
            ..SendMessage::new(group, Sender::User(self.sender.clone()), body)
        }
    }
}

/// The groups a message is for; a message for some members only is sent to one group.
pub(super) fn groups(call: &Call<'_>, targeted: bool) -> Result<Vec<GroupId>, Failure> {
    let ids = call.form.list("toGroupId");
    let most = if targeted { 1 } else { limits::MESSAGE_GROUPS };
    if ids.is_empty() {
        return Err(super::call::missing("toGroupId"));
    }
    if ids.len() > most {
        return Err(Code::Parameter.saying(format!("toGroupId count > {most}")));
    }
    ids.iter().map(|id| call.as_group_id(id)).collect()
}
