//! Limits on what one address, realm or user may use at once, and on the total.

use std::hash::{BuildHasher as _, Hash};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use conclave_core::model::UserId;
use conclave_kit::Admitted;
use foldhash::HashMap as Map;
use parking_lot::{Mutex, RwLock};

use crate::config::Limits;

/// Shards of the tables of counts, so that requests rarely wait for one another.
const SHARDS: usize = 16;
/// One request in this many is reserved for apps' servers: users and callers without credentials cannot take it.
const RESERVED_REQUESTS: usize = 16;

/// What every address, realm and user uses now, and the total.
#[derive(Debug)]
pub(crate) struct Quotas {
    limits: Limits,
    addresses: [Mutex<Map<IpAddr, Arc<Counts>>>; SHARDS],
    /// Requests in flight in each realm that has ever had one.
    realms: RwLock<Map<Arc<str>, Arc<AtomicUsize>>>,
    /// Requests in flight of users.
    users: [Mutex<Map<User, usize>>; SHARDS],
    hasher: foldhash::fast::RandomState,
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// A user of a realm.
type User = (Arc<str>, UserId);

/// What is counted for one address.
#[derive(Debug, Default)]
struct Counts {
    /// How many [`Address`] values there are; changed under the table's lock.
    holders: AtomicUsize,
    connections: AtomicUsize,
    /// Sessions, over any transport.
    sessions: AtomicUsize,
    /// Requests in flight.
    requests: AtomicUsize,
    /// Bytes of bodies and responses kept in memory.
    bytes: AtomicUsize,
}

/// One of the counts.
type Count = fn(&Counts) -> &AtomicUsize;

/// The counts of one address, kept as long as somebody has this.
#[derive(Debug)]
pub(crate) struct Address {
    quotas: Arc<Quotas>,
    network: IpAddr,
    counts: Arc<Counts>,
}

/// A counted unit of an address; returned on drop.
#[derive(Debug)]
pub(crate) struct QuotaUse {
    address: Arc<Address>,
    count: Count,
}

/// A request among all requests in flight; returned on drop.
#[derive(Debug)]
pub(crate) struct InProcess(Arc<Quotas>);

/// A request among those of its realm; returned on drop.
#[derive(Debug)]
pub(crate) struct InRealm(Arc<AtomicUsize>);

/// A request among those of its user; returned on drop.
#[derive(Debug)]
pub(crate) struct OfUser(Arc<Quotas>, User);

/// Adds to a count, unless it would exceed the limit.
fn add(count: &AtomicUsize, amount: usize, most: usize) -> bool {
    let added = |before: usize| before.checked_add(amount).filter(|sum| *sum <= most);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added).is_ok()
}

impl Quotas {
    /// All at zero.
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            limits: limits.clone(),
            addresses: std::array::from_fn(|_| Mutex::default()),
            realms: RwLock::default(),
            users: std::array::from_fn(|_| Mutex::default()),
            hasher: foldhash::fast::RandomState::default(),
            requests: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        })
    }

    /// The counts of an address.
    pub(crate) fn address(self: &Arc<Self>, address: IpAddr) -> Arc<Address> {
        let address = network(address);
        let mut known = self.shard(&self.addresses, &address).lock();
        let counts = Arc::clone(known.entry(address).or_default());
        counts.holders.fetch_add(1, Ordering::Relaxed);
        drop(known);
        Arc::new(Address { quotas: Arc::clone(self), network: address, counts })
    }

    /// Counts a caller's request for the process, the realm and the user; `None` when one of them has its maximum in
    /// flight. Some of the process's are reserved for apps' servers.
    pub(crate) fn caller(self: &Arc<Self>, who: &Admitted) -> Option<(InProcess, Option<InRealm>, Option<OfUser>)> {
        let is_server = who.realm.is_some() && who.user.is_none();
        let most = self.limits.requests;
        let most = if is_server { most } else { most - most / RESERVED_REQUESTS };
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        let place = InProcess(Arc::clone(self));
        if before >= most {
            return None;
        }
        let Some(realm) = &who.realm else { return Some((place, None, None)) };
        let of_realm = self.in_realm(realm)?;
        let of_user = match &who.user {
            None => None,
            Some(user) => Some(self.of_user(Arc::clone(realm), user.clone())?),
        };
        Some((place, Some(of_realm), of_user))
    }

    fn in_realm(&self, realm: &Arc<str>) -> Option<InRealm> {
        let known = self.realms.read().get(realm).cloned();
        let count = known.unwrap_or_else(|| Arc::clone(self.realms.write().entry(Arc::clone(realm)).or_default()));
        add(&count, 1, self.limits.requests_per_realm).then(|| InRealm(count))
    }

    fn of_user(self: &Arc<Self>, realm: Arc<str>, user: UserId) -> Option<OfUser> {
        let user = (realm, user);
        let mut users = self.shard(&self.users, &user).lock();
        let count = users.get(&user).copied().unwrap_or_default();
        if count >= self.limits.requests_per_user {
            return None;
        }
        users.insert(user.clone(), count + 1);
        drop(users);
        Some(OfUser(Arc::clone(self), user))
    }

    fn shard<'s, T>(&self, shards: &'s [T; SHARDS], key: &impl Hash) -> &'s T {
        let hash = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or_default();
        &shards[hash % SHARDS]
    }
}

impl Address {
    /// Whether these are the counts of an address.
    pub(crate) fn is_of(&self, address: IpAddr) -> bool {
        self.network == network(address)
    }

