//! Clients that send what no SDK sends, and events of unusual size: nothing panics, nothing grows, nothing is lost.

use conclave_core::operation::{AddMembers, OnBlocked, OnFull, OnMember, OnUnknown, Quiet};
use proptest::prelude::*;

use super::*;

/// Most bytes that the engine may return for one small frame.
const ANSWER: usize = 64 * 1024;

fn sent_to(group: &str, payload: Vec<u8>) -> Meta {
    let to = Jid {
        app_key: Some("mockorg#mockapp".to_owned()),
        name: Some(group.to_owned()),
        domain: Some("conference.easemob.com".to_owned()),
        client_resource: None,
    };
    Meta { id: Some(7), to: Some(to), ns: Some(ns::CHAT), payload: Some(payload.into()), ..Meta::default() }
}

fn sync_up(meta: Meta) -> Frame {
    frame(command::SYNC, &CommSyncUl { meta: Some(meta), key: None, queue: None })
}

/// A frame of any command whose payload is what it should be, of another command, or no protobuf at all.
fn any_frame() -> impl Strategy<Value = Frame> {
    let name = prop_oneof![Just("g".to_owned()), Just("ann@easemob.com".to_owned()), ".{0,40}"];
    let queue = (name.clone(), any::<bool>(), any::<Option<u64>>())
        .prop_map(|(name, is_group, key)| queue(&name, is_group, key));
    let body = (any::<i32>(), any::<Option<u64>>(), ".{0,200}", any::<i32>()).prop_map(|(kind, id, text, content)| {
        let contents = vec![Content { r#type: Some(content % 9), text: Some(text), ..Content::default() }];
        MessageBody {
            r#type: Some(kind % 10),
            contents,
            ack_message_id: id,
            edit_message_id: id,
            ..MessageBody::default()
        }
        .encode_to_vec()
    });
    let payload = prop_oneof![body, proptest::collection::vec(any::<u8>(), 0..400)];
    let meta = (payload, name, any::<i32>(), any::<u64>(), proptest::collection::vec(".{0,20}", 0..30));
    let meta = meta.prop_map(|(payload, group, ns, id, directed_users)| {
        let known = prop_ns(ns);
        sync_up(Meta { id: Some(id), ns: Some(known), directed_users, ..sent_to(&group, payload) })
    });
    let raw = (any::<Option<i32>>(), proptest::collection::vec(any::<u8>(), 0..400)).prop_map(|(command, payload)| {
        let command = command.map(|command| command % 6);
        let frame = MSync { command, payload: Some(payload.into()), ..MSync::default() };
        Frame::binary(frame.encode_to_vec())
    });
    prop_oneof![
        3 => queue,
        3 => meta,
        1 => raw,
        1 => Just(unread()),
        1 => proptest::collection::vec(any::<u8>(), 0..400).prop_map(Frame::binary),
    ]
}

/// Half of them messages.
fn prop_ns(ns: i32) -> i32 {
    if ns % 2 == 0 { ns::CHAT } else { ns % 8 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever a signed-in client sends, the engine goes on or closes the connection, and its replies are small.
    #[test]
    fn any_frames_are_answered_or_refused(frames in proptest::collection::vec(any_frame(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let house = house().await;
            house.group().await;
            let mut session = house.session("ann").await;
            for frame in frames {
                if session.is_closed {
                    assert!(session.receive(frame).await.is_empty(), "nothing after the end");
                    continue;
                }
                let asked = frame.bytes().len();
                let bytes: usize = session.receive(frame).await.iter().map(|frame| frame.bytes().len()).sum();
                assert!(bytes <= ANSWER + asked, "{bytes} bytes for {asked}");
            }
        });
    }

    /// The same before signing in: nothing is answered but a refusal.
    #[test]
    fn any_frames_of_a_stranger_reach_nothing(frames in proptest::collection::vec(any_frame(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let house = house().await;
            house.group().await;
            let (mut session, _) = TestSession::open(house.open()).await;
            for frame in frames {
                for sent in session.receive(frame).await {
                    let sent = read(&sent);
                    assert!(sent.starts_with("provision ") || sent.starts_with("command 4"), "{sent}");
                    assert!(!sent.starts_with("provision 0"), "{sent}");
                }
            }
            assert!(session.identity.is_none());
        });
    }
}

#[tokio::test]
async fn a_second_sign_in_on_one_connection_replaces_the_first() {
    let house = house().await;
    house.group().await;
    let mut session = house.session("ann").await;
    // as another user, with that user's token: the connection is that user's from then on
    let sent = answers(&mut session, House::provision("ben", &house.token("ben"), "tablet")).await;
    assert_eq!(sent, [r#"provision 0 Some("tablet")"#]);
    assert_eq!(session.identity.as_ref().unwrap().user, user("ben"));
    assert_eq!(answers(&mut session, unread()).await, ["unread [ben@easemob.com:1]"]);
    // the first user's own queue is no longer readable
    let sent = answers(&mut session, queue("ann@easemob.com", false, None)).await;
    assert_eq!(sent, ["ann@easemob.com [] last"]);
    // with a wrong token the connection ends
    let sent = answers(&mut session, House::provision("ann", &house.token("ben"), "phone")).await;
    assert_eq!(sent, ["provision 1 Sorry, token or password does not match login info None"]);
    assert!(session.is_closed);
}

#[tokio::test]
async fn names_that_no_sdk_sends_are_refused_or_replaced() {
    let house = house().await;
    // a resource that is too long, or that would not fit into other frames, is replaced by one of ours
    for resource in ["x".repeat(129), "a\nb".to_owned(), String::new()] {
        let (mut session, _) = TestSession::open(house.open()).await;
        let sent = answers(&mut session, House::provision("ann", &house.token("ann"), &resource)).await;
        assert_eq!(sent, [r#"provision 0 Some("c")"#], "{resource:?}");
    }
    // another app, or none
    for app_key in [None, Some("mockorg"), Some("mockorg#other"), Some("#"), Some("mockorg#mockapp#x")] {
        let guid = Jid { app_key: app_key.map(str::to_owned), name: Some("ann".to_owned()), ..Jid::default() };
        let asked = MSync {
            guid: Some(guid),
            auth: Some(house.token("ann")),
            command: Some(command::PROVISION),
            payload: Some(Provision::default().encode_to_vec().into()),
            ..MSync::default()
        };
        let (mut session, _) = TestSession::open(house.open()).await;
        let sent = answers(&mut session, Frame::binary(asked.encode_to_vec())).await;
        assert_eq!(sent, ["provision 4 Sorry, parameter is invalid None"], "{app_key:?}");
    }
}

#[tokio::test]
async fn items_that_are_no_messages_are_refused() {
    let house = house().await;
    house.group().await;
    let mut ann = house.session("ann").await;
    let text = |kind: i32| Content { r#type: Some(kind), text: Some("hi".to_owned()), ..Content::default() };
    let body = |contents: Vec<Content>| {
        MessageBody { r#type: Some(chat_type::GROUP), contents, ..MessageBody::default() }.encode_to_vec()
    };
    for (payload, expected) in [
        (b"\xff\xff".to_vec(), "sent 7: 4 bad message"),
        // wrong wire types: a number in place of the contents
        (vec![0x20, 0x01], "sent 7: 4 bad message"),
        (body(Vec::new()), "sent 7: 4 bad message"),
        (body(vec![text(99)]), "sent 7: 4 bad message"),
        (body(vec![text(0); 9]), "sent 7: 4 bad message"),
        (body(vec![Content { text: Some("x".repeat(6000)), ..text(0) }]), "sent 7: 7 Sorry, data is too large"),
        (vec![0; 64 * 1024], "sent 7: 7 Sorry, data is too large"),
        (body(vec![text(0)]), "sent 7: 0"),
    ] {
        assert_eq!(answers(&mut ann, sync_up(sent_to("g", payload))).await, [expected]);
    }
    // too many receivers
    let directed_users = (0..1000).map(|number| number.to_string()).collect();
    let meta = Meta { directed_users, ..sent_to("g", body(vec![text(0)])) };
    assert_eq!(answers(&mut ann, sync_up(meta)).await, ["sent 7: 1 limit directed users"]);
}

/// One event about more users than fit into a page of anything: an SDK without lists of members gets an item for each.
#[tokio::test]
async fn an_event_about_thousands_of_users_is_delivered_whole() {
    const COUNT: usize = 5000;
    let house = house().await;
    let group = house.group().await;
    let names: Vec<UserId> = (0..COUNT).map(|number| user(&format!("user{number}"))).collect();
    let users = names.iter().cloned().map(NewUser::of).collect();
    let register = RegisterUsers { users, on_existing: OnExisting::Skip, folded: false };
    house.groups.run(&Actor::app(), register).await.unwrap();
    let token = house.token("ann");
    let mut older = TestSession::open(house.open()).await.0;
    older.receive(House::provision_of("v1.0", "ann", &token, "old")).await;
    older.receive(unread()).await;
    let after = house.groups.last().await.unwrap();
    let add = AddMembers {
        group: group.clone(),
        members: names.into_iter().map(NewMember::now).collect(),
        ask: false,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Refuse,
        on_member: OnMember::Refuse,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: None,
    };
    house.groups.run(&Actor::app(), add).await.unwrap();

    // online: pushed up to the bound of unacknowledged items, and the rest is read
    let mut received = house.deliver(&mut older, after).await;
    assert!(received.len() < 100, "{}", received.len());
    let mut again = TestSession::open(house.open()).await.0;
    again.receive(House::provision_of("v1.0", "ann", &token, "old")).await;
    again.receive(unread()).await;
    received = answers(&mut again, queue("g", true, None)).await;
    let items: usize = received.iter().map(|frame| frame.matches("muc 17").count()).sum();
    assert_eq!(items, COUNT + 1, "and ben, who was there before");
    // lists of members in one item for the others
    let mut newer = house.session("ann").await;
    newer.receive(unread()).await;
    let received = answers(&mut newer, queue("g", true, None)).await;
    assert_eq!(received.iter().map(|frame| frame.matches("muc 17").count()).sum::<usize>(), 2, "{received:?}");
}
