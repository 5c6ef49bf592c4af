//! What one user hears.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::event::Event;
use crate::model::{Key, Millis, Prefix, Row, UserId};
use crate::ports::Span;
use crate::refusal::Refusal;

use super::Reader;

/// What one user hears, in order: of the groups they are in, since they came, and what is for them alone.
/// Users hear their own only. What clients are not told is not in it.
///
/// Group-wide events of a group the user has left since are no longer in it; that they left, is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Who.
    pub user: UserId,
    /// Go on after this number; 0 is the beginning.
    pub after: u64,
    /// Most events looked at; the page may hold fewer.
    pub limit: usize,
}

/// Events in order.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The events.
    pub events: Vec<Arc<Event>>,
    /// Where to go on, whether there is more yet or not.
    pub last: u64,
    /// Whether there is more now.
    pub more: bool,
}

impl Feed {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<FeedPage, Refusal> {
        super::personal::check_self(reader, &self.user)?;
        // an account that took up an old id does not hear what its predecessor heard
        let user = reader.row(Key::User(self.user.clone())).await?;
        let born = user.as_ref().and_then(Row::user).map_or(Millis(0), |user| user.created);
        let wanted = self.limit.saturating_add(1);

        let mut heard = BTreeSet::new();
        let own = Prefix::user_feed(&self.user);
        let after = Key::UserFeed(self.user.clone(), self.after);
        heard.extend(numbers(reader, own, after, wanted).await?.into_iter().map(|number| (number, born)));
        for row in self.memberships(reader).await? {
            let Some(member) = row.member() else { continue };
            let prefix = Prefix::group_feed(&member.group);
            let after = Key::GroupFeed(member.group.clone(), self.after);
            let found = numbers(reader, prefix, after, wanted).await?;
            heard.extend(found.into_iter().map(|number| (number, member.joined.max(born))));
        }
        self.page(reader, heard).await
    }

    async fn memberships(&self, reader: &Reader<'_>) -> Result<Vec<Row>, Refusal> {
        let pointers = reader.store.scan(&Span::all(Prefix::joined(&self.user))).await?;
        let groups = pointers.iter().filter_map(|(_, row)| row.to_group());
        let keys: Vec<Key> = groups.map(|id| Key::Member((**id).clone(), self.user.clone())).collect();
        Ok(reader.store.fetch(&keys).await?.into_iter().flatten().collect())
    }

    /// `heard` holds numbers of events, each with the moment since when its road counts.
    async fn page(&self, reader: &Reader<'_>, heard: BTreeSet<(u64, Millis)>) -> Result<FeedPage, Refusal> {
        let mut numbers: Vec<u64> = heard.iter().map(|(number, _)| *number).collect();
        numbers.dedup();
        let more = numbers.len() > self.limit;
        numbers.truncate(self.limit);
        let last = numbers.last().copied().unwrap_or(self.after);
        let keys: Vec<Key> = numbers.into_iter().map(Key::Event).collect();
        let rows = reader.store.fetch(&keys).await?;
        let counts = |event: &Event| {
            let roads = heard.range((event.sequence, Millis(0))..=(event.sequence, Millis(u64::MAX)));
            roads.into_iter().any(|(_, since)| event.at >= *since)
        };
        let events = rows.iter().flatten().filter_map(Row::event);
        let events = events.filter(|event| !event.audience.silent && counts(event)).cloned().collect();
        Ok(FeedPage { events, last, more })
    }
}

/// The numbers of a feed's next events.
async fn numbers(reader: &Reader<'_>, prefix: Prefix, after: Key, limit: usize) -> Result<Vec<u64>, Refusal> {
    let rows = reader.store.scan(&Span::first(prefix, limit).after(Some(after.encode()))).await?;
    // a feed's key ends in the event's number
    let number = |key: &Vec<u8>| key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
    Ok(rows.iter().filter_map(|(key, _)| number(key)).collect())
}
