//! Every topic is answered within bounds, whatever a client sends.

use proptest::prelude::*;

use super::*;

#[tokio::test]
async fn messages_asked_for_by_id_come_once_and_no_more_than_one_answer_holds() {
    let (groups, mut session) = house().await;
    let (group, alice) = (GroupId::new("g1").unwrap(), UserId::new("alice").unwrap());
    let create = CreateGroup { id: Some(group.clone()), ..CreateGroup::new(Some(alice), Policy::standard()) };
    groups.run(&Actor::app(), create).await.unwrap();
    let up = |n: usize| UpStreamMessage {
        session_id: 3,
        classname: "RC:TxtMsg".to_owned(),
        content: format!(r#"{{"content":"{n}{}"}}"#, "x".repeat(100_000)),
        ..UpStreamMessage::default()
    };
    for n in 0..10 {
        said(&mut session, framed(0x32, "pgMsgP", "g1", &up(n).encode_to_vec())).await;
    }
    let history = HistoryMsgInput { target_id: Some("g1".to_owned()), count: Some(100), ..HistoryMsgInput::default() };
    let answers = said(&mut session, framed(0x50, "qryGMsg", "alice", &history.encode_to_vec())).await;
    let ids: Vec<String> =
        HistoryMsgOuput::decode(&answers[0][9..]).unwrap().list.into_iter().filter_map(|sent| sent.msg_id).collect();
    let mut ask = async |ids: Vec<&String>| {
        let query = ids.into_iter().map(|id| MessageQueryInfo { msg_uid: id.clone() }).collect();
        let body = MsgQuery { target_id: "g1".to_owned(), kind: 3, query }.encode_to_vec();
        let answers = said(&mut session, framed(0x50, "qryMsg", "alice", &body)).await;
        (answers[0].len(), MsgQueryAck::decode(&answers[0][9..]).unwrap().list.len())
    };
    let (bytes, found) = ask(vec![&ids[0]; 100]).await;
    assert!(found == 1 && bytes < 110_000, "{found} messages in {bytes} bytes");
    let (bytes, found) = ask(ids.iter().collect()).await;
    assert!(found >= 1 && bytes < 600_000, "{found} messages in {bytes} bytes");
}

/// A field of a protobuf message with this content.
fn field(number: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_key(u32::try_from(number).unwrap(), prost::encoding::WireType::LengthDelimited, &mut bytes);
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}

#[tokio::test]
async fn no_field_of_any_question_or_message_leaves_much_behind() {
    let (groups, mut session) = house().await;
    let (group, alice) = (GroupId::new("g1").unwrap(), UserId::new("alice").unwrap());
    let create = CreateGroup { id: Some(group.clone()), ..CreateGroup::new(Some(alice), Policy::standard()) };
    groups.run(&Actor::app(), create).await.unwrap();
    let good = b"\x0a\x02g1\x10\x03\x1a\x08\x08\x01\x10\x01\x18\x00\x20\x01\x28\x01".to_vec();
    let message = UpStreamMessage {
        session_id: 67,
        classname: "RC:TxtMsg".to_owned(),
        content: r#"{"content":"hi"}"#.to_owned(),
        ..UpStreamMessage::default()
    };
    let long = vec![b'x'; 1 << 20];
    for number in 1..=27 {
        let pair = [field(1, b"k"), field(2, &long)].concat();
        for content in [
            field(number, &long),
            field(number, &pair),
            field(number, &field(1, &long)),
            field(number, b"u").repeat(20_000),
        ] {
            // the group has to exist until the end
            for topic in topics::QUESTIONS.iter().filter(|topic| **topic != "channelDismiss") {
                let body = [good.clone(), content.clone()].concat();
                let answers = said(&mut session, framed(0x50, topic, "g1", &body)).await;
                assert!(answers.iter().map(Bytes::len).sum::<usize>() < 64 * 1024, "{topic} {number}");
            }
            for topic in topics::MESSAGES {
                let body = [message.encode_to_vec(), content.clone()].concat();
                let answers = said(&mut session, framed(0x32, topic, "g1", &body)).await;
                assert!(answers.iter().map(Bytes::len).sum::<usize>() < 64 * 1024, "{topic} {number}");
            }
        }
    }
    let mut after = 0;
    loop {
        let page =
            Messages { group: group.clone(), start: Start::Sequence(after + 1), newest_first: false, limit: 100 };
        let page = groups.ask(&Actor::app(), page).await.unwrap();
        for sent in &page.messages {
            let bytes = serde_json::to_string(&**sent).unwrap().len();
            assert!(bytes < 300 * 1024, "message {} has {bytes} bytes", sent.sequence);
            after = sent.sequence;
        }
        if page.next.is_none() || page.messages.is_empty() {
            return;
        }
    }
}

fn read_as_everything(body: &[u8]) {
    let _ = ChannelsInput::decode(body);
    let _ = ChannelsMemberResponseInput::decode(body);
    let _ = ChannelsMemberUpdateInput::decode(body);
    let _ = ChannelsMembersInput::decode(body);
    let _ = ChannelsQueryInput::decode(body);
    let _ = HistoryMsgInput::decode(body);
    let _ = ModifyChannelsInput::decode(body);
    let _ = MultiChannels::decode(body);
    let _ = QueryMsgChange::decode(body);
    let _ = RelationDelBatchReq::decode(body);
    let _ = RelationQryInput::decode(body);
    let _ = SyncRequestMsg::decode(body);
    let _ = UpStreamMessage::decode(body);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes = Bytes::from(bytes);
        if let Ok(Incoming::Query(request) | Incoming::Publish(request)) = Incoming::decode(&bytes) {
            // the decoded body is not longer than the frame
            prop_assert!(request.body.len() < bytes.len());
            prop_assert!(request.topic.chars().count() + request.target.chars().count() <= bytes.len());
        }
        read_as_everything(&bytes);
    }

    #[test]
    fn any_question_is_answered_once(
        topic in prop::sample::select([topics::QUESTIONS, &["unknown", ""]].concat()),
        body in prop::collection::vec(any::<u8>(), 0..200),
        changed in prop::option::of((0..40_usize, any::<u8>())),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut session = session().await;
            // a valid message with one changed byte is decoded further than random bytes
            let body = match changed {
                None => body,
                Some((at, byte)) => {
                    let mut good = b"\x0a\x02g1\x10\x03\x1a\x08\x08\x01\x10\x01\x18\x00\x20\x01\x22\x03bob\x32\x03bob".to_vec();
                    let at = at % good.len();
                    good[at] = byte;
                    good
                }
            };
            let answers = said(&mut session, framed(0x50, topic, "g1", &body)).await;
            assert_eq!(answers.len(), 1, "{topic}");
            assert_eq!(&answers[0][..3], b"\x62\x00\x09", "{topic}");
            let answers = said(&mut session, framed(0x32, "pgMsgP", "g1", &body)).await;
            assert_eq!((answers.len(), &answers[0][..3]), (1, &b"\x40\x00\x09"[..]));
        });
    }
}

