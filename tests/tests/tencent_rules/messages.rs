//! Repeated messages and muted senders.

use crate::tencent_support::group_call;
use crate::{house, made};
use conclave_tencent::Settings;
use conclave_tests::house::credentials::ADMIN;
use serde_json::{Value, json};

#[tokio::test]
async fn a_repeated_message_is_one_message_and_muted_users_do_not_speak() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    let message = |random: u32, words: &str, from: Value| {
        let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": words}}]);
        json!({"GroupId": id, "Random": random, "MsgBody": body, "From_Account": from})
    };
    let said = |body: Value| {
        let client = client.clone();
        async move { group_call(&client, "send_group_msg", body).await }
    };
    assert_eq!(said(message(1, "a", json!("bob"))).await["MsgSeq"], 1);
    assert_eq!(said(message(1, "a", json!("bob"))).await["MsgSeq"], 1, "the same again");
    assert_eq!(said(message(1, "b", json!("bob"))).await["MsgSeq"], 2, "another text under the same number");
    assert_eq!(said(message(1, "a", Value::Null)).await["MsgSeq"], 3, "another sender");
    assert_eq!(said(message(2, "a", json!("carol"))).await["ErrorCode"], 10007, "no member");
    assert_eq!(said(message(2, "a", json!("nobody"))).await["ErrorCode"], 10019);
    group_call(&client, "modify_group_base_info", json!({"GroupId": id, "MuteAllMember": "On"})).await;
    assert_eq!(said(message(2, "a", json!("bob"))).await["ErrorCode"], 10017);
    assert_eq!(said(message(2, "a", json!("alice"))).await["MsgSeq"], 4, "the owner speaks on");

    let page = group_call(&client, "group_msg_get_simple", json!({"GroupId": id, "ReqMsgNumber": 3})).await;
    let numbers: Vec<&Value> = page["RspMsgList"].as_array().unwrap().iter().map(|row| &row["MsgSeq"]).collect();
    assert_eq!((numbers, &page["IsFinished"]), (vec![&json!(4), &json!(3), &json!(2)], &json!(0)));
    assert_eq!(page["RspMsgList"][1]["From_Account"], ADMIN);
}
