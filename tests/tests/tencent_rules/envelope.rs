//! The envelope, the order of the checks, and tolerated input.

use crate::tencent_support::{query, realm};
use crate::{house, send};
use conclave_kit::SetupError;
use conclave_kit::{Fault, Surface};
use conclave_tencent::{Settings, Tencent, TencentRealm, user_sig};
use conclave_tests::house::credentials::{ADMIN, SDKAPPID, SECRET_KEY};
use conclave_tests::world::{BEGINNING, World};
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn get_without_and_with_a_body_is_served() {
    let (_world, client) = house(Settings::default()).await;
    let list = format!("/v4/group_open_http_svc/get_appid_group_list?{}", query());
    assert_eq!(send(&client, Method::GET, &list, "").await["TotalCount"], 0);
    let check = format!("/v4/im_open_login_svc/account_check?{}", query());
    let answer = send(&client, Method::GET, &check, r#"{"CheckItem":[{"UserID":"bob"}]}"#).await;
    assert_eq!(answer["ResultItem"][0]["AccountStatus"], "Imported");
}

#[tokio::test]
async fn signatures_may_be_percent_encoded_and_fields_null_or_unknown() {
    let (_world, client) = house(Settings::default()).await;
    let encoded = query().replace('*', "%2A").replace('_', "%5F");
    let target = format!("/v4/group_open_http_svc/get_appid_group_list?{encoded}");
    let body = r#"{"Limit":null,"GroupType":null,"Unheard":{"of":[1]}}"#;
    assert_eq!(send(&client, Method::POST, &target, body).await["ErrorCode"], 0);
}

#[tokio::test]
async fn what_is_no_json_object_is_60003() {
    let (_world, client) = house(Settings::default()).await;
    let target = format!("/v4/group_open_http_svc/destroy_group?{}", query());
    let deep = format!("{{\"GroupId\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_unknown = format!("{{\"x\":{}", "[".repeat(100_000));
    let bodies: [&[u8]; 8] = [
        b"{not json",
        b"[]",
        b"1",
        b"\"x\"",
        b"{\"GroupId\":\"\xff\"}",
        b"{} x",
        deep.as_bytes(),
        deep_unknown.as_bytes(),
    ];
    for body in bodies {
        let answer = send(&client, Method::POST, &target, body.to_vec()).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
        assert!(answer["ErrorCode"] == 60003 || (body == deep.as_bytes() && answer["ErrorCode"] == 10004), "{shown}");
    }
}

#[tokio::test]
async fn checks_come_in_the_vendors_order() {
    let (_world, client) = house(Settings::default()).await;
    let sig = |who: &str| user_sig(SDKAPPID, SECRET_KEY, who, BEGINNING.seconds(), 60);
    let good = format!("sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={}", sig(ADMIN));
    let command = "/v4/group_open_http_svc/destroy_group";
    for (target, body, code) in [
        ("/v4/group_open_http_svc/no_such_command?".to_owned(), "{not json", 60009),
        ("/v4/no_such_service/create_group?".to_owned(), "{}", 60009),
        ("/".to_owned(), "{}", 60009),
        (format!("{command}?identifier={ADMIN}"), "{not json", 60012),
        (format!("{command}?sdkappid=&identifier={ADMIN}"), "{not json", 60012),
        (format!("{command}?sdkappid=abc"), "{not json", 60006),
        (format!("{command}?sdkappid=99999999999999999999"), "{not json", 60006),
        (format!("{command}?sdkappid=1"), "{not json", 70020),
        (format!("{command}?sdkappid={SDKAPPID}&identifier={ADMIN}"), "{not json", 70002),
        (format!("{command}?sdkappid={SDKAPPID}&identifier={ADMIN}&usersig=x"), "{not json", 70003),
        (format!("{command}?sdkappid={SDKAPPID}&usersig={}", sig(ADMIN)), "{not json", 70013),
        (format!("{command}?sdkappid={SDKAPPID}&identifier=bob&usersig={}", sig("bob")), "{not json", 60010),
        (format!("{command}?{good}"), "{not json", 60003),
        (format!("{command}?{good}"), "{}", 10004),
        (format!("{command}?{good}"), r#"{"GroupId":7}"#, 10004),
        (format!("{command}?{good}"), r#"{"GroupId":"never"}"#, 10015),
    ] {
        assert_eq!(send(&client, Method::POST, &target, body).await["ErrorCode"], code, "{target} {body}");
    }
    let put = send(&client, Method::PUT, &format!("{command}?{good}"), "{}").await;
    assert_eq!(put["ErrorCode"], 60009);
}

#[tokio::test]
async fn faults_around_the_surface_are_the_vendors() {
    let tencent = Tencent::new(vec![realm(&World::new(), SDKAPPID, Settings::default())]).unwrap();
    for (fault, code) in
        [(Fault::TooLarge, 60002), (Fault::TimedOut, 60008), (Fault::Broken, 10002), (Fault::Busy, 60018)]
    {
        let response = tencent.fault(fault);
        assert_eq!(response.status(), 200);
        let body: Value = serde_json::from_slice(response.body().bytes().unwrap()).unwrap();
        assert_eq!((&body["ErrorCode"], &body["ActionStatus"]), (&json!(code), &json!("FAIL")));
    }
}

#[test]
fn realms_with_the_same_identity_are_refused() {
    let world = World::new();
    let of = |name: &str| TencentRealm { name: name.to_owned(), ..realm(&world, SDKAPPID, Settings::default()) };
    let twice = vec![of("a"), of("b")];
    assert!(matches!(Tencent::new(twice), Err(SetupError::SameApp { .. })));
    let bad = Settings { group_keys: vec!["not a key".to_owned()], ..Settings::default() };
    assert!(matches!(Tencent::new(vec![realm(&world, SDKAPPID, bad)]), Err(SetupError::Realm { .. })));
}
