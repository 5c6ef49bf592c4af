//! Where a vendor's surface is mounted, and what its requests are given.

use conclave::config::VendorSection;

use crate::client::{Client, ask, request};
use crate::probe::{own_credentials, start};

#[tokio::test]
async fn a_surface_sees_its_own_root() {
    let gateway = start(|_| {}).await;
    let at = gateway.addresses.shared;
    let answer = ask(at, "POST", "/probe/seen?a=%2F&b", &["X-Request-ID: my-own.id_1"], "").await;
    assert_eq!(answer.body, "http://gateway.test/probe /seen?a=%2F&b");
    assert_eq!(answer.header("x-request-id"), Some("my-own.id_1"));
    let answer = ask(at, "POST", "/probe", &[], "").await;
    assert_eq!(answer.body, "the probe's own not found");
}

#[tokio::test]
async fn an_id_that_is_none_is_replaced() {
    let gateway = start(|_| {}).await;
    for bad in ["X-Request-ID: a b", "X-Request-ID: <x>", &format!("X-Request-ID: {}", "a".repeat(65)), "X-Request-ID:"]
    {
        let answer = ask(gateway.addresses.shared, "POST", "/probe/seen", &[bad], "").await;
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(id.len(), 16, "{bad} became {id}");
    }
}

#[tokio::test]
async fn unknown_paths_get_the_list_of_apis() {
    let gateway = start(|_| {}).await;
    for path in ["/", "/agorax/y", "/AGORA/y", "//agora/y", "/../agora", "/%61gora/x", "/x?/agora/"] {
        let answer = ask(gateway.addresses.shared, "GET", path, &[], "").await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let parsed: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(parsed["error"], "not_found", "{path}");
        assert!(parsed["served"].as_array().unwrap().contains(&"/probe/".into()));
    }
}

#[tokio::test]
async fn a_vendor_has_hosts_and_a_listener_of_its_own() {
    let gateway = start(|config| {
        let section = VendorSection {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            hosts: vec!["Console.TIM.example".to_owned()],
            public_url: None,
        };
        config.vendors.insert("rong".to_owned(), section);
    })
    .await;
    let own = gateway.addresses.vendors["rong"];
    let here = ask(gateway.addresses.shared, "POST", "/rong/nothing.json", &[], "").await;
    let there = ask(own, "POST", "/nothing.json", &[], "").await;
    let host = ["Host: console.tim.example:443"];
    let by_name = ask(gateway.addresses.shared, "POST", "/nothing.json", &host, "").await;
    for answer in [&there, &by_name] {
        assert_eq!((answer.status, &answer.body), (here.status, &here.body));
        assert!(!answer.body.contains("served"), "{}", answer.body);
    }
    // only this vendor has the name
    let answer = ask(gateway.addresses.shared, "POST", "/probe/seen", &host, "").await;
    assert_eq!(answer.body, here.body);
}

#[tokio::test]
async fn a_proxys_path_names_the_root() {
    let gateway = start(|config| {
        own_credentials(config);
        config.public_url = Some("https://chat.example.com".to_owned());
    })
    .await;
    let answer = ask(gateway.addresses.shared, "POST", "/probe/seen", &["X-Request-ID: 1"], "").await;
    assert_eq!(answer.body, "https://chat.example.com/probe /seen");
}

#[tokio::test]
async fn a_panic_ends_one_request_and_nothing_else() {
    let gateway = start(|config| config.admin = conclave::config::Admin::At("127.0.0.1:0".parse().unwrap())).await;
    let at = gateway.addresses.shared;
    let mut beside = Client::connect(at).await;
    beside.say(request("POST", "/probe/slow?200", &[], "")).await;
    let answer = ask(at, "POST", "/probe/panic", &[], "").await;
    assert_eq!((answer.status, &*answer.body), (500, "the probe's broken"));
    assert_eq!(beside.answer().await.body, "slow but there");
    assert_eq!(ask(at, "POST", "/probe/echo", &[], "on we go").await.body, "on we go");
    let metrics = ask(gateway.addresses.admin.unwrap(), "GET", "/metrics", &[], "").await;
    assert!(metrics.body.contains("conclave_panics_total 1"), "{}", metrics.body);
}

