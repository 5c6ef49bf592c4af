//! Generates the ids of a decision.

use super::Draft;
use crate::facts::Stop;
use crate::model::{FileId, GroupId, Key, MessageId, TopicId};

impl Draft<'_> {
    /// A number for ids: later ones are larger, and no two of a realm meet but by an accident of 2^20 in a
    /// millisecond, which callers check for.
    fn mint(&mut self) -> u64 {
        // 2020-01-01; forty bits of milliseconds keep the decimal form within 18 digits until 2050
        const EPOCH: u64 = 1_577_836_800_000;
        self.minted += 1;
        let fresh = mix(self.context.seed, self.minted) & 0xF_FFFF;
        (self.context.begun.0.saturating_sub(EPOCH) << 20) | fresh
    }

    /// An id for a new group: decimal digits, valid for every surface. `looks_at` is what the rule looks at next.
    pub fn mint_group(&mut self, looks_at: impl Fn(&GroupId) -> Vec<Key>) -> Result<GroupId, Stop> {
        loop {
            let id = GroupId::new(self.mint().to_string())?;
            let own = [Key::Group(id.clone()), Key::Tombstone(id.clone())];
            self.require_before_join(own.into_iter().chain(looks_at(&id)))?;
            if self.find_group(&id)?.is_none() && self.tombstone(&id)?.is_none() {
                return Ok(id);
            }
        }
    }

    /// An id for a new file, unique in the realm except for an unpredictable collision.
    pub fn mint_file(&mut self) -> Result<FileId, Stop> {
        Ok(FileId::new(self.mint().to_string())?)
    }

    /// An id for a new topic of a group.
    pub fn mint_topic(&mut self, prefix: &str) -> Result<TopicId, Stop> {
        Ok(TopicId::new(format!("{prefix}{}", self.mint()))?)
    }

    /// An id for a new message.
    pub fn mint_message(&mut self) -> Result<MessageId, Stop> {
        loop {
            let id = self.mint_message_id()?;
            if self.row(&Key::MessageById(id.clone()))?.is_none() {
                return Ok(id);
            }
        }
    }

    /// An id for a new message, which may be in use; that is at its key.
    pub fn mint_message_id(&mut self) -> Result<MessageId, Stop> {
        Ok(MessageId::new(self.mint().to_string())?)
    }
}

/// Splitmix64: spreads a seed and a counter over all bits.
fn mix(seed: u64, counter: u64) -> u64 {
    let mut z = seed.wrapping_add(counter.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
