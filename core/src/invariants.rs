//! What is always true of a realm's rows, as pure functions: used by debug assertions and by every test of a store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Group, Key, Member, Message, MessageState, Millis, Prefix, Role, Row, User, UserId};
use crate::ports::{Span, Store, StoreError};

/// All rows of a store, by their keys.
pub async fn everything(store: &dyn Store) -> Result<BTreeMap<Vec<u8>, Row>, StoreError> {
    let mut rows = BTreeMap::new();
    for table in Prefix::every_table() {
        rows.extend(store.scan(&Span::all(table)).await?);
    }
    Ok(rows)
}

/// The first thing that is wrong with the rows of a realm, if any. `now` judges what has expired.
pub fn realm_broken(rows: &BTreeMap<Vec<u8>, Row>, now: Millis) -> Option<String> {
    let realm = RealmRows::of(rows);
    realm
        .misplaced()
        .or_else(|| realm.groups_broken())
        .or_else(|| realm.indexes_broken())
        .or_else(|| realm.strays())
        .or_else(|| realm.people_broken(now))
        .or_else(|| realm.messages_broken())
        .or_else(|| realm.history_broken())
        .or_else(|| realm.extras_broken())
        .or_else(|| realm.topics_broken())
        .or_else(|| realm.log_broken())
}

/// The rows, sorted by what they are.
struct RealmRows<'a> {
    rows: &'a BTreeMap<Vec<u8>, Row>,
    groups: BTreeMap<&'a str, &'a Arc<Group>>,
    /// By group, in the order of seats.
    members: BTreeMap<&'a str, Vec<&'a Arc<Member>>>,
    users: BTreeMap<&'a UserId, &'a Arc<User>>,
    messages: BTreeMap<&'a str, Vec<&'a Arc<Message>>>,
}

/// The part of a key after its tag, which is the first byte.
fn table(prefix: &Prefix, key: &[u8]) -> bool {
    key.starts_with(prefix.as_bytes())
}

impl<'a> RealmRows<'a> {
    fn of(rows: &'a BTreeMap<Vec<u8>, Row>) -> Self {
        let mut realm = Self {
            rows,
            groups: BTreeMap::new(),
            members: BTreeMap::new(),
            users: BTreeMap::new(),
            messages: BTreeMap::new(),
        };
        for (key, row) in rows {
            match row {
                Row::Group(group) => drop(realm.groups.insert(group.id.as_str(), group)),
                Row::User(user) => drop(realm.users.insert(&user.id, user)),
                Row::Message(_) if table(&Prefix::all_topic_messages(), key) => {}
                Row::Message(message) => realm.messages.entry(message.group.as_str()).or_default().push(message),
                // a membership is stored twice; the one in the order of seats is counted
                Row::Member(member) if *key == Key::Seat(member.group.clone(), member.seat).encode() => {
                    realm.members.entry(member.group.as_str()).or_default().push(member);
                }
                _ => {}
            }
        }
        realm
    }

    /// Rows that contain their own key must be stored under it.
    fn misplaced(&self) -> Option<String> {
        self.rows.iter().find_map(|(key, row)| {
            let places = match row {
                Row::Group(group) => vec![Key::Group(group.id.clone())],
                Row::Tombstone(past) => vec![Key::Tombstone(past.group.clone())],
                Row::User(user) => vec![Key::User(user.id.clone())],
                // its topic is in the key alone
                Row::Message(_) if table(&Prefix::all_topic_messages(), key) => return None,
                Row::Message(message) => vec![Key::Message(message.group.clone(), message.sequence)],
                Row::Topic(topic) => vec![Key::Topic(topic.group.clone(), topic.id.clone())],
                Row::Event(event) => vec![Key::Event(event.sequence)],
                Row::Device(device) => vec![device.key()],
                Row::Position(position) => vec![position.key()],
                Row::ReadMark(mark) => vec![Key::ReadMark(mark.user.clone(), mark.group.clone())],
                Row::Follows(follows) => vec![Key::Follows(follows.group.clone(), follows.user.clone())],
                Row::Member(member) => vec![
                    Key::Member(member.group.clone(), member.user.clone()),
                    Key::Seat(member.group.clone(), member.seat),
                ],
                Row::Remark(remark) => vec![
                    Key::Remark(remark.user.clone(), remark.group.clone()),
                    Key::PushName(remark.group.clone(), remark.user.clone()),
                ],
                _ => return None,
            };
            let own_key = places.iter().any(|place| place.encode() == *key);
            (!own_key).then(|| format!("a row is stored under a key that is not its own: {row:?}"))
        })
    }

