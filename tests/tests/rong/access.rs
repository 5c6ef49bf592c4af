//! Authentication, and the responses to callers without access.

use conclave_kit::SetupError;
use conclave_kit::Surface;
use conclave_rong::{Credentials, Rong, RongRealm, Settings};
use conclave_tests::client::Client;
use conclave_tests::house::credentials::{APP_KEY, APP_SECRET};
use conclave_tests::house::rong;
use conclave_tests::sign::rong_signature;
use conclave_tests::world::World;
use http::Method;

use super::api::Api;

const PATH: &str = "/group/user/query.json";

async fn code(client: &Client, headers: &[(&str, &str)]) -> (u16, u64) {
    let answer = client.send(Method::POST, PATH, headers, "groupId=g1").await;
    (answer.status.as_u16(), answer.json()["code"].as_u64().expect("a code"))
}

#[tokio::test]
async fn every_clients_way_to_sign_is_accepted() {
    let api = Api::new();
    // milliseconds, seconds, long ago, far ahead; nonces of 19 digits, with a fraction, from a UUID
    let stamps = ["1700000100000", "1700000100", "1", "99999999999999999999", "now"];
    let nonces = ["14314", "5577006791947779410", "0.4432400181088988", "531234.1234567", "a-b_c"];
    for (nonce, stamp) in nonces.iter().flat_map(|nonce| stamps.iter().map(move |stamp| (*nonce, *stamp))) {
        let signature = rong_signature(APP_SECRET, nonce, stamp);
        for names in [
            ["App-Key", "Nonce", "Timestamp", "Signature"],
            ["rc-app-key", "rc-nonce", "rc-timestamp", "rc-signature"],
            ["RC-App-Key", "NONCE", "rc-timestamp", "SIGNATURE"],
        ] {
            let values = [APP_KEY, nonce, stamp, &signature];
            let headers: Vec<(&str, &str)> = names.into_iter().zip(values).collect();
            // the same values repeatedly, as the Node SDK sends them
            assert_eq!(code(&api.client, &headers).await, (200, 200), "{headers:?}");
            assert_eq!(code(&api.client, &headers).await, (200, 200), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_signed_right_is_refused() {
    let api = Api::new();
    let signature = rong_signature(APP_SECRET, "1", "2");
    let right = [("app-key", APP_KEY), ("nonce", "1"), ("timestamp", "2"), ("signature", signature.as_str())];
    assert_eq!(code(&api.client, &right).await, (200, 200));
    for missing in 0..right.len() {
        let wanted = if missing == 0 { (401, 1001) } else { (401, 1004) };
        let mut headers = right.to_vec();
        headers[missing].1 = "";
        assert_eq!(code(&api.client, &headers).await, wanted, "{headers:?}");
        headers.remove(missing);
        assert_eq!(code(&api.client, &headers).await, wanted, "{headers:?}");
    }
    let wrong = |place: usize, value: &'static str| {
        let mut headers = right.to_vec();
        headers[place].1 = value;
        headers
    };
    assert_eq!(code(&api.client, &wrong(0, "nosuchkey")).await, (401, 1001));
    assert_eq!(code(&api.client, &wrong(1, "2")).await, (401, 1004));
    assert_eq!(code(&api.client, &wrong(2, "1")).await, (401, 1004));
    assert_eq!(code(&api.client, &wrong(3, "00")).await, (401, 1004));
    let other = rong_signature("another secret", "1", "2");
    let headers = [("app-key", APP_KEY), ("nonce", "1"), ("timestamp", "2"), ("signature", other.as_str())];
    assert_eq!(code(&api.client, &headers).await, (401, 1004));
}

fn realm(name: &str, app_key: &str, app_secret: &str) -> RongRealm {
    let world = World::new();
    RongRealm {
        name: name.to_owned(),
        credentials: Credentials { app_key: app_key.to_owned(), app_secret: app_secret.to_owned() },
        settings: Settings::default(),
        groups: world.groups,
        log: world.log,
        presence: std::sync::Arc::new(conclave_kit::Nobody),
    }
}

#[tokio::test]
async fn realms_do_not_answer_for_each_other() {
    let surface =
        Rong::new(vec![realm("a", "key-a", "secret-of-a"), realm("b", "key-b", "secret-of-b")]).expect("a surface");
    let client = conclave_tests::house::mounted(surface);
    let own = rong_signature("secret-of-a", "1", "2");
    let headers =
        |key: &'static str| [("app-key", key), ("nonce", "1"), ("timestamp", "2"), ("signature", own.as_str())];
    assert_eq!(code(&client, &headers("key-a")).await, (200, 200));
    assert_eq!(code(&client, &headers("key-b")).await, (401, 1004));
}

#[test]
fn realms_with_the_same_identity_are_refused() {
    let same = Rong::new(vec![realm("a", "key", "secret-of-a"), realm("b", "key", "secret-of-b")]);
    assert!(matches!(same, Err(SetupError::SameApp { .. })));
    for ext_keys in [vec!["k".to_owned()], vec!["ext_".to_owned()], (0..11).map(|n| format!("ext_{n}")).collect()] {
        let settings = Settings { ext_keys, ..Settings::default() };
        let wrong = Rong::new(vec![RongRealm { settings, ..realm("a", "key", "secret-of-a") }]);
        assert!(matches!(wrong, Err(SetupError::Realm { .. })));
    }
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", realm("a", "key", "very secret").credentials);
    assert!(shown.contains("key") && !shown.contains("very secret"), "{shown}");
}

#[tokio::test]
async fn every_route_is_a_signed_post() {
    let api = Api::new();
    let routes = rong(&World::new(), Settings::default()).routes();
    assert!(routes.len() >= 40);
    for route in routes {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
            let answer = api.client.send(method, route.path, &[], "").await;
            assert_eq!((answer.status.as_u16(), answer.json()["code"].as_u64()), (405, Some(405)), "{}", route.path);
        }
        let answer = api.client.send(Method::POST, route.path, &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_u64()), (401, Some(1001)), "{}", route.path);
        assert_eq!(route.path, format!("/{}.json", route.operation));
    }
    for path in
        ["/", "/group/create", "/group/create.xml", "/group//create.json", "/entrust/group/kickout.json", "/%ff"]
    {
        let answer = api.client.send(Method::POST, path, &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_u64()), (404, Some(404)), "{path}");
    }
}