#[tokio::test]
async fn requests_are_counted_by_vendor_operation_and_class() {
    let gateway = start(|config| config.admin = conclave::config::Admin::At("127.0.0.1:0".parse().unwrap())).await;
    let (at, admin) = (gateway.addresses.shared, gateway.addresses.admin.unwrap());
    ask(at, "POST", "/probe/echo", &[], "x").await;
    ask(at, "POST", "/probe/nothing", &[], "x").await;
    let metrics = ask(admin, "GET", "/metrics", &[], "").await;
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let counted = |operation: &str, class: &str| {
        format!("conclave_requests_total{{vendor=\"probe\",operation=\"{operation}\",class=\"{class}\"}} 1")
    };
    assert!(metrics.body.contains(&counted("echo", "answered")), "{}", metrics.body);
    assert!(metrics.body.contains(&counted("unknown", "refused")), "{}", metrics.body);
    assert!(metrics.body.contains("conclave_request_duration_seconds_count{vendor=\"probe\",operation=\"echo\"} 1"));
    assert_eq!(ask(admin, "GET", "/healthz", &[], "").await.body, "ok\n");
    assert_eq!(ask(admin, "GET", "/readyz", &[], "").await.body, "ready\n");
    assert_eq!(ask(admin, "GET", "/", &[], "").await.status, 404);
    assert_eq!(ask(admin, "POST", "/metrics", &[], "").await.status, 405);
}

#[tokio::test]
async fn two_realms_with_one_identity_at_a_vendor_do_not_start() {
    for vendor in ["agora", "tencent", "rong"] {
        let mut config = conclave::Config::development().unwrap();
        let mut second = config.realms[0].clone();
        second.name = "second".to_owned();
        second.only_at(vendor);
        config.realms.push(second);
        let error = conclave::Gateway::start(config).await.err().expect("started").to_string();
        for named in ["dev", "second", vendor] {
            assert!(error.contains(named), "{error}");
        }
    }
}

#[tokio::test]
async fn a_group_made_at_one_vendor_is_seen_at_another() {
    let gateway = start(|_| {}).await;
    let at = gateway.addresses.shared;
    let token = r#"{"grant_type":"client_credentials","client_id":"YXA6Y29uY2xhdmUtZGV2","client_secret":"YXA6Y29uY2xhdmUtZGV2LWtub3duLXRvLWFsbA"}"#;
    let json = "Content-Type: application/json";
    let answer = ask(at, "POST", "/agora/conclave/dev/token", &[json], token).await;
    let parsed: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let bearer = format!("Authorization: Bearer {}", parsed["access_token"].as_str().unwrap());
    let user = r#"[{"username":"alice","password":"secret"}]"#;
    assert_eq!(ask(at, "POST", "/agora/conclave/dev/users", &[json, &bearer], user).await.status, 200);
    let group = r#"{"groupname":"tea","owner":"alice","public":true,"maxusers":10}"#;
    let answer = ask(at, "POST", "/agora/conclave/dev/chatgroups", &[json, &bearer], group).await;
    let parsed: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let id = parsed["data"]["groupid"].as_str().unwrap();

    let config = conclave::Config::development().unwrap();
    let credentials = &config.realms[0].section::<conclave_tencent::Tencent>().unwrap().credentials;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let sdkappid = credentials.sdkappid;
    let signature = conclave_tencent::user_sig(sdkappid, &credentials.secret_key, "administrator", now, 600);
    let path = format!(
        "/tencent/v4/group_open_http_svc/get_group_info?sdkappid={sdkappid}&identifier=administrator&usersig={signature}&random=1&contenttype=json"
    );
    let answer = ask(at, "POST", &path, &[json], &format!(r#"{{"GroupIdList":["{id}"]}}"#)).await;
    let parsed: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(parsed["GroupInfo"][0]["Name"], "tea", "{parsed}");
    assert_eq!(parsed["GroupInfo"][0]["Owner_Account"], "alice", "{parsed}");
}
