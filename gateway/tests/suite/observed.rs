//! Metrics and logs about vendors' errors, the process and its store.

use std::io::Read as _;
use std::net::SocketAddr;

use conclave::config::{Admin, Data};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::client::{Client, ask, request};
use crate::probe::start;
use crate::process::{Served, conclave};

async fn metrics(admin: SocketAddr) -> String {
    ask(admin, "GET", "/metrics", &[], "").await.body
}

/// The value of a series, 0 when there is none.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

/// A call of each vendor without valid credentials, all of which are refused whatever their status.
async fn refused(at: SocketAddr) -> [u16; 3] {
    let tencent =
        "/tencent/v4/group_open_http_svc/create_group?usersig=bad&sdkappid=1400000000&identifier=administrator";
    let rong = ["App-Key: conclavedev00", "Nonce: 1", "Timestamp: 1", "Signature: bad"];
    [
        ask(at, "GET", "/agora/conclave/dev/chatgroups", &["Authorization: Bearer bad"], "").await.status,
        ask(at, "POST", tencent, &[], "{}").await.status,
        ask(at, "POST", "/rong/user/getToken.json", &rong, "userId=a").await.status,
    ]
}

#[tokio::test]
async fn refusals_are_counted_by_the_vendors_own_codes() {
    let gateway = start(|config| config.admin = Admin::At("127.0.0.1:0".parse().unwrap())).await;
    let (at, admin) = (gateway.addresses.shared, gateway.addresses.admin.unwrap());
    assert_eq!(refused(at).await, [401, 200, 401]);
    let scraped = metrics(admin).await;
    for vendor in ["agora", "tencent", "rong"] {
        let failed = format!("conclave_failed_authentications_total{{vendor=\"{vendor}\"}}");
        assert!((value(&scraped, &failed) - 1.0).abs() < 0.1, "{failed} is not 1 in {scraped}");
        let refused = format!("conclave_requests_total{{vendor=\"{vendor}\",");
        let line = scraped.lines().find(|line| line.starts_with(&refused)).unwrap();
        assert!(line.contains("class=\"refused\""), "{line}");
        let errors = format!("conclave_vendor_errors_total{{vendor=\"{vendor}\",");
        let line = scraped.lines().find(|line| line.starts_with(&errors)).unwrap();
        assert!(line.contains("class=\"unauthenticated\""), "{line}");
    }
    for code in ["code=\"70003\"", "code=\"1004\"", "code=\"unauthorized\""] {
        assert!(scraped.contains(code), "{code} is not in {scraped}");
    }
}

#[tokio::test]
async fn failed_sign_ins_over_sockets_are_counted_like_those_over_http() {
    let gateway = start(|config| config.admin = Admin::At("127.0.0.1:0".parse().unwrap())).await;
    let (at, admin) = (gateway.addresses.shared, gateway.addresses.admin.unwrap());
    let url = format!("ws://{at}/rong/websocket?appId=conclavedev00&token=forged&protocolVer=3&deviceId=d");
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    while let Some(Ok(message)) = futures_util::StreamExt::next(&mut socket).await {
        if message.is_close() {
            break;
        }
    }
    let scraped = metrics(admin).await;
    let failed = "conclave_failed_authentications_total{vendor=\"rong\"}";
    assert!((value(&scraped, failed) - 1.0).abs() < 0.1, "{failed} is not 1 in {scraped}");
    let series =
        "conclave_vendor_errors_total{vendor=\"rong\",operation=\"connect\",class=\"unauthenticated\",code=\"4\"}";
    assert!((value(&scraped, series) - 1.0).abs() < 0.1, "{series} is not 1 in {scraped}");
}

#[tokio::test]
async fn an_idle_process_reports_little_and_what_operators_watch() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(|config| {
        config.admin = Admin::At("127.0.0.1:0".parse().unwrap());
        config.data = Data::Folder(folder.path().join("data"));
    })
    .await;
    let (at, admin) = (gateway.addresses.shared, gateway.addresses.admin.unwrap());
    let scraped = metrics(admin).await;
    assert!(scraped.len() < 16_384, "{} bytes when idle: {scraped}", scraped.len());
    for wanted in [
        "conclave_build_info{version=\"",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
        "process_open_fds ",
        "conclave_store_queue ",
        "conclave_store_sync_seconds_total ",
        "conclave_store_free_bytes ",
        "conclave_log_lines_dropped_total ",
        "conclave_last_event{realm=\"dev\"} ",
    ] {
        assert!(scraped.contains(wanted), "{wanted} is not in {scraped}");
    }
    assert!(scraped.ends_with("# EOF\n"));
    let before = value(&scraped, "conclave_last_event{realm=\"dev\"}");

    // sha1 of the development secret, "1" and "2"
    let signature = "Signature: 3b3132edab86049ff1f16c4ebe76b8ad91b4ab40";
    let form = "Content-Type: application/x-www-form-urlencoded";
    let headers = ["App-Key: conclavedev00", "Nonce: 1", "Timestamp: 2", signature, form];
    let made = ask(at, "POST", "/rong/group/create.json", &headers, "userId=a&groupId=g&groupName=n&more=1").await;
    assert_eq!(made.status, 200, "{}", made.body);
    let scraped = metrics(admin).await;
    assert!(value(&scraped, "conclave_last_event{realm=\"dev\"}") > before, "{scraped}");
    assert!(value(&scraped, "conclave_store_syncs_total") > 0.0, "{scraped}");
    let count = value(&scraped, "conclave_store_sync_duration_seconds_count");
    let longest = value(&scraped, "conclave_store_sync_duration_seconds_bucket{le=\"+Inf\"}");
    assert!(count > 0.0 && (count - longest).abs() < 0.1, "{scraped}");
    let answered = "conclave_realm_requests_total{realm=\"dev\",vendor=\"rong\",class=\"answered\"}";
    assert!((value(&scraped, answered) - 1.0).abs() < 0.1, "{scraped}");
    assert!(scraped.contains("conclave_unread_fields_total{vendor=\"rong\","), "{scraped}");
}