/// Longest data that a session sends at once to a client of a group of two.
const LONGEST_ANSWER: usize = 64 * 1024;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A whole conversation with some damaged bytes, in one session with a group: each frame gets at most one reply of
    /// limited size, and the session continues or ends properly.
    #[test]
    fn a_garbled_conversation_does_no_harm(
        garbled in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut frames: Vec<Vec<u8>> = captured()
                .into_iter()
                .filter(|(_, sender, _)| sender == "client")
                .map(|(_, _, bytes)| bytes.to_vec())
                .collect();
            for (frame, byte, value) in &garbled {
                let frame = frame.get_mut(&mut frames);
                let at = byte.index(frame.len());
                frame[at] = *value;
            }
            let mut session = session().await;
            let make = ChannelsInput {
                target_id: Some("g1".to_owned()),
                setting_profile: vec![ProfileInfo::new("name", "First")],
                users: vec!["bob".to_owned()],
                ..ChannelsInput::default()
            };
            let made = said(&mut session, framed(0x50, "channelCreate", "g1", &make.encode_to_vec())).await;
            assert_eq!((&made[0][..3], &made[0][7..9]), (&b"\x62\x00\x09"[..], &[0, 0][..]));
            for frame in frames {
                let answers = said(&mut session, frame.into()).await;
                let ends = session.is_closed;
                assert!(answers.len() <= 1 && answers.iter().all(|answer| answer.len() <= LONGEST_ANSWER));
                if ends {
                    return;
                }
            }
            // it still replies
            assert_eq!(said(&mut session, Bytes::from_static(b"\xc0")).await, [Bytes::from_static(b"\xd0")]);
        });
    }
}

#[tokio::test]
async fn every_topic_that_is_named_is_answered_and_no_other() {
    for topic in topics::QUESTIONS.iter().copied().chain(["unknown"]) {
        let mut session = session().await;
        let answers = said(&mut session, framed(0x50, topic, "g1", &[])).await;
        let status = u16::from_be_bytes([answers[0][7], answers[0][8]]);
        assert_eq!(status == 20606, topic == "unknown", "{topic} is answered {status}");
    }
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection() {
    for bytes in [vec![], vec![0x10, 0], vec![0x50, 0xFF, 0xFF], vec![0xC0; LONGEST + 1]] {
        let mut session = session().await;
        assert_eq!(said(&mut session, bytes.into()).await, [frame::disconnect(2)]);
        assert!(session.is_closed);
    }
}
