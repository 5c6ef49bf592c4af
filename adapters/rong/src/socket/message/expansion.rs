//! `RC:MsgExMsg`: a message by which a client extends another one. It is delivered to the group like any message, which
//! is how other clients receive it; the extensions are stored with the extended message.

use std::collections::BTreeMap;
use std::sync::Arc;

use conclave_core::model::Message;
use conclave_core::operation::{ExtensionChange, WriteExtensions};
use conclave_core::query::{MessageById, MessageExtensions};
use conclave_core::refusal::Refusal;
use serde::Deserialize;

use crate::dialect::{limits, message};
use crate::refusals::client;
use crate::socket::call::Call;

/// The type of these messages.
pub(super) const TYPE: &str = "RC:MsgExMsg";

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

/// The extensions to write, and their message.
pub(super) struct Expansion {
    about: Arc<Message>,
    wanted: Wanted,
}

impl Expansion {
    /// Reads one; refuses invalid extensions.
    pub(super) async fn of(call: &Call<'_>, content: &str, group: &str) -> Result<Self, u16> {
        let wanted: Wanted = serde_json::from_str(content).map_err(|_| client::BAD_EXPANSION)?;
        if !limits::are_expansions(&wanted.put, limits::EXPANSIONS_WRITTEN) {
            return Err(client::BAD_EXPANSION);
        }
        let id = message::id_of(&wanted.mid).ok_or(client::NOTHING_TO_EXPAND)?;
        let found = call.try_ask(MessageById { message: id }).await.map_err(|refusal| client::expansion(&refusal))?.0;
        if found.group.as_str() != group || !found.is_for(call.user) {
            return Err(client::NOTHING_TO_EXPAND);
        }
        if !found.traits.extensible {
            return Err(client::NOT_EXPANDABLE);
        }
        if wanted.left(call, &found).await.map_err(|refusal| client::expansion(&refusal))? > limits::EXPANSIONS {
            return Err(client::BAD_EXPANSION);
        }
        Ok(Self { about: found, wanted })
    }

    /// Stores the extensions with the message that they extend.
    pub(super) async fn write(self, call: &Call<'_>) -> Result<(), Refusal> {
        let put = self.wanted.put.into_iter().map(|(key, value)| (key, Some(value)));
        let del = self.wanted.del.into_iter().map(|key| (key, None));
        let change = |(key, value)| ExtensionChange { key, value, seen: None };
        let write = WriteExtensions {
            group: self.about.group.clone(),
            sequence: self.about.sequence,
            clear: self.wanted.remove_all == 1,
            changes: del.chain(put).map(change).collect(),
            most: u32::try_from(limits::EXPANSIONS).ok(),
        };
        let written = call.try_run(write).await?;
        written.outcomes.into_iter().try_for_each(|(_, outcome)| outcome.map(drop))
    }
}
