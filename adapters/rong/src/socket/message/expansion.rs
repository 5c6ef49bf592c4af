//! `RC:MsgExMsg`: a message by which a client extends another one. The extensions are stored with the extended message, and
//! other clients are notified of them in the same form; it is not a message of the group.

use std::collections::BTreeMap;

use conclave_core::model::{Message, Millis};
use conclave_core::operation::{ExtensionChange, SpeakCheck, WriteExtensions};
use conclave_core::query::{MessageById, MessageExtensions};
use conclave_core::refusal::Refusal;
use serde::Deserialize;

use crate::dialect::{limits, message};
use crate::refusals::client;
use crate::socket::call::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    /// The extended message.
    mid: String,
    #[serde(default)]
    put: BTreeMap<String, String>,
    #[serde(default)]
    del: Vec<String>,
    /// 1 removes all extensions.
    #[serde(default)]
    remove_all: u8,
}

impl Wanted {
    /// How many extensions the message would have.
    async fn left(&self, call: &Call<'_>, about: &Message) -> Result<usize, Refusal> {
        let ask = MessageExtensions { group: about.group.clone(), sequences: vec![about.sequence] };
        let found = call.try_ask(ask).await?.0.pop().transpose()?;
        let kept = found.iter().filter(|_| self.remove_all != 1).flat_map(|found| found.entries.keys());
        let kept = kept.filter(|key| !self.del.contains(key) && !self.put.contains_key(*key));
        Ok(kept.count() + self.put.len())
    }
}

/// Sets or removes extensions of a message. Returns the time and the id of the notice (`RC:MsgExMsg`), or the client
/// protocol's status of the refusal.
pub(super) async fn extend(call: &Call<'_>, content: &str, group: &str) -> Result<(Millis, String), u16> {
    let wanted: Wanted = serde_json::from_str(content).map_err(|_| client::BAD_EXPANSION)?;
    if !limits::are_expansions(&wanted.put, limits::EXPANSIONS_WRITTEN) {
        return Err(client::BAD_EXPANSION);
    }
    let refused = |refusal: Refusal| client::expansion(&refusal);
    let id = message::id_of(&wanted.mid).ok_or(client::NOTHING_TO_EXPAND)?;
    let about = call.try_ask(MessageById { message: id }).await.map_err(refused)?.0;
    if about.group.as_str() != group || !about.is_for(call.user) {
        return Err(client::NOTHING_TO_EXPAND);
    }
    if !about.traits.extensible {
        return Err(client::NOT_EXPANDABLE);
    }
    if wanted.left(call, &about).await.map_err(refused)? > limits::EXPANSIONS {
        return Err(client::BAD_EXPANSION);
    }
    let put = wanted.put.into_iter().map(|(key, value)| (key, Some(value)));
    let del = wanted.del.into_iter().map(|key| (key, None));
    let change = |(key, value)| ExtensionChange { key, value, seen: None };
    let write = WriteExtensions {
        group: about.group.clone(),
        sequence: about.sequence,
        clear: wanted.remove_all == 1,
        changes: del.chain(put).map(change).collect(),
        most: u32::try_from(limits::EXPANSIONS).ok(),
        check: SpeakCheck::Enforced,
    };
    let written = call.try_run(write).await.map_err(refused)?;
    let version = written.now.version;
    written.outcomes.into_iter().try_for_each(|(_, outcome)| outcome.map(drop)).map_err(refused)?;
    Ok((call.app.realm.groups.now(), message::expansion_uid(&about.id, version, 0)))
}
