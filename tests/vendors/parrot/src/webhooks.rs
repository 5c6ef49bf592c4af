//! Notifications to the app's server: a line for each new perch.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::{Event, Happening};
use conclave_core::model::Millis;
use conclave_core::ports::{Groups, Log};
use conclave_core::refusal::Refusal;
use conclave_kit::{Envelope, Notice};
use http::StatusCode;
use serde_json::json;

conclave_kit::settings! {
    /// Webhooks.
    pub struct WebhookSettings {
        /// URL that receives new perches; none when not set.
        url: Option<String> = None;
        /// Whether the URL may resolve to an address that is not public.
        allow_private: bool = false;
    }
}

pub(crate) struct Webhooks;

#[async_trait]
impl conclave_kit::Webhooks for Webhooks {
    async fn notices(&self, event: &Arc<Event>, _: &dyn Groups, _: &dyn Log) -> Result<Vec<Notice>, Refusal> {
        let (Happening::GroupCreated { .. }, Some(group)) = (&event.what, &event.group) else { return Ok(Vec::new()) };
        let body = Bytes::from(json!({ "new perch": group }).to_string());
        Ok(vec![Notice { name: "new perch", query: Vec::new(), body }])
    }

    fn envelope(&self, _: &Notice, _: Millis, _: u64) -> Envelope {
        Envelope::default()
    }

    fn is_accepted(&self, status: StatusCode, _: &[u8]) -> bool {
        status.is_success()
    }
}
