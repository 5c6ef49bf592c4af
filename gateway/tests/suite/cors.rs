//! Pages in browsers may call.

use crate::client::ask;
use crate::probe::{own_credentials, start};

const PREFLIGHT: [&str; 3] = [
    "Origin: http://localhost:3000",
    "Access-Control-Request-Method: POST",
    "Access-Control-Request-Headers: authorization",
];

#[tokio::test]
async fn browsers_are_answered_before_credentials_are_looked_for() {
    let gateway = start(|_| {}).await;
    let wanted = [
        (
            "/agora/conclave/dev/chatgroups",
            ["PUT", "authorization", "content-type", "restrict-access", "share-secret", "accept"].as_slice(),
        ),
        ("/tencent/v4/group_open_http_svc/create_group", &["POST", "x-requested-with", "content-type"]),
        ("/rong/v2/navi.json", &["POST", "rc-appkey", "rc-negotiate", "content-type"]),
    ];
    for (path, wanted) in wanted {
        let answer = ask(gateway.addresses.shared, "OPTIONS", path, &PREFLIGHT, "").await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:3000"));
        assert_eq!(answer.header("vary"), Some("Origin"));
        assert!(answer.header("access-control-max-age").unwrap().parse::<u32>().unwrap() > 0);
        let (method, headers) = wanted.split_first().unwrap();
        assert!(answer.header("access-control-allow-methods").unwrap().contains(method));
        let allowed = answer.header("access-control-allow-headers").unwrap().to_lowercase();
        for header in headers {
            assert!(allowed.split(", ").any(|each| each == *header), "{path}: {header} is not in {allowed}");
        }
    }
}

#[tokio::test]
async fn every_answer_may_be_read() {
    let gateway = start(|config| config.limits.body_bytes = 10).await;
    let at = gateway.addresses.shared;
    let answers = [
        ask(at, "POST", "/probe/seen", &[], "").await,
        ask(at, "POST", "/probe/echo", &[], "more than ten bytes").await,
        ask(at, "POST", "/probe/panic", &[], "").await,
        ask(at, "GET", "/nowhere", &[], "").await,
    ];
    for (answer, status) in answers.iter().zip([200, 413, 500, 404]) {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{status}");
    }
}

#[tokio::test]
async fn options_without_a_browsers_question_is_the_surfaces() {
    let gateway = start(|_| {}).await;
    let answer = ask(gateway.addresses.shared, "OPTIONS", "/probe/nothing", &[], "").await;
    assert_eq!((answer.status, &*answer.body), (404, "the probe's own not found"));
}

#[tokio::test]
async fn with_credentials_that_everybody_knows_pages_of_other_sites_may_not_call() {
    let gateway = start(|_| {}).await;
    let at = gateway.addresses.shared;
    for origin in ["Origin: https://evil.example", "Origin: null", "Origin: http://127.0.0.1.evil.example"] {
        let preflight = ["Access-Control-Request-Method: POST", origin];
        let upgrade = [
            origin,
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ];
        for answer in [
            ask(at, "OPTIONS", "/probe/echo", &preflight, "").await,
            // a request without preflight would be performed although the page cannot read the response
            ask(at, "POST", "/probe/echo", &[origin], "x").await,
            ask(at, "GET", "/rong/websocket?appId=conclavedev00", &upgrade, "").await,
        ] {
            assert_eq!(answer.status, 403, "{origin}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    // a name that a page of another site has made resolve to this machine
    assert_eq!(ask(at, "POST", "/probe/echo", &["Host: evil.example:8080"], "x").await.status, 403);
    assert_eq!(ask(at, "POST", "/probe/echo", &["Host: localhost:8080"], "x").await.status, 200);
}

#[tokio::test]
async fn with_credentials_of_ones_own_any_page_may_call_unless_origins_are_configured() {
    let gateway = start(own_credentials).await;
    let at = gateway.addresses.shared;
    let answer = ask(at, "POST", "/probe/echo", &["Origin: https://any.example", "Host: any.example"], "x").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("*")));
    let gateway = start(|config| {
        own_credentials(config);
        config.cors_origins = vec!["https://app.example".to_owned()];
    })
    .await;
    let at = gateway.addresses.shared;
    let answer = ask(at, "POST", "/probe/echo", &["Origin: https://app.example"], "x").await;
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!((answer.status, allowed), (200, Some("https://app.example")));
    assert_eq!(ask(at, "POST", "/probe/echo", &["Origin: https://other.example"], "x").await.status, 403);
}
