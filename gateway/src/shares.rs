//! Limits on what one address, realm or user may use at once, and on the total.

use std::hash::{BuildHasher as _, Hash};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use conclave_kit::Admitted;
use foldhash::HashMap as Map;
use parking_lot::Mutex;

use crate::config::Limits;

/// Shards of the table of counts, so that requests rarely wait for one another.
const SHARDS: usize = 16;
/// One request in so many is reserved for apps' servers, whatever users and callers without credentials do.
const RESERVED_REQUESTS: usize = 16;

/// Something that is counted for one address or caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    /// Connections of an address.
    Connections(IpAddr),
    /// Sessions of an address, over any transport.
    Sessions(IpAddr),
    /// Requests in flight of an address.
    Requests(IpAddr),
    /// Bytes of bodies and responses kept in memory for an address.
    Bytes(IpAddr),
    /// Requests in flight in a realm.
    RealmConfig(Arc<str>),
    /// Requests in flight of a user of a realm.
    User(Arc<str>, Arc<str>),
}

/// All counts.
#[derive(Debug)]
pub(crate) struct Shares {
    limits: Limits,
    counts: [Mutex<Map<Counted, usize>>; SHARDS],
    hasher: foldhash::fast::RandomState,
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// A counted unit; returned on drop.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Arc<Shares>,
    counted: Counted,
    amount: usize,
}

/// A request among all requests in flight; returned on drop.
#[derive(Debug)]
pub(crate) struct InProcess(Arc<Shares>);

