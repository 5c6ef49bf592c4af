//! Pages in browsers may call.

use crate::client::ask;
use crate::probe::start;

const PREFLIGHT: [&str; 3] = [
    "Origin: https://app.example.com",
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
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
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
