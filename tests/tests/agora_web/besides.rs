//! The other requests of apps when they start: conversations and users' info are served; the rest gets empty responses.

use conclave_tests::sdk::driven::Driver;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::stage::{AGORA_CHAT, EASEMOB, Stage};

async fn besides(package: &'static str, sdk: &'static str, coverage: &'static str) {
    let mut stage = Stage::with(package, &["ann", "ben"]).await;
    let data = json!({"groupname": "Talk", "owner": "ann", "members": ["ben"], "public": true, "maxusers": 50});
    let made = stage.api(http::Method::POST, "/chatgroups", Some(data)).await;
    let id = made["data"]["groupid"].as_str().unwrap().to_owned();
    stage.receive(&[("ann", &["create", "memberPresence"]), ("ben", &["directJoined"])]).await;
    for said in ["one", "two"] {
        let text = json!({"chatType": "groupChat", "type": "txt", "to": id, "msg": said});
        stage.does("ann", "say", text, &[("ben", &["onTextMessage"])]).await;
    }

    // the number of unread messages, and marking them as read
    let page = json!({"pageSize": 10, "cursor": ""});
    let of = |answer: &Value| {
        let conversation = &answer["data"]["conversations"][0];
        (conversation["unReadCount"].clone(), conversation["lastMessage"]["msg"].clone())
    };
    let found = stage.does("ben", "getServerConversations", page.clone(), &[]).await;
    assert_eq!(of(&found), (json!(2), json!("two")));
    let found = stage.does("ann", "getServerConversations", page.clone(), &[]).await;
    assert_eq!(of(&found), (json!(0), json!("two")), "nobody's own messages are unread");
    stage.does("ben", "say", json!({"chatType": "groupChat", "type": "channel", "to": id}), &[]).await;
    let found = stage.does("ben", "getServerConversations", page.clone(), &[]).await;
    assert_eq!(of(&found), (json!(0), json!("two")));
    let older = stage.does("ben", "getConversationlist", json!({"pageNum": 1, "pageSize": 10}), &[]).await;
    assert_eq!(older["data"]["channel_infos"][0]["lastMessage"]["msg"], "two");
    stage.does("ben", "getSessionList", json!({}), &[]).await;

    // users' info
    let info = json!({"nickname": "Ann & co", "avatarurl": "http://a/b.png", "sign": "hi"});
    stage.does("ann", "updateUserInfo", info.clone(), &[]).await;
    let found = stage.does("ben", "fetchUserInfoById", json!(["ann", "ghost"]), &[]).await;
    assert_eq!(found["data"], json!({"ann": info}));

    let conversation = json!({"conversationId": id, "conversationType": "groupChat", "pageSize": 5, "cursor": ""});
    for (method, args) in [
        ("getContacts", json!({})),
        ("getAllContacts", json!({})),
        ("getContactsWithCursor", page.clone()),
        ("getBlocklist", json!({})),
        ("getServerPinnedConversations", page.clone()),
        ("getServerConversationsByFilter", json!({"pageSize": 5, "cursor": "", "filter": {"mark": 0}})),
        ("getServerPinnedMessages", conversation),
        ("getReactionlist", json!({"chatType": "groupChat", "messageId": "7", "groupId": id})),
        ("getChatThreads", json!({"parentId": id, "pageSize": 5, "cursor": ""})),
        ("getJoinedChatThreads", json!({"parentId": id, "pageSize": 5, "cursor": ""})),
        ("getSubscribedPresenceList", json!({"pageNum": 1, "pageSize": 5})),
        ("getSilentModeForAll", json!({})),
        ("getSilentModeForConversation", json!({"conversationId": id, "type": "groupChat"})),
        ("getSilentModeForConversations", json!({"conversationList": [{"id": id, "type": "groupChat"}]})),
        ("getSilentModeRemindTypeConversations", json!({"pageSize": 5})),
        ("getSupportedLanguages", json!({})),
        ("getChatRooms", json!({"pagenum": 1, "pagesize": 5})),
        ("getJoinedChatRooms", json!({"pageNum": 1, "pageSize": 5})),
    ] {
        stage.does("ben", method, args, &[]).await;
    }
    insta::assert_json_snapshot!(format!("{package}-besides"), stage.records().await);
    Driver::new(Vendor::Agora, sdk, coverage).check(&stage.served, "agora_web").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_agora_chat_asks_besides_is_answered() {
    besides(AGORA_CHAT, "agora-chat 1.4.0 (npm)", "agora-chat-besides").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_easemob_websdk_asks_besides_is_answered() {
    besides(EASEMOB, "easemob-websdk 4.21.1 (npm)", "easemob-websdk-besides").await;
}
