//! Callbacks before an operation: the app's server may refuse it, change it or allow it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conclave_core::model::Millis;
use conclave_kit::{Post, PostError, Question};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{WebhookSettings, query, signature, topics};
use crate::refusals::{Code, Failure};

pub(crate) const CREATE: &str = "Group.CallbackBeforeCreateGroup";
pub(crate) const APPLY: &str = "Group.CallbackBeforeApplyJoinGroup";
pub(crate) const INVITE: &str = "Group.CallbackBeforeInviteJoinGroup";
pub(crate) const SEND: &str = "Group.CallbackBeforeSendMsg";

/// The receiver's own codes, which the caller gets unchanged.
const OWN: std::ops::RangeInclusive<i64> = 10_100..=10_200;

/// Asks one app's server.
pub(crate) struct Questions {
    pub(crate) sdkappid: u32,
    pub(crate) hooks: WebhookSettings,
    pub(crate) post: Arc<dyn Post>,
}

/// The app server's answer about an allowed operation.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Asked {
    /// The sender's call succeeds, but nobody receives the message.
    #[serde(skip)]
    pub(crate) dropped: bool,
    /// The elements to send instead.
    #[serde(default)]
    pub(crate) msg_body: Option<Vec<Value>>,
    /// The data to send instead.
    #[serde(default)]
    pub(crate) cloud_custom_data: Option<String>,
    /// The users to leave out.
    #[serde(default, rename = "RefusedMembers_Account")]
    pub(crate) refused: Vec<String>,
}

#[derive(Deserialize)]
struct CallbackAnswer {
    #[serde(rename = "ErrorCode")]
    code: i64,
    #[serde(rename = "ErrorInfo", default)]
    info: String,
    #[serde(flatten)]
    asked: Asked,
}

impl Questions {
    /// Whether a callback is switched on.
    pub(crate) fn asks(&self, command: &str) -> bool {
        self.hooks.url.is_some() && self.hooks.has(command)
    }

    /// Asks, if the callback is switched on. Refuses if the server does; without a valid answer, as configured.
    pub(crate) async fn ask(
        &self,
        command: &'static str,
        platform: &str,
        now: Millis,
        mut body: Map<String, Value>,
    ) -> Result<Asked, Failure> {
        let Some(url) = self.hooks.url.clone().filter(|_| self.asks(command)) else { return Ok(Asked::default()) };
        body.insert("CallbackCommand".to_owned(), Value::from(command));
        if !topics::is_of_topic(command) {
            body.insert("EventTime".to_owned(), Value::from(now.0));
        }
        let mut query = query(self.sdkappid, command, platform);
        query.extend(signature(&self.hooks.token, now));
        let question = Question {
            url,
            query,
            body: Bytes::from(Value::from(body).to_string()),
            timeout: Duration::from_millis(self.hooks.before_timeout_ms),
            allow_private: self.hooks.allow_private,
        };
        let why = match self.post.post(question).await {
            Ok((StatusCode::OK, answer)) => match read(command, &answer) {
                Some(said) => return said,
                None => "the answer cannot be used".to_owned(),
            },
            Ok((status, _)) => format!("it was answered {status}"),
            Err(error @ PostError::Private(_)) => format!("{error} in the webhooks of the realm"),
            Err(error) => error.to_string(),
        };
        self.unusable(command, &why).map(|()| Asked::default())
    }

    /// There was no valid answer.
    pub(crate) fn unusable(&self, command: &str, why: &str) -> Result<(), Failure> {
        let refused = self.hooks.before_refuse;
        tracing::warn!(
            sdkappid = self.sdkappid,
            command,
            why,
            refused,
            "the app's server gave no valid answer about an operation"
        );
        if refused { Err(unanswered(command).into()) } else { Ok(()) }
    }
}

/// The meaning of an answer; `None` when it is invalid.
fn read(command: &str, answer: &[u8]) -> Option<Result<Asked, Failure>> {
    let CallbackAnswer { code, info, asked } = serde_json::from_slice(answer).ok()?;
    match code {
        0 => Some(Ok(asked)),
        1 => Some(Err(Code::Webhook.into())),
        2 if command == SEND => Some(Ok(Asked { dropped: true, ..Asked::default() })),
        code if OWN.contains(&code) => Some(Err(Failure::own(u32::try_from(code).ok()?, info))),
        _ => None,
    }
}

/// The code of an operation that is refused because nobody answered.
fn unanswered(command: &str) -> Code {
    if command == SEND { Code::WebhookFailed } else { Code::Webhook }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(command: &str, answer: &Value) -> Option<Result<Asked, (u32, String)>> {
        let said = read(command, answer.to_string().as_bytes())?;
        Some(said.map_err(|failure| (failure.number(), failure.text.into_owned())))
    }

    #[test]
    fn answers_mean_what_the_vendor_says() {
        let ok = json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0});
        assert_eq!(said(CREATE, &ok), Some(Ok(Asked::default())));
        let refused = json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 1});
        assert_eq!(said(CREATE, &refused), Some(Err((10016, "rejected by callback".to_owned()))));
        let own = json!({"ActionStatus": "OK", "ErrorInfo": "not allowed by policy", "ErrorCode": 10101});
        assert_eq!(said(INVITE, &own), Some(Err((10101, "not allowed by policy".to_owned()))));
        let dropped = json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 2});
        assert!(said(SEND, &dropped).unwrap().unwrap().dropped);
        assert_eq!(said(CREATE, &dropped), None);
        let some = json!({"ActionStatus": "OK", "ErrorCode": 0, "RefusedMembers_Account": ["jared"]});
        assert_eq!(said(INVITE, &some).unwrap().unwrap().refused, ["jared"]);
        let other =
            json!({"ActionStatus": "OK", "ErrorCode": 0, "CloudCustomData": "new", "MsgBody": [{"MsgType": "x"}]});
        let other = said(SEND, &other).unwrap().unwrap();
        assert_eq!((other.msg_body.unwrap().len(), other.cloud_custom_data.unwrap()), (1, "new".to_owned()));
        for nonsense in [json!([]), json!({}), json!({"ErrorCode": "x"}), json!({"ErrorCode": 10201}), json!("")] {
            assert_eq!(said(SEND, &nonsense), None, "{nonsense}");
        }
        assert!(read(SEND, b"<html>").is_none());
    }
}
