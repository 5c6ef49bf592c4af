//! Read marks and devices.

use conclave_core::model::{DeviceId, Policy, Queue};
use conclave_core::operation::{Acknowledge, Begin, MarkRead, OpenDevice, SetUnread};

use crate::common::{by, group, text, user};
use crate::recorder::decisions;

#[test]
fn read_marks() {
    decisions("read_marks", Policy::standard(), async |record| {
        for words in ["one", "two", "three"] {
            record.world.run(&by("cy"), text("cy", words)).await.unwrap();
        }
        let read = |name: &str, sequence| MarkRead { group: group("g"), user: user(name), sequence };
        let _ = record.user("eve", "reads for ben", read("ben", 2)).await;
        let _ = record.user("dan", "reads, a stranger", read("dan", 2)).await;
        let _ = record.user("eve", "reads two", read("eve", 2)).await;
        let _ = record.user("eve", "reads two again", read("eve", 2)).await;
        let _ = record.user("eve", "reads back", read("eve", 1)).await;
        let _ = record.user("eve", "reads beyond the end", read("eve", 1000)).await;
        let unread = |name: &str, count| SetUnread { group: group("g"), users: vec![(user(name), count)] };
        let _ = record.user("eve", "sets unread", unread("eve", 1)).await;
        let _ = record.app("sets one unread", unread("eve", 1)).await;
        let _ = record.app("sets the same", unread("eve", 1)).await;
        let _ = record.app("sets more unread than there are", unread("eve", 1000)).await;
        let _ = record.app("sets a stranger's", unread("dan", 1)).await;
    });
}

#[test]
fn devices() {
    decisions("devices", Policy::standard(), async |record| {
        let device = |id: &str| DeviceId::new("x", id);
        let open = |name: &str, id: &str, begin| OpenDevice { user: user(name), device: device(id), begin };
        let _ = record.user("eve", "opens cy's device", open("cy", "one", Begin::Now)).await;
        let _ = record.app("opens a device of nobody", open("nobody", "one", Begin::Now)).await;
        let _ = record.user("cy", "opens a device", open("cy", "one", Begin::Now)).await;
        let _ = record.user("cy", "opens it again", open("cy", "one", Begin::After(0))).await;
        let _ = record.user("cy", "opens another from an event on", open("cy", "two", Begin::After(2))).await;
        let done = |id: &str, queue, after| Acknowledge::new(user("cy"), device(id), queue, after);
        let _ = record.user("eve", "acknowledges for cy", done("one", Queue::Own, 3)).await;
        let _ = record.user("cy", "acknowledges her own queue", done("one", Queue::Own, 1000)).await;
        let _ = record.user("cy", "acknowledges less", done("one", Queue::Own, 1)).await;
        let _ = record.user("cy", "acknowledges a group's", done("two", Queue::Group(group("g")), 4)).await;
        let back = Acknowledge { back: true, stamp: 7, ..done("two", Queue::Group(group("g")), 3) };
        let _ = record.user("cy", "moves back", back).await;
        let _ = record.user("cy", "opens a third where the others are", open("cy", "three", Begin::Furthest)).await;
        let _ = record.user("cy", "acknowledges with a new device", done("four", Queue::All("e".to_owned()), 2)).await;
        let _ = record.user("eve", "opens her first from an event on", open("eve", "one", Begin::FurthestOr(2))).await;
    });
}
