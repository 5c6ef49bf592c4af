//! A group's messages as each vendor's history has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conclave_tests::house::Three;
use serde_json::{Value, json};

use crate::views::text;

/// Agora's messages in the clients' encoding, oldest first.
pub fn agora(newest_first: &[Value]) -> Vec<Vec<u8>> {
    let decoded = |row: &Value| STANDARD.decode(row["msg"].as_str().unwrap()).unwrap();
    newest_first.iter().rev().map(decoded).collect()
}

/// What is wrong if Agora's messages do not have these texts.
pub fn difference(id: &str, encoded: &[Vec<u8>], texts: &[String]) -> Option<String> {
    let contains = |(bytes, text): (&Vec<u8>, &String)| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    if encoded.len() == texts.len() && encoded.iter().zip(texts).all(contains) {
        return None;
    }
    let shown: Vec<_> = encoded.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    Some(format!("messages of {id}: Agora {shown:?}, Tencent {texts:?}"))
}

/// The texts of the messages that were not recalled or deleted, oldest first.
pub async fn tencent(house: &Three, id: &str) -> Vec<String> {
    let (mut texts, mut from) = (Vec::new(), None);
    loop {
        let mut body = json!({"GroupId": id, "ReqMsgNumber": 20});
        if let Some(from) = from {
            body["ReqMsgSeq"] = json!(from);
        }
        let page = house.tencent.answer("group_msg_get_simple", &body).await;
        let rows = page["RspMsgList"].as_array().cloned().unwrap_or_default();
        let kept = rows.iter().filter(|row| row["IsPlaceMsg"] == 0 && row.get("IsSystemMsg").is_none());
        texts.extend(kept.map(|row| text(&row["MsgBody"][0]["MsgContent"]["Text"])));
        let last = rows.last().and_then(|row| row["MsgSeq"].as_u64()).unwrap_or_default();
        if page["IsFinished"] != 0 || last <= 1 {
            texts.reverse();
            return texts;
        }
        from = Some(last - 1);
    }
}

/// The same from RongCloud's history.
pub async fn rong(house: &Three, id: &str) -> Vec<String> {
    let end = house.world.groups.now().0 + 1;
    let form = format!("userId=ann&targetId={id}&startTime=0&endTime={end}&includeStart=true&pageSize=100");
    let answer = house.rong.answer("v3/message/group/query", &form).await;
    let rows = answer["data"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
    rows.map(|row| {
        let content: Value = serde_json::from_str(row["content"].as_str().unwrap()).unwrap();
        text(&content["content"])
    })
    .collect()
}
