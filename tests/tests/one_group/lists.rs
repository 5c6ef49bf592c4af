//! The last message of each group, as the clients' own lists of conversations have it, and all that are stored.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use conclave_tests::story::Truth;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::clients::Reached;
use crate::together::{Deed, PATIENCE, Player, Work, text, work};

/// A last text in each group, by a member who may speak.
pub(crate) async fn speak_last(
    reached: &Reached,
    players: &[Player],
    truths: &BTreeMap<String, Option<Truth>>,
) -> BTreeMap<String, String> {
    let mut last = BTreeMap::new();
    for (group, truth) in truths {
        let Some(truth) = truth else { continue };
        for player in players.iter().filter(|player| truth.members.contains_key(player.user)) {
            let text = format!("{}, the last in {group}", player.user);
            let todo = Work { deed: Deed::Say, group: group.clone(), other: player.user, text: text.clone() };
            if work(reached, player, &todo).await {
                last.insert(group.clone(), text);
                break;
            }
        }
    }
    assert!(!last.is_empty(), "everybody is muted");
    last
}

/// Waits until a client's list of conversations has the last text of each group of its user.
pub(crate) async fn lists(player: &Player, truths: &BTreeMap<String, Option<Truth>>, last: &BTreeMap<String, String>) {
    let is_member = |group: &str| truths[group].as_ref().is_some_and(|truth| truth.members.contains_key(player.user));
    let wanted: BTreeMap<&str, &str> = last
        .iter()
        .filter(|(group, _)| is_member(group))
        .map(|(group, text)| (group.as_str(), text.as_str()))
        .collect();
    let begun = Instant::now();
    loop {
        let mut shown = conversations(player).await;
        shown.retain(|group, _| wanted.contains_key(group.as_str()));
        if shown.iter().map(|(group, text)| (group.as_str(), text.as_str())).eq(wanted.iter().map(|(g, t)| (*g, *t))) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{} lists {shown:#?}, not {wanted:#?}", player.user);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The conversations of a client's user as the client returns them, with the text of the last message.
async fn conversations(player: &Player) -> BTreeMap<String, String> {
    let page = &player.page;
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    match player.vendor {
        Vendor::Agora => {
            let found = page.call("getServerConversations", json!([{"pageSize": 20, "cursor": ""}])).await;
            let found = rows(&found["data"]["conversations"]).into_iter();
            found.map(|row| (text(&row["conversationId"]), text(&row["lastMessage"]["msg"]))).collect()
        }
        Vendor::Tencent => {
            let found = rows(&page.call("conversations", json!([])).await).into_iter();
            let id = |row: &Value| text(&row["conversationID"]).trim_start_matches("GROUP").to_owned();
            found.map(|row| (id(&row), text(&row["last"]["text"]))).collect()
        }
        Vendor::Rong => {
            let found = page.call("getConversationList", json!([])).await;
            let found = rows(&found["data"]).into_iter();
            found.map(|row| (text(&row["targetId"]), text(&row["latestMessage"]["content"]["content"]))).collect()
        }
    }
}

/// All texts of a group that are stored.
pub(crate) async fn stored(reached: &Reached, group: &str) -> Vec<String> {
    let (mut texts, mut next) = (Vec::new(), None);
    loop {
        let mut body = json!({"GroupId": group, "ReqMsgNumber": 20});
        if let Some(next) = next {
            body["ReqMsgSeq"] = json!(next);
        }
        let page = reached.vendor_apis.tencent.group("group_msg_get_simple", &body).await.expect("messages");
        let list = page["RspMsgList"].as_array().cloned().unwrap_or_default();
        texts.extend(
            list.iter().filter_map(|message| message["MsgBody"][0]["MsgContent"]["Text"].as_str().map(str::to_owned)),
        );
        match list.last().and_then(|message| message["MsgSeq"].as_u64()) {
            Some(last) if last > 1 => next = Some(last - 1),
            _ => return texts,
        }
    }
}
