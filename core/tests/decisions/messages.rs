//! Messages: sent, imported, changed, recalled, deleted, read.

use std::collections::BTreeMap;

use conclave_core::model::{Body, Labels, Mention, Millis, Policy, Sender, Settings, Traits};
use conclave_core::operation::{
    Broadcast, ChangeMessage, DeleteMessagesBySender, DropMessage, ExtensionChange, GiveNotice, ImportMessages,
    OldMessage, PinMessage, ReadMessages, RecallMessages, SendMessage, SpeakCheck, WriteExtensions,
};

use crate::common::{group, text, user, users};
use crate::recorder::decisions;

#[test]
fn sending() {
    decisions("send_message", Policy::standard(), async |record| {
        let _ = record.user("dan", "speaks, a stranger", text("dan", "hello")).await;
        let _ = record.user("cy", "speaks as ben", text("ben", "hello")).await;
        let _ = record.user("cy", "speaks", text("cy", "hello")).await;
        let once = |words: &str| SendMessage { token: Some("t1".to_owned()), ..text("cy", words) };
        let _ = record.user("cy", "speaks with a token", once("once")).await;
        let _ = record.user("cy", "repeats the token", once("twice")).await;
        record.world.step(Settings::default().dedupe_window);
        let _ = record.user("cy", "uses the token much later", once("later")).await;
        let secret =
            |names: &[&str]| SendMessage { targets: users(names), most_targets: Some(2), ..text("cy", "psst") };
        let _ = record.user("cy", "whispers to too many", secret(&["ann", "ben", "eve"])).await;
        let _ = record.user("cy", "whispers to strangers", secret(&["dan"])).await;
        let _ = record.user("cy", "whispers to eve and a stranger", secret(&["eve", "dan"])).await;
        let passing = SendMessage { stored: false, ..text("cy", "typing") };
        let _ = record.user("cy", "sends what is not stored", passing).await;
        let all = SendMessage {
            mention: Some(Mention::All),
            counted: false,
            shown_last: false,
            traits: Traits { extensible: true, receipts: true, ..Traits::default() },
            extensions: BTreeMap::from([("like".to_owned(), "1".to_owned())]),
            labels: Labels::from([("x:raw".to_owned(), "{}".to_owned())]),
            ..text("cy", "all options")
        };
        let _ = record.user("cy", "speaks with all options", all).await;
        let app = SendMessage::new(group("g"), Sender::App, Body::Text("from the app".to_owned()));
        let _ = record.user("cy", "speaks as the app", app.clone()).await;
        let _ = record.app("speaks", app).await;
        let _ = record.app("speaks as a stranger", text("dan", "hello")).await;
        let unchecked = SendMessage { check: SpeakCheck::Skipped, ..text("dan", "hello") };
        let _ = record.user("dan", "skips the check", unchecked.clone()).await;
        let _ = record.app("skips the check for a stranger", unchecked).await;
        let drop = DropMessage { message: text("cy", "too much") };
        let _ = record.app("drops a message", drop).await;
    });
}

#[test]
fn without_history() {
    decisions("send_without_history", Policy { history: false, ..Policy::standard() }, async |record| {
        let _ = record.user("cy", "speaks", text("cy", "hello")).await;
        let change = ChangeMessage {
            group: group("g"),
            sequence: 1,
            body: Some(Body::Text("other".to_owned())),
            labels: BTreeMap::new(),
            edits: None,
        };
        let _ = record.user("cy", "changes it", change).await;
    });
}

#[test]
fn importing() {
    decisions("import_messages", Policy::standard(), async |record| {
        let old = |at: u64, words: &str| OldMessage {
            sender: Sender::User(user("dan")),
            at: Millis(at),
            body: Body::Text(words.to_owned()),
            labels: Labels::new(),
        };
        let now = record.world.now().0;
        let import = |messages| ImportMessages { group: group("g"), messages };
        let _ = record.user("ann", "imports", import(vec![old(now, "a")])).await;
        let mixed = vec![old(now, "a"), old(now + 60_000, "future"), old(now - 1, "before a"), old(now, "b")];
        let _ = record.app("imports", import(mixed)).await;
        let _ = record.app("imports what is too old", import(vec![old(1, "c")])).await;
    });
}

#[test]
fn changing_and_recalling() {
    decisions("change_and_recall", Policy::standard(), async |record| {
        record.world.run(&crate::common::by("cy"), text("cy", "one")).await.unwrap();
        record.world.run(&crate::common::by("cy"), text("cy", "two")).await.unwrap();
        record.world.run(&crate::common::by("eve"), text("eve", "three")).await.unwrap();
        let change = |sequence, words: &str| ChangeMessage {
            group: group("g"),
            sequence,
            body: Some(Body::Text(words.to_owned())),
            labels: BTreeMap::from([("x:edit".to_owned(), Some("1".to_owned()))]),
            edits: None,
        };
        let first = record.world.ask(conclave_core::query::GroupById { group: group("g") }).await.unwrap();
        let last = first.group.next_message - 1;
        let _ = record.user("eve", "changes cy's", change(last - 1, "other")).await;
        let _ = record.user("cy", "changes", change(last - 1, "other")).await;
        let _ = record.user("cy", "changes to the same", change(last - 1, "other")).await;
        let _ = record.app("changes", change(last - 1, "by the app")).await;
        let _ = record.user("cy", "changes what is not there", change(last + 1, "other")).await;
        let recall = |sequences: &[u64]| RecallMessages {
            group: group("g"),
            sequences: sequences.to_vec(),
            reason: "sorry".to_owned(),
        };
        let _ =
            record.user("cy", "recalls own, another's and none", recall(&[last - 1, last, last + 1, last - 1])).await;
        let _ = record.user("dan", "recalls, a stranger", recall(&[last])).await;
        let _ = record.user("cy", "changes the recalled", change(last - 1, "again")).await;
        record.world.step(Settings::default().recall_window);
        let _ = record.user("eve", "recalls at the last moment or too late", recall(&[last])).await;
        let _ = record.app("recalls", recall(&[last])).await;
        let delete = |sender: &str| DeleteMessagesBySender { group: group("g"), sender: user(sender), among: 10 };
        let _ = record.user("ann", "deletes cy's", delete("cy")).await;
        let _ = record.app("deletes cy's", delete("cy")).await;
        let _ = record.app("deletes cy's again", delete("cy")).await;
    });
}

