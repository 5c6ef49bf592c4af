//! The addresses of files that messages refer to: where clients upload and download them.

use conclave_tencent::{Settings, Tencent};
use conclave_tests::client::Client;
use conclave_tests::house::credentials::SDKAPPID;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::tencent_support::realm;
use crate::{House, house};

const PLACE: &str = "im_cos_msg.pre_sig";

/// A client of the same app over HTTP.
fn http(house: &House, settings: Settings) -> Client {
    Client::of(Tencent::new(vec![realm(&house.world, SDKAPPID, settings)]).unwrap(), "")
}

/// The upload's and the download's address of a new file of alice.
async fn places(house: &House, name: &str) -> [String; 2] {
    let answer = house.call("alice", PLACE, &json!({"file_type": 255, "file_name": name})).await;
    ["upload_url", "download_url"].map(|key| answer[key].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_file_is_uploaded_once_and_read_by_its_address() {
    let settings = || Settings { file_bytes: 9, ..Settings::default() };
    let house = house(settings()).await;
    let http = http(&house, settings());
    let [up, down] = places(&house, "a b<c>.png").await;
    assert!(up.ends_with("/a_b_c_.png") && down.ends_with("/a_b_c_.png"), "{up} {down}");
    let put = async |place: &str, kind: &str, content: &'static str| {
        http.send(Method::PUT, place, &[("content-type", kind)], content).await.status
    };
    let get = async |place: &str| http.send(Method::GET, place, &[], "").await;
    assert_eq!(get(&down).await.status, StatusCode::NOT_FOUND);
    // what is refused leaves the address as it was
    assert_eq!(put(&up, "image/png", "0123456789").await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(put(&up, "image/png", "012345678").await, StatusCode::OK);
    assert_eq!(put(&up, "image/png", "another").await, StatusCode::CONFLICT);
    let found = get(&down).await;
    let header = |name: &str| found.headers[name].to_str().unwrap().to_owned();
    assert_eq!((found.status, &found.body[..]), (StatusCode::OK, &b"012345678"[..]));
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("x-content-type-options"), "nosniff");

    // what could run scripts is offered for saving only
    let [up, down] = places(&house, "page.html").await;
    assert_eq!(put(&up, "text/html; charset=utf-8", "<p>").await, StatusCode::OK);
    let found = get(&down).await;
    assert_eq!(found.headers["content-type"], "application/octet-stream");
    assert_eq!(found.headers["content-disposition"], "attachment");

    // no address of one kind is one of the other, and none is made by clients
    for (method, place) in [(Method::PUT, &down), (Method::PUT, &format!("/files/{SDKAPPID}/AAAA/x.png"))] {
        let refused = http.send(method, place, &[], "x").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{place}");
        assert!(String::from_utf8_lossy(&refused.body).contains("<Code>AccessDenied</Code>"));
    }
    assert_eq!(get(&up).await.status, StatusCode::NOT_FOUND);
    let other = up.replace(&SDKAPPID.to_string(), &(SDKAPPID + 1).to_string());
    assert_eq!(put(&other, "image/png", "x").await, StatusCode::FORBIDDEN);

    // an address expires, with the permission and with the file
    let [late, _] = places(&house, "late.png").await;
    house.world.clock.step(900_001);
    assert_eq!(put(&late, "image/png", "x").await, StatusCode::FORBIDDEN);
    house.world.clock.step(8 * 24 * 3600 * 1000);
    assert_eq!(get(&down).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn addresses_are_for_users_and_for_files_with_a_name() {
    let house = house(Settings::default()).await;
    let long = "x".repeat(256);
    for body in [json!({}), json!({"file_name": ""}), json!({"file_name": long}), json!({"file_name": 7})] {
        assert_ne!(house.call("alice", PLACE, &body).await["ErrorCode"], 0, "{body}");
    }
    let object = |name: Value| json!({"uint32_file_id": 1, "str_file_name": name});
    let several = "im_cos_msg.simple_sig";
    let good = house.call("alice", several, &json!({"rpt_upload_object": [object(json!("a.png"))]})).await;
    assert_eq!(good["rpt_pre_sig"][0]["uint32_exist_flag"], 0, "{good}");
    for list in [json!([]), json!([object(json!(null))]), json!(vec![object(json!("a.png")); 21])] {
        let refused = house.call("alice", several, &json!({"rpt_upload_object": list})).await;
        assert_ne!(refused["ErrorCode"], 0, "{refused}");
    }
}
