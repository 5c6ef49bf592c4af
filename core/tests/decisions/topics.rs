//! Topics and what is done in them.

use conclave_core::event::ProfileChange;
use conclave_core::model::{Policy, Profile, TopicId, Until};
use conclave_core::operation::{EndTopics, MakeTopic, Mute, RecallMessages, UpdateTopic};
use conclave_core::ports::GroupsExt as _;
use conclave_core::refusal::Refusal;

use crate::common::{by, group, story, text, users};
use crate::recorder::decisions;

fn topic(id: &str) -> TopicId {
    TopicId::new(id).unwrap()
}

#[test]
fn topics() {
    decisions("topics", Policy::standard(), async |record| {
        let make = |id: &str| MakeTopic {
            group: group("g"),
            id: Some(topic(id)),
            prefix: "@".to_owned(),
            profile: Profile { name: "News".to_owned(), ..Profile::default() },
            announcement: String::new(),
            created: None,
        };
        let _ = record.user("cy", "makes a topic", make("t1")).await;
        let _ = record.user("ben", "makes a topic", make("t1")).await;
        let _ = record.user("ben", "makes it again", make("t1")).await;
        let _ = record.app("makes one with an id of its own", MakeTopic { id: None, ..make("t1") }).await;
        let late = record.world.now().plus(60_000);
        let _ = record.app("imports a topic of the future", MakeTopic { created: Some(late), ..make("t2") }).await;
        let now = record.world.now();
        let _ = record.app("imports a topic", MakeTopic { created: Some(now), ..make("t2") }).await;
        let update = |id: &str, all_muted| UpdateTopic {
            group: group("g"),
            topic: topic(id),
            profile: ProfileChange { name: Some("Talk".to_owned()), ..ProfileChange::default() },
            announcement: Some("rules".to_owned()),
            all_muted,
        };
        let _ = record.user("cy", "changes the topic", update("t1", None)).await;
        let _ = record.user("ben", "changes the topic", update("t1", Some(true))).await;
        let _ = record.user("ben", "changes it to the same", update("t1", Some(true))).await;
        let _ = record.user("ben", "changes none", update("t9", None)).await;
        speak(record, "cy", "t1").await;
        let _ = record.user("ben", "unmutes the topic", update("t1", Some(false))).await;
        speak(record, "cy", "t1").await;
        speak(record, "dan", "t1").await;
        speak(record, "cy", "t9").await;
        let mute = Mute {
            group: group("g"),
            users: users(&["cy"]),
            until: Until::Forever,
            members_only: true,
            spare_owner: true,
        };
        record.in_topic("ben", "mutes cy", "t1", mute).await;
        speak(record, "cy", "t1").await;
        speak(record, "cy", "t2").await;
        let recall = RecallMessages { group: group("g"), sequences: vec![1], reason: String::new() };
        record.in_topic("cy", "recalls", "t1", recall).await;
        let end = |ids: &[&str]| EndTopics { group: group("g"), topics: ids.iter().map(|id| topic(id)).collect() };
        let _ = record.user("cy", "ends the topic", end(&["t1"])).await;
        let _ = record.user("ben", "ends the topic twice, and none", end(&["t1", "t1", "t9"])).await;
        speak(record, "ann", "t1").await;
    });
}

async fn speak(record: &mut crate::recorder::Recorder, name: &str, id: &str) {
    record.in_topic(name, "speaks", id, text(name, "hello")).await;
}

#[test]
fn few_operations_are_performed_in_topics() {
    story(Policy::standard(), async |world| {
        let end = EndTopics { group: group("g"), topics: Vec::new() };
        let refusal = world.engine.run_in(&by("ann"), &topic("t"), end).await.unwrap_err();
        assert_eq!(refusal, Refusal::InvalidValue("not possible in a topic"));
    });
}