    fn groups_broken(&self) -> Option<String> {
        self.groups.iter().find_map(|(id, group)| {
            let members = self.members.get(id).into_iter().flatten().map(|member| &***member);
            let wrong = broken(group, members).map(|wrong| format!("group {id}: {wrong}"));
            let risen = || self.rows.contains_key(&Key::Tombstone(group.id.clone()).encode());
            wrong.or_else(|| risen().then(|| format!("group {id} is there and disbanded at once")))
        })
    }

    /// Every index holds exactly what follows from the rows it leads to.
    fn indexes_broken(&self) -> Option<String> {
        let mut expected: BTreeMap<Vec<u8>, Row> = BTreeMap::new();
        for (_, row) in self.rows.iter().filter(|(key, _)| !table(&Prefix::all_topic_messages(), key)) {
            expect_places(row, &mut expected);
        }
        let indexes = expected_tables();
        let found = self.rows.iter().filter(|(key, _)| indexes.iter().any(|index| table(index, key)));
        for (key, row) in found {
            match expected.remove(key) {
                Some(wanted) if alike(&wanted, row) => {}
                Some(wanted) => return Some(format!("an index holds {row:?} where {wanted:?} belongs")),
                None => return Some(format!("an index has {row:?}, which nothing refers to")),
            }
        }
        expected.into_values().next().map(|row| format!("an index lacks {row:?}"))
    }

    /// Rows that belong to a group exist only while the group does.
    fn strays(&self) -> Option<String> {
        self.rows.iter().find_map(|(key, row)| {
            let hangs = matches!(
                row,
                Row::Member(_)
                    | Row::Request(_)
                    | Row::Attributes(_)
                    | Row::Counters(_)
                    | Row::File(_)
                    | Row::Follows(_)
            );
            let of_no_group = table(&Prefix::of_requests_by_user(), key) || table(&Prefix::attachments(), key);
            let group = first_text(key);
            let stray = hangs && !of_no_group && !self.groups.contains_key(group.as_str());
            stray.then(|| format!("something is left of group {group}, which is not there: {row:?}"))
        })
    }

    /// Members have accounts, are not blocked, and wait for nothing.
    fn people_broken(&self, now: Millis) -> Option<String> {
        for member in self.members.values().flatten() {
            if !self.users.contains_key(&member.user) {
                return Some(format!("{} is a member of {} without an account", member.user, member.group));
            }
            let block = self.rows.get(&Key::Block(member.group.clone(), member.user.clone()).encode());
            if block.and_then(Row::block).is_some_and(|block| block.until.holds_at(now)) {
                return Some(format!("{} is in {} though blocked", member.user, member.group));
            }
        }
        self.rows.values().filter_map(Row::request).find_map(|request| {
            let place = Key::Member(request.group.clone(), request.user.clone()).encode();
            if request.is_open_at(now) && self.rows.contains_key(&place) {
                return Some(format!("{} waits to join {} though in", request.user, request.group));
            }
            let asked = self.groups.get(request.group.as_str()).is_some_and(|group| group.asked);
            (!asked).then(|| format!("group {} does not know it was ever asked", request.group))
        })
    }

    /// Events of a group's history are numbered below the next number, and no message has the same number.
    fn history_broken(&self) -> Option<String> {
        self.rows.values().filter_map(Row::event).find_map(|event| {
            let (number, id) = (event.number?, event.group.as_ref()?);
            let past = self.rows.get(&Key::Tombstone(id.clone()).encode()).and_then(Row::tombstone);
            let next = self.groups.get(id.as_str()).map(|group| group.next_message);
            let next = next.or(past.map(|past| past.next_message))?;
            let taken = self.rows.contains_key(&Key::Message(id.clone(), number).encode());
            (number >= next || taken).then(|| format!("event {} of {id} has no number of its own", event.sequence))
        })
    }

    /// Messages are numbered below the next number, and time never contradicts their order.
    fn messages_broken(&self) -> Option<String> {
        self.messages.iter().find_map(|(id, messages)| {
            if messages.windows(2).any(|pair| pair[0].at > pair[1].at) {
                return Some(format!("messages of {id} are out of order"));
            }
            let last = messages.last()?;
            let past = self.rows.get(&Key::Tombstone(last.group.clone()).encode()).and_then(Row::tombstone);
            let next = self.groups.get(id).map(|group| group.next_message).or(past.map(|past| past.next_message))?;
            (last.sequence >= next).then(|| format!("message {} of {id} is beyond the next number", last.sequence))
        })
    }

