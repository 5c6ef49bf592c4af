//! Deletes expired rows; reads already ignore them, so this only frees space.

use crate::decision::Draft;
use crate::facts::Stop;
use crate::model::{Key, Millis, Row, Settings};

use super::devices::{drop_device, is_forgotten};
use super::{Ended, Rule};

/// [`Maintenance::sweep`](crate::ports::Maintenance::sweep).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sweep {
    /// The places, as [`Maintenance::expired`](crate::ports::Maintenance::expired) finds them.
    pub(crate) places: Vec<Key>,
}

impl Rule for Sweep {
    type Output = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Ended, Stop> {
        let places = || self.places.iter().filter(|place| place.can_expire());
        let headers = places().filter_map(Key::expiry_guard).map(|group| Key::Group(group.clone()));
        draft.require(headers.chain(places().cloned()))?;
        let (now, settings) = (draft.now(), draft.context.settings.clone());
        let mut ended = Ended::default();
        for place in places() {
            let Some(row) = draft.row(place)?.filter(|row| is_outdated(row, now, &settings)) else { continue };
            // the row may have changed since: its expiry is in the row itself, or in its group's header
            if let Some(group) = place.expiry_guard() {
                let header = Key::Group(group.clone());
                let revision = draft.row(&header)?.and_then(|row| row.revision());
                draft.guard(header, revision);
            } else {
                draft.guard(place.clone(), row.revision());
            }
            if let Some(device) = row.device() {
                drop_device(draft, device)?;
            } else if let Some(request) = row.request() {
                draft.drop_request(request);
            } else {
                draft.delete(place.clone());
            }
            ended.blobs.extend(row.file().map(|file| file.blob.clone()));
        }
        Ok(ended)
    }
}

/// Whether a row has expired, so that nothing reads it any more. A request that was decided, or can no longer be
/// decided, is still shown for one more request lifetime.
pub(crate) fn is_outdated(row: &Row, now: Millis, settings: &Settings) -> bool {
    match row {
        Row::Mute(mute) => !mute.until.holds_at(now),
        Row::Block(block) => !block.until.holds_at(now),
        Row::Request(request) => {
            let verdict = request.verdict.as_ref().filter(|_| !request.stage.is_open());
            let ended = verdict.map_or(request.expires, |verdict| verdict.at);
            ended.plus(settings.request_lifetime) <= now
        }
        Row::File(file) => file.expires.is_some_and(|end| end <= now),
        Row::Device(device) => is_forgotten(device, now, settings),
        Row::Sent(sent) => sent.at.plus(settings.dedupe_window) <= now,
        _ => false,
    }
}