#[test]
fn receipts_and_extensions() {
    decisions("receipts_and_extensions", Policy::standard(), async |record| {
        let traits = Traits { extensible: true, receipts: true, ..Traits::default() };
        let sent = record.world.run(&crate::common::by("cy"), SendMessage { traits, ..text("cy", "read me") }).await;
        let plain = record.world.run(&crate::common::by("cy"), text("cy", "plain")).await.unwrap().message.sequence;
        let number = sent.unwrap().message.sequence;
        let read = |name: &str, sequences: &[u64], most_members| ReadMessages {
            group: group("g"),
            user: user(name),
            sequences: sequences.to_vec(),
            note: "ok".to_owned(),
            most_members,
        };
        let _ = record.user("eve", "reads for ben", read("ben", &[number], None)).await;
        let _ = record.user("dan", "reads, a stranger", read("dan", &[number], None)).await;
        let _ = record.user("eve", "reads one without receipts", read("eve", &[number, plain], None)).await;
        let _ = record.user("eve", "reads in a group that is too large", read("eve", &[number], Some(3))).await;
        let _ = record.user("eve", "reads", read("eve", &[number, number], Some(4))).await;
        let _ = record.user("eve", "reads again", read("eve", &[number], None)).await;
        let _ = record.user("cy", "reads her own", read("cy", &[number], None)).await;
        let change = |key: &str, value: Option<&str>, seen| ExtensionChange {
            key: key.to_owned(),
            value: value.map(str::to_owned),
            seen,
        };
        let write = |sequence, clear, changes: Vec<ExtensionChange>| WriteExtensions {
            group: group("g"),
            sequence,
            clear,
            changes,
            most: Some(2),
            check: SpeakCheck::Skipped,
        };
        let one = || vec![change("a", Some("1"), Some(0))];
        let _ = record.user("dan", "extends, a stranger", write(number, false, one())).await;
        let _ = record.user("eve", "extends a plain message", write(plain, false, one())).await;
        let _ = record.user("eve", "extends", write(number, false, one())).await;
        let stale = vec![change("a", Some("2"), Some(0)), change("b", Some("2"), None), change("c", Some("3"), None)];
        let _ = record.user("eve", "extends with a stale version and one too many", write(number, false, stale)).await;
        let _ = record.user("eve", "writes the same", write(number, false, vec![change("z", None, None)])).await;
        let _ = record.user("eve", "removes one", write(number, false, vec![change("a", None, None)])).await;
        let _ = record.user("eve", "replaces all", write(number, true, vec![change("d", Some("4"), None)])).await;
    });
}

#[test]
fn notices_and_broadcasts() {
    decisions("notices_and_broadcasts", Policy::standard(), async |record| {
        let notice =
            |names: &[&str]| GiveNotice { group: group("g"), content: "news".to_owned(), targets: users(names) };
        let _ = record.user("ann", "sends a notice", notice(&[])).await;
        let _ = record.app("sends a notice to all", notice(&[])).await;
        let _ = record.app("sends a notice to eve and a stranger", notice(&["eve", "dan", "eve"])).await;
        let _ = record.app("sends a notice to strangers", notice(&["dan"])).await;
        let broadcast = |token: &str, groups: &[&str]| Broadcast {
            groups: groups.iter().map(|id| group(id)).collect(),
            sender: Sender::App,
            body: Body::Text("all".to_owned()),
            token: token.to_owned(),
            labels: Labels::new(),
            part: None,
            next: None,
        };
        let _ = record.user("ann", "broadcasts", broadcast("b1", &["g"])).await;
        let _ = record.app("broadcasts", broadcast("b1", &["g", "x"])).await;
        let _ = record.app("broadcasts again", broadcast("b1", &["g"])).await;
        let _ = record.app("broadcasts anew", broadcast("b2", &["g"])).await;
    });
}

#[test]
fn pinning() {
    decisions("pin_message", Policy::standard(), async |record| {
        for words in ["one", "two"] {
            record.world.run(&crate::common::by("cy"), text("cy", words)).await.unwrap();
        }
        let header = record.world.ask(conclave_core::query::GroupById { group: group("g") }).await.unwrap().group;
        let last = header.next_message - 1;
        let pin = |sequence, pinned| PinMessage { group: group("g"), sequence, pinned, most: 1 };
        let _ = record.user("cy", "pins", pin(last, true)).await;
        let _ = record.user("cy", "pins the same", pin(last, true)).await;
        let _ = record.user("cy", "pins one too many", pin(last - 1, true)).await;
        let _ = record.user("cy", "pins what is not there", pin(last + 1, true)).await;
        let _ = record.user("dan", "unpins, a stranger", pin(last, false)).await;
        let _ = record.app("unpins", pin(last, false)).await;
        let _ = record.app("unpins the same", pin(last, false)).await;
    });
}
