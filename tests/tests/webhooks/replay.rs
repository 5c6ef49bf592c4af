//! The query of a callback is not a valid credential for the server API, whose signature has the same formula.

use conclave_tests::client::Client;
use conclave_tests::sign::rong_signature;
use conclave_tests::vendor::Sections as _;
use http::Method;

use crate::app::App;
use crate::house::{BackEnd, RONG, gateway, to_rong};

/// The code of the response to a call with this nonce, timestamp and signature.
async fn code(client: &Client, proof: [&str; 3]) -> (u16, u64) {
    let [nonce, timestamp, signature] = proof;
    let headers = [("app-key", RONG.0), ("nonce", nonce), ("timestamp", timestamp), ("signature", signature)];
    let answer = client.send(Method::POST, "/group/user/query.json", &headers, "groupId=readers").await;
    (answer.status.as_u16(), answer.json()["code"].as_u64().unwrap())
}

#[tokio::test]
async fn what_a_callback_is_signed_with_is_refused_as_a_call() {
    let app = App::willing().await;
    let gateway = gateway(|config| {
        let hooks = &mut config.realms[0].rong().webhooks;
        *hooks = to_rong(app.url("/operations"));
        hooks.profile_url = Some(app.url("/profiles"));
        hooks.message_url = Some(app.url("/messages"));
        hooks.online_url = Some(app.url("/online"));
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    back_end.create("readers").await;
    back_end.call("/entrust/group/profile/update.json", "groupId=readers&name=Writers").await;
    let content = "content=%7B%22content%22%3A%22hi%22%7D";
    let form = format!("fromUserId=owner&toGroupId=readers&objectName=RC%3ATxtMsg&{content}");
    back_end.call("/message/group/publish.json", &form).await;
    let requests = app.until(|requests| requests.len() == 3).await;
    let client = Client::at(gateway.addresses.shared, "/rong");
    for request in &requests {
        let (nonce, timestamp, signature) =
            (&*request.query["nonce"], &*request.query["timestamp"], &*request.query["signature"]);
        assert_eq!(signature, rong_signature(RONG.1, nonce, timestamp), "receivers check it by the vendor's formula");
        assert!(nonce.len() <= 18 && nonce.parse::<i64>().is_ok(), "{nonce}");
        assert_eq!(code(&client, [nonce, timestamp, signature]).await, (401, 1004), "{}", request.path);
        assert_eq!(code(&client, [nonce, timestamp, &signature.to_uppercase()]).await, (401, 1004));
        // the same text with a moved boundary has the same signature
        let signed = format!("{nonce}{timestamp}");
        for cut in 1..signed.len() {
            let (nonce, timestamp) = signed.split_at(cut);
            assert_eq!(code(&client, [nonce, timestamp, signature]).await, (401, 1004), "{nonce} {timestamp}");
        }
        // signatures of an SDK are never mistaken for one
        for (nonce, timestamp) in [("14314", timestamp), ("5577006791947779410", "1408710653"), (timestamp, nonce)] {
            assert_eq!(code(&client, [nonce, timestamp, &rong_signature(RONG.1, nonce, timestamp)]).await, (200, 200));
        }
    }
    assert!(gateway.shutdown().await);
}