    /// Receipts and extensions are stored only for messages that permit them.
    fn extras_broken(&self) -> Option<String> {
        let messages: Vec<_> = self.messages.values().flatten().collect();
        let taken = |kept: &dyn Fn(&Message) -> bool, prefix: &dyn Fn(&Message) -> Vec<u8>| {
            let places = messages.iter().filter(|message| kept(message)).map(|message| prefix(message));
            places.collect::<BTreeSet<Vec<u8>>>()
        };
        let receipts = taken(&|message| message.traits.receipts, &|message| {
            Prefix::receipts(&message.group, &message.sequence).as_bytes().to_vec()
        });
        let extended = taken(&|message| message.traits.extensible && message.state == MessageState::Kept, &|message| {
            Key::Extensions(message.group.clone(), message.sequence).encode()
        });
        self.rows.iter().find_map(|(key, row)| {
            let stray = match row {
                Row::Receipt(_) => !receipts.iter().any(|place| key.starts_with(place)),
                Row::Extensions(_) => !extended.contains(key),
                _ => false,
            };
            stray.then(|| format!("something hangs on a message that does not take it: {row:?}"))
        })
    }

    /// A group counts its topics, and messages in them are numbered below their next number.
    fn topics_broken(&self) -> Option<String> {
        let mut open: BTreeMap<&str, u64> = BTreeMap::new();
        for topic in self.rows.values().filter_map(Row::topic) {
            if topic.ended.is_none() {
                *open.entry(topic.group.as_str()).or_default() += 1;
            }
            let next = Key::TopicMessage(topic.group.clone(), topic.id.clone(), topic.next_message).encode();
            let end = Prefix::topic_messages(&topic.group, &topic.id).end();
            if self.rows.range(next..end).next().is_some() {
                return Some(format!("a message of topic {} is beyond its next number", topic.id));
            }
        }
        let counted = self.groups.iter().find(|(id, group)| group.topics != open.get(*id).copied().unwrap_or(0));
        let counted = counted.map(|(id, group)| format!("group {id} counts {} topics", group.topics));
        counted.or_else(|| {
            let lost = open.keys().find(|id| !self.groups.contains_key(*id))?;
            Some(format!("a topic is left of group {lost}, which is not there"))
        })
    }

    /// The log has no gaps after its oldest events, of which those of histories may be all that is kept, and each event is
    /// in its readers' feeds. Feeds of older data also contain events that are
    /// queued for nobody.
    fn log_broken(&self) -> Option<String> {
        let mut last = None;
        let mut is_history = true;
        let (mut expected, mut tolerated) = (BTreeSet::new(), BTreeSet::new());
        for event in self.rows.values().filter_map(Row::event) {
            if !is_history && last.is_some_and(|last| event.sequence != last + 1) {
                return Some(format!("the log lacks an event before {}", event.sequence));
            }
            is_history = is_history && event.number.is_some();
            last = Some(event.sequence);
            if !event.is_queued() {
                tolerated.insert(event.sequence);
            }
            let filed = crate::event::Event::clone(event).filed();
            expected.extend(filed.into_iter().map(|(key, _)| key.encode()).filter(|key| is_feed(key)));
        }
        let is_tolerated = |key: &[u8]| {
            let number = key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
            number.is_some_and(|number| tolerated.contains(&number))
        };
        let found: BTreeSet<Vec<u8>> =
            self.rows.keys().filter(|key| is_feed(key) && !is_tolerated(key)).cloned().collect();
        (found != expected).then(|| "the feeds do not agree with the log".to_owned())
    }
}

/// The index rows that follow from one row.
fn expect_places(row: &Row, expected: &mut BTreeMap<Vec<u8>, Row>) {
    let mut lead = |key: Key, row: Row| drop(expected.insert(key.encode(), row));
    match row {
        Row::Group(group) => {
            let to_group = Row::ToGroup(Arc::new(group.id.clone()));
            lead(Key::Created(group.created, group.id.clone()), to_group.clone());
            if group.policy.is_open_to_requests() {
                lead(Key::Discoverable(group.created, group.id.clone()), to_group.clone());
            }
            for user in &group.appointed {
                lead(Key::Appointed(user.clone(), group.id.clone()), to_group.clone());
            }
            if group.all_muted {
                lead(Key::AllMuted(group.id.clone()), to_group);
            }
        }
        Row::Tombstone(past) if past.all_muted => {
            lead(Key::AllMuted(past.group.clone()), Row::ToGroup(Arc::new(past.group.clone())));
        }
        Row::Member(member) => {
            let (group, user) = (&member.group, &member.user);
            let to_group = Row::ToGroup(Arc::new(group.clone()));
            lead(Key::Member(group.clone(), user.clone()), row.clone());
            lead(Key::Seat(group.clone(), member.seat), row.clone());
            lead(Key::Joined(user.clone(), member.joined, group.clone()), to_group.clone());
            for mark in member.marks.keys() {
                let place = Key::Marked(group.clone(), u64::from(*mark), member.seat);
                lead(place, Row::ToUser(Arc::new(user.clone())));
            }
            match member.role {
                Role::Admin => lead(Key::Admin(group.clone(), user.clone()), Row::ToUser(Arc::new(user.clone()))),
                Role::Owner => lead(Key::Owned(user.clone(), group.clone()), to_group),
                Role::Member => {}
            }
        }
        Row::Request(request) => {
            let inviter = request.inviter.as_ref().map_or_else(String::new, |user| user.as_str().to_owned());
            lead(Key::Request(request.group.clone(), request.user.clone(), inviter.clone()), row.clone());
            lead(Key::RequestOf(request.user.clone(), request.group.clone(), inviter), row.clone());
        }
        Row::Message(message) => {
            let place = Row::ToMessage(Arc::new((message.group.clone(), message.sequence)));
            lead(Key::MessageById(message.id.clone()), place);
        }
        Row::User(user) => {
            let to_user = Row::ToUser(Arc::new(user.id.clone()));
            lead(Key::UserCreated(user.created, user.id.clone()), to_user);
            let folded = Key::Folded(user.id.folded()).encode();
            let mut alike = expected.get(&folded).and_then(Row::to_users).map(|users| Vec::clone(users));
            let mut alike = alike.take().unwrap_or_default();
            alike.push(user.id.clone());
            expected.insert(folded, Row::ToUsers(Arc::new(alike)));
        }
        _ => {}
    }
}