#[tokio::test]
async fn no_body_breaks_a_route() {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=g1&name=n&owner=u1&userIds=u2").await;
    let deep = "[".repeat(50_000);
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\xff\xfe=\xff&groupId=\xff&userId=%ff%fe&owner=\xc3".to_vec(),
        b"groupId=%00&userId=%01&userIds=%7f&groupIds=%0a&owner=%00&newOwner=%00&name=%00&toGroupId=%00".to_vec(),
        b"groupId=g1&groupId=g1&&&=&=a&userId&userIds=,,,&groupIds=,&name=%&size=-1&page=1e9&order=x&type=9".to_vec(),
        format!("groupId=g1&name=n&owner=u1&userId=u1&userIds=u1&groupProfile={deep}&permissions={deep}&groupExtProfile={deep}")
            .into_bytes(),
        format!("groupId={0}&userId={0}&userIds={0}&groupIds={0}&pageToken={0}&group[{0}]={0}", "字".repeat(2000)).into_bytes(),
        "groupId=g1&userId=u1&size=99999999999999999999&page=99999999999999999999&minute=99999999999999999999&time=-1"
            .as_bytes()
            .to_vec(),
    ];
    for route in rong(&World::new(), Settings::default()).routes() {
        for body in &bodies {
            let answer = api.post(route.operation, body.clone()).await;
            let code = answer.json()["code"].as_u64().expect("an integer");
            assert!(code != 1000, "{} {}", route.path, String::from_utf8_lossy(body));
        }
    }
}

#[tokio::test]
async fn json_bodies_carry_the_same_fields() {
    let api = Api::new();
    let signature = rong_signature(APP_SECRET, "1", "2");
    let headers = [
        ("app-key", APP_KEY),
        ("nonce", "1"),
        ("timestamp", "2"),
        ("signature", signature.as_str()),
        ("content-type", "application/json; charset=utf-8"),
    ];
    let send = |body: &'static str| api.client.send(Method::POST, "/group/create.json", &headers, body);
    let answer = send(r#"{"userId":["a","b"],"groupId":"g","groupName":"n"}"#).await;
    assert_eq!(answer.json()["code"], 200);
    assert_eq!(api.members("g").await, ["a", "b"]);
    assert_eq!(send("{").await.json()["code"], 1002);
    assert_eq!(send("[]").await.json()["code"], 1002);
}

/// Each known way in which the vendor's SDKs write a body, sent unchanged.
#[tokio::test]
async fn bodies_are_read_as_each_sdk_writes_them() {
    let api = Api::new();
    let name =
        async |user: &str| api.ok("user/group/query", &format!("userId={user}")).await["groups"][0]["name"].clone();
    for (user, body, wanted) in [
        ("u1", "userId=u1&groupId=g1&groupName=A%20B", "A B"),
        ("u2", "userId=u2&groupId=g2&groupName=A+B", "A B"),
        ("u3", "userId=u3&groupId=g3&groupName=A B", "A B"),
        ("u4", "userId=u4&groupId=g4&groupName=%E7%BE%A4", "群"),
        ("u5", "userId=u5&groupId=g5&groupName=群", "群"),
        ("u6", "userId=u6&groupId=g6&groupName=[a]:/{b}\"c\"", "[a]:/{b}\"c\""),
        // fields in any order, and unknown ones among them
        ("u7", "unheard=of&groupName=N&groupId=g7&userId=u7", "N"),
    ] {
        api.ok("group/create", body).await;
        assert_eq!(name(user).await, wanted, "{body}");
    }
    for (group, body) in [
        ("l1", "userId=a&userId=b&groupId=l1&groupName=n&userId=a"),
        ("l2", "userId=a,b&groupId=l2&groupName=n"),
        ("l3", "userId=a%2Cb&groupId=l3&groupName=n"),
    ] {
        api.ok("group/create", body).await;
        assert_eq!(api.members(group).await, ["a", "b"], "{body}");
    }
    for body in ["groupId=h1&name=n&owner=o&userIds=a&userIds=b", "groupId=h2&name=n&owner=o&userIds=a,b"] {
        api.ok("entrust/group/create", body).await;
    }
    assert_eq!(api.roles("h1").await.len(), 3);
    assert_eq!(api.roles("h2").await.len(), 3);
    // an empty body
    api.ok("entrust/group/query", "").await;
    api.ok("group/user/gag/list", "").await;
    // the Java SDK does not encode these: values damaged by that do not fail the request
    let unencoded = r#"content={"operation":"Add","message":"a&b+c%d%"}&pushContent=1&2%&pushData={"x":"&"}&pushExt=%"#;
    let bound = format!("bindNotifyMsg=true&fromUserId=a&objectName=RC:GrpNtf&{unencoded}");
    let joined = api.ok("group/join", &format!("userId=c&groupId=l1&{bound}")).await;
    assert_eq!(joined["memberCount"], 3);
}
