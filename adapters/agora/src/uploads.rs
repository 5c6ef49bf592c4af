//! Uploads in parts that are not finished yet: their parts are stored already, but belong to no file.
//!
//! They are kept in memory only: after a restart clients begin again, and the gateway removes the bytes that no file
//! refers to.

use std::collections::{BTreeMap, HashMap};

use conclave_core::model::{Millis, UserId};
use conclave_kit::Stored;
use parking_lot::Mutex;
use uuid::Uuid;

/// Most unfinished uploads of one user, and of the app's own server.
const PER_OWNER: usize = 8;
/// Most unfinished uploads of an app.
const PER_APP: usize = 1024;
/// How long an upload waits for its next part, in milliseconds.
const PATIENCE: u64 = 3600 * 1000;

/// The unfinished uploads of an app.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<HashMap<Uuid, Upload>>);

#[derive(Debug)]
struct Upload {
    /// The user; `None` is the app.
    owner: Option<UserId>,
    parts: BTreeMap<u32, Stored>,
    touched: Millis,
}

/// A part is refused, and its bytes are not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAdded {
    /// There is no such upload of this caller.
    Unknown,
    /// The file would become larger than it may be.
    TooLarge,
}

impl Upload {
    fn bytes(&self) -> u64 {
        self.parts.values().map(|part| part.size).sum()
    }
}

impl Uploads {
    /// Starts an upload; `None` while there are too many.
    pub(crate) fn begin(&self, owner: Option<&UserId>, now: Millis) -> Option<Uuid> {
        let mut uploads = self.0.lock();
        let of_owner = uploads.values().filter(|upload| upload.owner.as_ref() == owner).count();
        if of_owner >= PER_OWNER || uploads.len() >= PER_APP {
            return None;
        }
        let id = Uuid::new_v4();
        uploads.insert(id, Upload { owner: owner.cloned(), parts: BTreeMap::new(), touched: now });
        Some(id)
    }

    /// Whether this caller has such an upload.
    pub(crate) fn has(&self, id: Uuid, owner: Option<&UserId>) -> bool {
        self.0.lock().get(&id).is_some_and(|upload| upload.owner.as_ref() == owner)
    }

    /// Adds a part, whose number orders it; returns the earlier part with this number, whose bytes are not needed any more.
    pub(crate) fn add(
        &self,
        id: Uuid,
        owner: Option<&UserId>,
        (number, part): (u32, Stored),
        most: u64,
        now: Millis,
    ) -> Result<Option<Stored>, NotAdded> {
        let mut uploads = self.0.lock();
        let upload = uploads.get_mut(&id).filter(|upload| upload.owner.as_ref() == owner).ok_or(NotAdded::Unknown)?;
        let before = upload.parts.get(&number).map_or(0, |part| part.size);
        if upload.bytes().saturating_sub(before).saturating_add(part.size) > most {
            return Err(NotAdded::TooLarge);
        }
        upload.touched = now;
        Ok(upload.parts.insert(number, part))
    }

    /// Ends an upload; returns its parts in order, with their numbers.
    pub(crate) fn take(&self, id: Uuid, owner: Option<&UserId>) -> Option<BTreeMap<u32, Stored>> {
        let mut uploads = self.0.lock();
        uploads.get(&id).filter(|upload| upload.owner.as_ref() == owner)?;
        uploads.remove(&id).map(|upload| upload.parts)
    }

    /// Ends the uploads that have waited too long; returns their parts.
    pub(crate) fn expired(&self, now: Millis) -> Vec<Stored> {
        let oldest = now.0.saturating_sub(PATIENCE);
        let expired = self.0.lock().extract_if(|_, upload| upload.touched.0 < oldest).collect::<Vec<_>>();
        expired.into_iter().flat_map(|(_, upload)| upload.parts.into_values()).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn part(size: u64) -> Stored {
        Stored { id: size.to_string(), size }
    }

    #[test]
    fn unfinished_uploads_are_bounded_and_expire() {
        let (uploads, ann, ben) = (Uploads::default(), UserId::new("ann").unwrap(), UserId::new("ben").unwrap());
        let mut ids: Vec<Uuid> = (0..PER_OWNER).map(|_| uploads.begin(Some(&ann), Millis(1)).unwrap()).collect();
        assert_eq!(uploads.begin(Some(&ann), Millis(1)), None);
        assert!(uploads.begin(Some(&ben), Millis(2)).is_some());
        assert!(uploads.begin(None, Millis(2)).is_some(), "the app's own");
        let id = ids.pop().unwrap();
        assert_eq!(uploads.add(id, Some(&ann), (1, part(7)), 10, Millis(PATIENCE)), Ok(None));
        assert_eq!(uploads.expired(Millis(PATIENCE + 2)), [], "the others had no parts");
        assert!(uploads.has(id, Some(&ann)) && !uploads.has(ids[0], Some(&ann)));
        assert_eq!(uploads.expired(Millis(3 * PATIENCE)), [part(7)]);
        assert_eq!(uploads.0.lock().len(), 0);
        for index in 0..PER_APP {
            assert!(uploads.begin(Some(&UserId::new(format!("u{index}")).unwrap()), Millis(9)).is_some());
        }
        assert_eq!(uploads.begin(Some(&ben), Millis(9)), None, "too many in the app");
    }

    #[test]
    fn a_part_belongs_to_its_uploader_and_counts_once() {
        let (uploads, ann, ben) = (Uploads::default(), UserId::new("ann").unwrap(), UserId::new("ben").unwrap());
        let id = uploads.begin(Some(&ann), Millis(1)).unwrap();
        let add = |owner, number, size| uploads.add(id, owner, (number, part(size)), 10, Millis(1));
        assert_eq!(add(Some(&ben), 1, 1), Err(NotAdded::Unknown));
        assert_eq!(add(None, 1, 1), Err(NotAdded::Unknown));
        assert_eq!(add(Some(&ann), 2, 6), Ok(None));
        assert_eq!(add(Some(&ann), 1, 5), Err(NotAdded::TooLarge));
        assert_eq!(add(Some(&ann), 2, 10), Ok(Some(part(6))), "sent again");
        assert_eq!(add(Some(&ann), 1, u64::MAX), Err(NotAdded::TooLarge));
        assert_eq!(uploads.take(id, Some(&ben)), None);
        assert_eq!(uploads.take(id, Some(&ann)), Some(BTreeMap::from([(2, part(10))])));
        assert_eq!(add(Some(&ann), 1, 1), Err(NotAdded::Unknown));
    }
}