    /// Counts a connection; also returns whether it exceeds the limit: a few of those are accepted, to be answered that
    /// there are too many.
    pub(crate) fn connection(self: &Arc<Self>) -> Option<(QuotaUse, bool)> {
        /// Connections beyond the limit that are answered with the reason.
        const REFUSALS: usize = 16;
        let count: Count = |counts| &counts.connections;
        let most = self.quotas.limits.connections_per_address;
        if let Some(share) = self.take(count, most) {
            return Some((share, false));
        }
        self.take(count, most.saturating_add(REFUSALS)).map(|share| (share, true))
    }

    /// Counts a session; `None` when there are as many as the address may have connections.
    pub(crate) fn session(self: &Arc<Self>) -> Option<QuotaUse> {
        self.take(|counts| &counts.sessions, self.quotas.limits.connections_per_address)
    }

    /// Counts a request; `None` when the address has its maximum in flight.
    pub(crate) fn request(self: &Arc<Self>) -> Option<QuotaUse> {
        self.take(|counts| &counts.requests, self.quotas.limits.requests_per_address)
    }

    /// A counter for bytes that are kept for the address.
    pub(crate) fn buffer(self: &Arc<Self>) -> Buffer {
        Buffer { address: Arc::clone(self), bytes: 0 }
    }

    fn take(self: &Arc<Self>, count: Count, most: usize) -> Option<QuotaUse> {
        add(count(&self.counts), 1, most).then(|| QuotaUse { address: Arc::clone(self), count })
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        let mut known = self.quotas.shard(&self.quotas.addresses, &self.network).lock();
        if self.counts.holders.fetch_sub(1, Ordering::Relaxed) == 1 {
            known.remove(&self.network);
        }
    }
}

impl Drop for QuotaUse {
    fn drop(&mut self) {
        (self.count)(&self.address.counts).fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for InRealm {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for OfUser {
    fn drop(&mut self) {
        let mut users = self.0.shard(&self.0.users, &self.1).lock();
        if let Some(count) = users.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                users.remove(&self.1);
            }
        }
    }
}

/// Bytes that are kept in memory for one request: its body until the response, then the response until it is sent.
#[derive(Debug)]
pub(crate) struct Buffer {
    address: Arc<Address>,
    bytes: usize,
}

impl Buffer {
    /// Reserves more bytes, if the process and the address have room for them.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let quotas = &self.address.quotas;
        if !add(&quotas.bytes, bytes, quotas.limits.buffered_bytes) {
            return false;
        }
        if !add(&self.address.counts.bytes, bytes, quotas.limits.buffered_bytes_per_address) {
            quotas.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }

    /// Sets the number of bytes, whether there is room or not: existing bytes cannot be refused, but leave less room
    /// for others.
    pub(crate) fn keep(&mut self, bytes: usize) {
        for count in [&self.address.quotas.bytes, &self.address.counts.bytes] {
            if bytes > self.bytes {
                count.fetch_add(bytes - self.bytes, Ordering::Relaxed);
            } else {
                count.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
            }
        }
        self.bytes = bytes;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.keep(0);
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
    use super::*;

    fn quotas() -> Arc<Quotas> {
        Quotas::new(&Limits {
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
        let quotas = quotas();
        let (one, _two) = (
            quotas.address(address("1.2.3.4")).request().unwrap(),
            quotas.address(address("1.2.3.4")).request().unwrap(),
        );
        assert!(quotas.address(address("1.2.3.4")).request().is_none());
        assert!(quotas.address(address("::ffff:1.2.3.4")).request().is_none(), "the same address in another form");
        assert!(quotas.address(address("1.2.3.5")).request().is_some());
        drop(one);
        assert!(quotas.address(address("1.2.3.4")).request().is_some());
        let _networks =
            [quotas.address(address("2001:db8::1")).request(), quotas.address(address("2001:db8::2")).request()];
        assert!(quotas.address(address("2001:db8::3")).request().is_none());
    }

    #[test]
    fn users_leave_places_for_servers() {
        let quotas = quotas();
        let of = |user: Option<&str>, realm: &str| Admitted {
            realm: Some(realm.into()),
            user: user.map(|user| UserId::new(user).unwrap()),
            ..Admitted::default()
        };
        let _first = quotas.caller(&of(Some("a"), "one")).unwrap();
        assert!(quotas.caller(&of(Some("a"), "one")).is_none(), "one at a time for each user");
        let rest: Vec<_> = (1..30)
            .map_while(|n| quotas.caller(&of(Some(&format!("u{n}")), if n < 20 { "one" } else { "two" })))
            .collect();
        assert_eq!(rest.len(), 29);
        assert!(quotas.caller(&of(None, "one")).is_none(), "a realm has its own limit");
        assert!(quotas.caller(&of(Some("z"), "three")).is_none());
        assert!(quotas.caller(&Admitted::default()).is_none());
        let server = quotas.caller(&of(None, "three"));
        assert!(server.is_some());
    }

    #[test]
    fn bytes_are_counted_by_address_and_altogether() {
        let quotas = quotas();
        let mut one = quotas.address(address("1.1.1.1")).buffer();
        assert!(one.grow(50) && !one.grow(20) && one.grow(10));
        let mut two = quotas.address(address("2.2.2.2")).buffer();
        assert!(!two.grow(50) && two.grow(40));
        one.keep(5);
        assert!(two.grow(20));
        drop((one, two));
        assert!(quotas.address(address("3.3.3.3")).buffer().grow(60));
        assert_eq!(quotas.bytes.load(Ordering::Relaxed), 0);
        assert!(quotas.addresses.iter().all(|shard| shard.lock().is_empty()));
    }
}