/// The tables whose whole content follows from other rows.
fn expected_tables() -> Vec<Prefix> {
    Prefix::derived()
}

/// Equal, but for the order in which accounts came to fold alike.
fn alike(wanted: &Row, found: &Row) -> bool {
    match (wanted.to_users(), found.to_users()) {
        (Some(wanted), Some(found)) => {
            let set = |users: &[UserId]| users.iter().cloned().collect::<BTreeSet<_>>();
            wanted.len() == found.len() && set(wanted) == set(found)
        }
        _ => wanted == found,
    }
}

/// The first text of a key: for what hangs on a group, the group's id.
fn first_text(key: &[u8]) -> String {
    let text = key.iter().skip(1).take_while(|byte| **byte != 0).copied().collect();
    String::from_utf8(text).unwrap_or_default()
}

fn is_feed(key: &[u8]) -> bool {
    Prefix::feeds().iter().any(|feed| table(feed, key))
}

/// The first thing that is wrong with a group and its members, if any.
pub fn broken<'m>(group: &Group, members: impl IntoIterator<Item = &'m Member>) -> Option<String> {
    let (mut count, mut admins, mut owners) = (0_u32, 0_u32, 0_u32);
    let mut last_seat = None;
    let mut marks: BTreeMap<u32, u32> = BTreeMap::new();
    for member in members {
        count += 1;
        for mark in member.marks.keys() {
            *marks.entry(*mark).or_default() += 1;
        }
        if member.role == Role::Member && group.appointed.contains(&member.user) {
            return Some(format!("{} is appointed and in, but no admin", member.user));
        }
        match member.role {
            Role::Owner if group.is_owned_by(&member.user) => owners += 1,
            Role::Owner => return Some(format!("{} is owner by role but not by header", member.user)),
            Role::Admin => admins += 1,
            Role::Member => {}
        }
        if member.group != group.id {
            return Some(format!("{} is a member of another group", member.user));
        }
        if last_seat.is_some_and(|last| last >= member.seat) {
            return Some(format!("{} has seat {} out of order", member.user, member.seat));
        }
        last_seat = Some(member.seat);
    }
    if marks != group.marks {
        return Some(format!("the header counts marks {:?}, there are {marks:?}", group.marks));
    }
    if count != group.members {
        return Some(format!("the header counts {} members, there are {count}", group.members));
    }
    if admins != group.admins {
        return Some(format!("the header counts {} admins, there are {admins}", group.admins));
    }
    if owners != u32::from(group.owner.is_some()) {
        return Some("the owner is not a member".to_owned());
    }
    if !group.governed && (owners > 0 || admins > 0) {
        return Some("a group without roles has members with roles".to_owned());
    }
    header_broken(group)
}

/// The first contradiction within a header, if any.
pub fn header_broken(group: &Group) -> Option<String> {
    if group.policy.capacity.is_some_and(|capacity| group.members > capacity) {
        return Some(format!("{} members are over the capacity", group.members));
    }
    if group.admins > group.members {
        return Some("more admins than members".to_owned());
    }
    if group.first_message == 0 || group.next_message < group.first_message {
        return Some("messages are numbered from 1, or from where an earlier group of the id stopped".to_owned());
    }
    if group.announcement.as_ref().is_some_and(|announcement| announcement.text.is_empty()) {
        return Some("an empty announcement is no announcement".to_owned());
    }
    None
}