impl Shares {
    /// All at zero.
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            limits: limits.clone(),
            counts: std::array::from_fn(|_| Mutex::default()),
            hasher: foldhash::fast::RandomState::default(),
            requests: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        })
    }

    /// Counts a connection of an address; also returns whether it exceeds the limit: a few of those are accepted, to be
    /// answered that there are too many.
    pub(crate) fn connection(self: &Arc<Self>, address: IpAddr) -> Option<(Share, bool)> {
        /// Connections beyond the limit that are answered with the reason.
        const REFUSALS: usize = 16;
        let (counted, most) = (Counted::Connections(network(address)), self.limits.connections_per_address);
        if let Some(share) = self.take(counted.clone(), 1, most) {
            return Some((share, false));
        }
        self.take(counted, 1, most.saturating_add(REFUSALS)).map(|share| (share, true))
    }

    /// Counts a session of an address; `None` when it has as many as it may have connections.
    pub(crate) fn session(self: &Arc<Self>, address: IpAddr) -> Option<Share> {
        self.take(Counted::Sessions(network(address)), 1, self.limits.connections_per_address)
    }

    /// Counts a request of an address; `None` when it has its maximum in flight.
    pub(crate) fn request(self: &Arc<Self>, address: IpAddr) -> Option<Share> {
        self.take(Counted::Requests(network(address)), 1, self.limits.requests_per_address)
    }

    /// Counts a caller's request for the process, the realm and the user; `None` when one of them has its maximum in
    /// flight. Some of the process's are reserved for apps' servers.
    pub(crate) fn caller(self: &Arc<Self>, who: &Admitted) -> Option<(InProcess, [Option<Share>; 2])> {
        let is_server = who.realm.is_some() && who.user.is_none();
        let most = self.limits.requests;
        let most = if is_server { most } else { most - most / RESERVED_REQUESTS };
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        let place = InProcess(Arc::clone(self));
        if before >= most {
            return None;
        }
        let Some(realm) = &who.realm else { return Some((place, [None, None])) };
        let of_realm = self.take(Counted::RealmConfig(Arc::clone(realm)), 1, self.limits.requests_per_realm)?;
        let of_user = match &who.user {
            None => None,
            Some(user) => {
                let counted = Counted::User(Arc::clone(realm), Arc::from(user.as_str()));
                Some(self.take(counted, 1, self.limits.requests_per_user)?)
            }
        };
        Some((place, [Some(of_realm), of_user]))
    }

    /// A counter for bytes that are kept for an address.
    pub(crate) fn buffer(self: &Arc<Self>, address: IpAddr) -> Buffer {
        Buffer { shares: Arc::clone(self), address: network(address), bytes: 0 }
    }

    fn take(self: &Arc<Self>, counted: Counted, amount: usize, most: usize) -> Option<Share> {
        let taken = self.add(&counted, amount, most);
        taken.then(|| Share { shares: Arc::clone(self), counted, amount })
    }

    /// Adds to a count, unless it would exceed the limit.
    fn add(&self, counted: &Counted, amount: usize, most: usize) -> bool {
        let mut counts = self.shard(counted).lock();
        match counts.get_mut(counted) {
            Some(count) if count.saturating_add(amount) > most => false,
            Some(count) => {
                *count += amount;
                true
            }
            None if amount > most => false,
            None => {
                counts.insert(counted.clone(), amount);
                true
            }
        }
    }

    fn give_back(&self, counted: &Counted, amount: usize) {
        let mut counts = self.shard(counted).lock();
        if let Some(count) = counts.get_mut(counted) {
            *count = count.saturating_sub(amount);
            if *count == 0 {
                counts.remove(counted);
            }
        }
    }

    fn shard(&self, counted: &Counted) -> &Mutex<Map<Counted, usize>> {
        let hash = usize::try_from(self.hasher.hash_one(counted) >> 32).unwrap_or_default();
        &self.counts[hash % SHARDS]
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.give_back(&self.counted, self.amount);
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes that are kept in memory for one request: its body until the response, then the response until it is sent.
#[derive(Debug)]
pub(crate) struct Buffer {
    shares: Arc<Shares>,
    address: IpAddr,
    bytes: usize,
}

impl Buffer {
    /// Reserves more bytes, if the process and the address have room for them.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let limits = &self.shares.limits;
        let before = self.shares.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= limits.buffered_bytes
            && self.shares.add(&Counted::Bytes(self.address), bytes, limits.buffered_bytes_per_address);
        if fits {
            self.bytes += bytes;
        } else {
            self.shares.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// Sets the number of bytes, whether there is room or not: existing bytes cannot be refused, but leave less room
    /// for others.
    pub(crate) fn keep(&mut self, bytes: usize) {
        self.clear();
        self.shares.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.shares.add(&Counted::Bytes(self.address), bytes, usize::MAX);
        self.bytes = bytes;
    }

    fn clear(&mut self) {
        self.shares.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        if self.bytes > 0 {
            self.shares.give_back(&Counted::Bytes(self.address), self.bytes);
        }
        self.bytes = 0;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The unit that counts as one address: an IPv4 address, or the network of 64 bits that one IPv6 customer has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_core::model::UserId;

    use super::*;

    fn shares() -> Arc<Shares> {
        Shares::new(&Limits {
            requests: 32,
            requests_per_address: 2,
            requests_per_realm: 20,
            requests_per_user: 1,
            buffered_bytes: 100,
            buffered_bytes_per_address: 60,
            ..Limits::default()
        })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let shares = shares();
        let (one, _two) = (shares.request(address("1.2.3.4")).unwrap(), shares.request(address("1.2.3.4")).unwrap());
        assert!(shares.request(address("1.2.3.4")).is_none());
        assert!(shares.request(address("::ffff:1.2.3.4")).is_none(), "the same address in another form");
        assert!(shares.request(address("1.2.3.5")).is_some());
        drop(one);
        assert!(shares.request(address("1.2.3.4")).is_some());
        let _networks = [shares.request(address("2001:db8::1")), shares.request(address("2001:db8::2"))];
        assert!(shares.request(address("2001:db8::3")).is_none());
    }

    #[test]
    fn users_leave_places_for_servers() {
        let shares = shares();
        let of = |user: Option<&str>, realm: &str| Admitted {
            realm: Some(realm.into()),
            user: user.map(|user| UserId::new(user).unwrap()),
            ..Admitted::default()
        };
        let _first = shares.caller(&of(Some("a"), "one")).unwrap();
        assert!(shares.caller(&of(Some("a"), "one")).is_none(), "one at a time for each user");
        let rest: Vec<_> = (1..30)
            .map_while(|n| shares.caller(&of(Some(&format!("u{n}")), if n < 20 { "one" } else { "two" })))
            .collect();
        assert_eq!(rest.len(), 29);
        assert!(shares.caller(&of(None, "one")).is_none(), "a realm has its own limit");
        assert!(shares.caller(&of(Some("z"), "three")).is_none());
        assert!(shares.caller(&Admitted::default()).is_none());
        let server = shares.caller(&of(None, "three"));
        assert!(server.is_some());
    }

    #[test]
    fn bytes_are_counted_by_address_and_altogether() {
        let shares = shares();
        let mut one = shares.buffer(address("1.1.1.1"));
        assert!(one.grow(50) && !one.grow(20) && one.grow(10));
        let mut two = shares.buffer(address("2.2.2.2"));
        assert!(!two.grow(50) && two.grow(40));
        one.keep(5);
        assert!(two.grow(20));
        drop((one, two));
        assert!(shares.buffer(address("3.3.3.3")).grow(60));
        assert_eq!(shares.bytes.load(Ordering::Relaxed), 0);
        assert!(shares.counts.iter().all(|shard| shard.lock().is_empty()));
    }
}
