//! Messages, as each vendor shows them.

use conclave_tests::house::credentials::{ADMIN, SDKAPPID, SECRET_KEY};
use conclave_tests::house::{mounted, tencent};
use conclave_tests::sign::user_sig;
use conclave_tests::story::TencentTeller;
use conclave_tests::world::BEGINNING;
use http::Method;
use serde_json::json;

use super::House;

/// What the app itself says has one sender, whichever admin reads it.
#[tokio::test]
async fn messages_of_the_app_have_one_sender() {
    let house = House::of_agora("g", true).await;
    let said = json!({"to": ["g"], "type": "txt", "body": {"msg": "hi"}});
    house.agora(Method::POST, "/messages/chatgroups", said).await;
    let first = mounted(tencent(&house.0.world, conclave_tencent::Settings::default()));
    let mut senders = Vec::new();
    for admin in [ADMIN, "second"] {
        let sig = user_sig(SDKAPPID, SECRET_KEY, admin, BEGINNING.seconds(), 86_400);
        let teller = TencentTeller::new(first.clone(), SDKAPPID, admin, &sig);
        let page = teller.answer("group_msg_get_simple", &json!({"GroupId": "g", "ReqMsgNumber": 5})).await;
        senders.push(page["RspMsgList"][0]["From_Account"].clone());
    }
    assert_eq!(senders[0], ADMIN);
}

/// More messages may be asked for than a page has.
#[tokio::test]
async fn a_page_of_history_has_at_most_twenty_messages() {
    let house = House::of_tencent("g", "Public").await;
    for number in 0..25 {
        let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": number.to_string()}}]);
        house.tencent("send_group_msg", json!({"GroupId": "g", "Random": number, "MsgBody": said})).await;
    }
    for (wanted, rows) in [(5, 5), (20, 20), (21, 20), (100, 20), (1_000_000, 20)] {
        let page = house.tencent("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": wanted})).await;
        assert_eq!(page["RspMsgList"].as_array().unwrap().len(), rows, "{wanted}");
        assert_eq!(page["IsFinished"], 0);
    }
    assert_eq!(house.code("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": 0})).await, 10004);
}