#[tokio::test]
async fn metrics_are_compressed_for_who_takes_that() {
    let gateway = start(|config| config.admin = Admin::At("127.0.0.1:0".parse().unwrap())).await;
    let admin = gateway.addresses.admin.unwrap();
    let mut client = Client::connect(admin).await;
    client.say(request("GET", "/metrics", &["Accept-Encoding: br, gzip;q=0.5", "Connection: close"], "")).await;
    let mut answer = Vec::new();
    client.0.read_to_end(&mut answer).await.unwrap();
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(answer[..split].to_vec()).unwrap();
    assert!(head.to_lowercase().contains("content-encoding: gzip"), "{head}");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&answer[split..]).read_to_string(&mut text).unwrap();
    assert!(text.contains("conclave_build_info") && text.ends_with("# EOF\n"));
    let plain = ask(admin, "GET", "/metrics", &["Accept-Encoding: gzip;q=0"], "").await;
    assert!(plain.body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn json_lines_have_numbers_actors_clients_and_codes() {
    let mut command = conclave(&["--memory", "--listen", "127.0.0.1:0", "--admin", "off"]);
    command.env("CONCLAVE_LOG_FORMAT", "json").env("CONCLAVE_TRUSTED_PROXIES", "127.0.0.0/8");
    let served = Served::start(command);
    refused(served.at).await;
    let signature = "Signature: 3b3132edab86049ff1f16c4ebe76b8ad91b4ab40";
    let form = "Content-Type: application/x-www-form-urlencoded";
    let headers = [
        "App-Key: conclavedev00",
        "Nonce: 1",
        "Timestamp: 2",
        signature,
        form,
        "X-Forwarded-For: 6.6.6.6, 203.0.113.9",
    ];
    let made = ask(served.at, "POST", "/rong/group/create.json", &headers, "userId=a&groupId=g&groupName=n").await;
    assert_eq!(made.status, 200, "{}", made.body);
    let (_, log) = served.end();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |target: &str| lines.iter().filter(|line| line["target"] == target).collect::<Vec<_>>();
    let requests = of("conclave::request");
    assert_eq!(requests.len(), 4, "{log}");
    for line in &requests {
        assert!(line["status"].is_u64() && line["ms"].is_number(), "{line}");
        assert!(line.get("spans").is_none(), "{line}");
    }
    assert_eq!(requests[1]["code"], 70003, "{}", requests[1]);
    assert_eq!(requests[1]["status"], 200);
    assert_eq!(requests[3]["client"], "203.0.113.9");
    assert_eq!(requests[3]["realm"], "dev");
    assert!(requests[3]["actor"].as_str().unwrap().starts_with("app"), "{}", requests[3]);
    assert_eq!(requests[0]["client"], "127.0.0.1");
    let errors = of("conclave::error");
    assert_eq!(errors.len(), 3, "{log}");
    assert!(errors.iter().all(|line| line["class"] == "unauthenticated"), "{log}");
}

/// Credentials are checked before the body is read, and the call is answered afterwards: both rest on one check.
#[tokio::test]
async fn a_signature_that_counts_once_is_counted_once() {
    let mut command = conclave(&["--memory", "--listen", "127.0.0.1:0", "--admin", "off"]);
    command.env("CONCLAVE_REALM_DEV_RONG_SETTINGS_REMEMBERED_SIGNATURES", "10");
    let served = Served::start(command);
    let signature = "Signature: 3b3132edab86049ff1f16c4ebe76b8ad91b4ab40";
    let form = "Content-Type: application/x-www-form-urlencoded";
    let headers = ["App-Key: conclavedev00", "Nonce: 1", "Timestamp: 2", signature, form];
    let made = ask(served.at, "POST", "/rong/group/create.json", &headers, "userId=a&groupId=g&groupName=n").await;
    assert_eq!(made.status, 200, "{}", made.body);
    let again = ask(served.at, "POST", "/rong/group/create.json", &headers, "userId=a&groupId=h&groupName=n").await;
    assert_eq!(again.status, 401, "{}", again.body);
    served.end();
}
