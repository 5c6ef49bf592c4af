//! What only clients that poll request besides: the number of their polls, and signing out. Source: the clients'
//! protocol.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use conclave_kit::{ConnectionFilter, Device, DisconnectReason};
use serde::{Deserialize, Serialize};

use super::{Call, envelope};
use crate::VENDOR;
use crate::refusals::Failure;

#[derive(Deserialize)]
struct Request {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NumberResponse {
    long_polling_id: u64,
}

/// `getlongpollingid`: a number that the client repeats in its polls. Polls are recognized by the client's key.
pub(crate) async fn number(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let Request {} = call.read()?;
    call.signed_in()?;
    let mut hasher = DefaultHasher::new();
    call.device().hash(&mut hasher);
    // not "0", which clients take for "none yet"
    envelope::with(&NumberResponse { long_polling_id: hasher.finish() % 1_000_000_000 + 1 })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SignOut {
    #[serde(rename = "LongPollingId")]
    _number: Option<serde::de::IgnoredAny>,
}

/// `longpollinglogout` and `logout`: the client's user is no longer online on its device.
pub(crate) async fn sign_out(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let SignOut { .. } = call.read()?;
    let user = call.signed_in()?;
    if let Some(device) = call.device().and_then(|device| Device::id_of(VENDOR, device)) {
        let which = ConnectionFilter::of_device(Device::new(VENDOR, device));
        call.app.realm.presence.disconnect(user, &which, DisconnectReason::Reconnected).await;
    }
    envelope::done()
}
