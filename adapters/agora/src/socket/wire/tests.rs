//! Recorded frames of the SDKs and of the vendor's servers, and invalid frames.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use prost::Message;

use super::*;

/// A recorded frame.
fn captured(name: &str) -> Vec<u8> {
    let path = format!("{}/../../fixtures/agora/socket/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let read: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    hex::decode(read["hex"].as_str().unwrap()).unwrap()
}

/// Decodes a frame and its payload, and encodes both again.
fn round<P: Message + Default>(name: &str) -> (MSync, P) {
    let bytes = captured(name);
    let frame = MSync::decode(&*bytes).unwrap();
    let payload = P::decode(frame.payload.clone().unwrap_or_default()).unwrap();
    assert_eq!(
        payload.encode_to_vec(),
        frame.payload.clone().unwrap_or_default(),
        "the payload is written as it was read"
    );
    assert_eq!(frame.encode_to_vec(), bytes, "the frame is written as it was read");
    (frame, payload)
}

fn group_queue() -> Jid {
    Jid {
        app_key: Some("mockorg#mockapp".to_owned()),
        name: Some("17952919662211".to_owned()),
        domain: Some("conference.easemob.com".to_owned()),
        client_resource: None,
    }
}

#[test]
fn signing_in() {
    let (frame, provision) = round::<Provision>("provision.down");
    assert_eq!(frame.command, Some(command::PROVISION));
    assert_eq!(provision.status, Some(Status { error_code: Some(status::OK), reason: None }));
    assert_eq!(provision.resource.as_deref(), Some("webim_web_devBlnbp7b"));
    let auth = r#"{"token":"$t$YWMtDrF0Cf04XZzgjzxewUF99tNkWYk1Fp9r","expires_in":1795378477968}"#;
    assert_eq!(provision.auth_token.as_deref(), Some(auth));
}

#[test]
fn asking_where_something_waits() {
    let frame = MSync::decode(&*captured("unread.up")).unwrap();
    assert_eq!((frame.command, &*frame.encrypt_type), (Some(command::UNREAD), &[0][..]));
    assert_eq!(frame.encode_to_vec(), captured("unread.up"));
    let (_, unread) = round::<CommUnreadDl>("unread.down.nothing");
    assert_eq!((unread.unread.len(), unread.timestamp), (0, Some(1_795_292_077_988)));
}

#[test]
fn signs_of_life() {
    let (_, sync) = round::<CommSyncUl>("statistic.up");
    let meta = sync.meta.unwrap();
    assert_eq!((meta.id, meta.ns), (Some(1_795_292_077_991), Some(ns::STATISTIC)));
    let body = StatisticsBody::decode(meta.payload.unwrap()).unwrap();
    assert_eq!(body.operation, Some(0));
}

#[test]
fn reading_a_queue() {
    let (frame, notice) = round::<CommNotice>("notice.down");
    assert_eq!((frame.command, notice.queue), (Some(command::NOTICE), Some(group_queue())));
    let (_, asked) = round::<CommSyncUl>("sync.up.queue");
    assert_eq!((asked.queue, asked.key), (Some(group_queue()), None));
    let (_, asked) = round::<CommSyncUl>("sync.up.acknowledged");
    assert_eq!((asked.queue, asked.key), (Some(group_queue()), Some(1_795_291_966_303)));
    let (_, end) = round::<CommSyncDl>("sync.down.end");
    assert_eq!((end.queue, end.is_last, end.metas.len()), (Some(group_queue()), Some(true), 0));
}

#[test]
fn an_event_of_a_group() {
    let (_, sync) = round::<CommSyncDl>("sync.down.direct-joined");
    assert_eq!((sync.next_key, sync.is_last), (Some(1_795_291_966_303), Some(false)));
    let meta = &sync.metas[0];
    assert_eq!((meta.id, meta.ns), (Some(1_882_500_186_005_045_352), Some(ns::MUC)));
    let body = MucBody::decode(meta.payload.clone().unwrap()).unwrap();
    assert_eq!(body.encode_to_vec(), meta.payload.clone().unwrap());
    assert_eq!((body.operation, body.muc_name.as_deref()), (Some(19), Some("e2e group")));
    assert_eq!((body.is_chatroom, body.is_thread), (Some(false), Some(false)));
    assert_eq!(body.to[0].name.as_deref(), Some("ub_lnbp7b"));
}

#[test]
fn a_text_and_what_it_came_to() {
    let (_, sync) = round::<CommSyncUl>("sync.up.text");
    let meta = sync.meta.unwrap();
    assert_eq!((meta.id, meta.to, meta.routetype), (Some(530_309_678_099), Some(group_queue()), Some(route::ALL)));
    let body = MessageBody::decode(meta.payload.clone().unwrap()).unwrap();
    assert_eq!(body.encode_to_vec(), meta.payload.unwrap());
    assert_eq!((body.r#type, body.contents[0].text.as_deref()), (Some(chat_type::GROUP), Some("hello group")));

    let (_, ok) = round::<CommSyncDl>("sync.down.sent");
    assert_eq!((ok.meta_id, ok.server_id), (Some(530_309_678_099), Some(1_882_500_186_067_959_919)));
    let words = |code: i32, reason: &str| Some(Status { error_code: Some(code), reason: Some(reason.to_owned()) });
    let (_, muted) = round::<CommSyncDl>("sync.down.muted");
    assert_eq!(muted.status, words(status::USER_MUTED, "you were muted"));
    let (_, unauthenticated) = round::<CommSyncDl>("sync.down.not-a-member");
    assert_eq!(unauthenticated.status, words(status::FAIL, "not in group or chatroom"));
}

proptest! {
    /// Any input is decoded or refused, and never panics.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let _ = MSync::decode(&*bytes);
        let _ = Provision::decode(&*bytes);
        let _ = CommSyncUl::decode(&*bytes);
        let _ = MessageBody::decode(&*bytes);
    }

    /// The same for damaged valid frames.
    #[test]
    fn a_damaged_frame_is_read_or_refused(at in 0_usize..140, byte in any::<u8>(), cut in 0_usize..140) {
        let mut frame = captured("sync.up.text");
        if let Some(place) = frame.get_mut(at) {
            *place = byte;
        }
        frame.truncate(frame.len().saturating_sub(cut % frame.len()));
        let Ok(frame) = MSync::decode(&*frame) else { return Ok(()) };
        let Ok(sync) = CommSyncUl::decode(frame.payload.unwrap_or_default()) else { return Ok(()) };
        let payload = sync.meta.and_then(|meta| meta.payload).unwrap_or_default();
        let _ = MessageBody::decode(payload);
    }

    /// Counting a field agrees with decoding, and ends for any bytes.
    #[test]
    fn fields_are_counted(count in 0_usize..20, bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let contents = vec![Content::default(); count];
        let body = MessageBody { contents, ack_message_id: Some(7), ..MessageBody::default() };
        prop_assert_eq!(occurrences(&body.encode_to_vec(), 4), count);
        let _ = occurrences(&bytes, 4);
    }

    /// An encoded frame decodes to the same value.
    #[test]
    fn what_is_written_is_read(id in any::<u64>(), text in ".{0,64}", code in any::<i32>(), key in any::<Option<u64>>()) {
        let content = Content { r#type: Some(code), text: Some(text.clone()), ..Content::default() };
        let body = MessageBody { contents: vec![content], ack_message_id: key, ..MessageBody::default() };
        let meta = Meta { id: Some(id), payload: Some(body.encode_to_vec().into()), directed_users: vec![text], ..Meta::default() };
        let sync = CommSyncUl { meta: Some(meta), key, queue: None };
        let read = CommSyncUl::decode(&*sync.encode_to_vec()).unwrap();
        prop_assert_eq!(&read, &sync);
        prop_assert_eq!(MessageBody::decode(read.meta.unwrap().payload.unwrap()).unwrap(), body);
    }
}
