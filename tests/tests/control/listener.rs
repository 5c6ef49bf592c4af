//! The listener: who may call, what is refused and how, and the document that describes it.

use conclave::Config;
use conclave::config::{Admin, ControlToken};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::house::{Control, gateway};

#[tokio::test]
async fn only_local_hosts_and_own_pages_may_call() {
    let gateway = gateway(|config| config.control_hosts = vec!["control.example".to_owned()]).await;
    let control = Control::of(&gateway);
    let address = gateway.addresses.control.unwrap().to_string();
    let status = async |headers: &[(&str, &str)]| {
        let answer = control.0.send(Method::GET, "/v1/realms", headers, "").await;
        let code = answer.json()["error"]["code"].as_str().map(str::to_owned);
        (answer.status.as_u16(), code)
    };
    assert_eq!(status(&[]).await, (200, None));
    assert_eq!(status(&[("host", "control.example")]).await, (200, None));
    assert_eq!(status(&[("host", "evil.example")]).await, (403, Some("forbidden_host".to_owned())));
    for origin in ["http://evil.example", "null", "http://localhost:3000"] {
        assert_eq!(status(&[("origin", origin)]).await, (403, Some("forbidden_origin".to_owned())), "{origin}");
    }
    assert_eq!(status(&[("host", &address), ("origin", &format!("http://{address}"))]).await, (200, None));
}

#[tokio::test]
async fn a_token_is_required_where_one_is_configured() {
    let gateway = gateway(|config| config.control_token = Some(ControlToken("a-long-enough-token".to_owned()))).await;
    let control = Control::of(&gateway);
    let (status, code, _) = control.refused(Method::GET, "/v1/realms", Value::Null).await;
    assert_eq!((status, &*code), (StatusCode::UNAUTHORIZED, "unauthorized"));
    for (given, status) in [("Bearer a-long-enough-token", 200), ("Bearer another", 401), ("a-long-enough-token", 401)]
    {
        let answer = control.0.send(Method::GET, "/v1/realms", &[("authorization", given)], "").await;
        assert_eq!(answer.status.as_u16(), status, "{given}");
    }
    // the description is public
    assert_eq!(control.0.send(Method::GET, "/openapi.json", &[], "").await.status, 200);
}

#[test]
fn other_machines_need_a_token() {
    let mut config = Config::development().unwrap();
    config.control = Admin::At("0.0.0.0:9091".parse().unwrap());
    let refused = conclave::config::check(&config).unwrap_err().to_string();
    assert!(refused.contains("control_token"), "{refused}");
    config.control_token = Some(ControlToken("short".to_owned()));
    assert!(conclave::config::check(&config).unwrap_err().to_string().contains("16"));
    config.control_token = Some(ControlToken("a-long-enough-token".to_owned()));
    conclave::config::check(&config).unwrap();
}

#[tokio::test]
async fn refusals_have_a_code_and_change_nothing() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let cases = [
        (Method::GET, "/v1/nothing", Value::Null, 404, "no_such_endpoint"),
        (Method::PUT, "/v1/realms", Value::Null, 405, "method_not_allowed"),
        (Method::GET, "/v1/realms/nobody", Value::Null, 404, "no_such_realm"),
        (Method::DELETE, "/v1/realms/dev", Value::Null, 409, "realm_is_configured"),
        (Method::GET, "/v1/realms?a=b", Value::Null, 400, "bad_request"),
        (Method::GET, "/v1/realms", json!({}), 400, "bad_request"),
        (Method::POST, "/v1/realms", json!({ "nam": "a" }), 400, "bad_request"),
        (Method::POST, "/v1/realms", json!({ "name": "A b" }), 400, "bad_request"),
        (Method::POST, "/v1/realms", json!({ "name": "dev" }), 409, "realm_exists"),
        (Method::POST, "/v1/realms", json!({ "vendors": ["aws"] }), 400, "bad_request"),
        (Method::POST, "/v1/realms", json!({ "vendors": [] }), 400, "bad_request"),
        (Method::POST, "/v1/realms", json!({ "sections": { "rong": { "key": 1 } } }), 400, "bad_request"),
        (Method::POST, "/v1/realms", json!({ "sections": { "rong": { "app_secret": "x" } } }), 400, "bad_request"),
        (Method::POST, "/v1/realms", json!({ "limits": { "groups": -1 } }), 400, "bad_request"),
        (Method::POST, "/v1/realms", json!(["not an object"]), 400, "bad_request"),
        (Method::POST, "/v1/realms", json!({ "name": "x".repeat(300_000) }), 413, "too_large"),
    ];
    for (method, path, body, status, code) in cases {
        let (was, named, message) = control.refused(method, path, body).await;
        assert_eq!((was.as_u16(), &*named), (status, code), "{path}: {message}");
        assert!(!message.is_empty());
    }
    let allowed = control.send(Method::PUT, "/v1/realms", Value::Null).await;
    assert_eq!(allowed.headers["allow"], "POST, GET");
    assert_eq!(control.get("/v1/realms").await["realms"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_description_is_pinned() {
    let gateway = gateway(|_| {}).await;
    let served = Control::of(&gateway).0.send(Method::GET, "/openapi.json", &[], "").await;
    let served = String::from_utf8(served.body.to_vec()).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/control.openapi.json");
    if std::env::var_os("CONCLAVE_REFRESH").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let command = "CONCLAVE_REFRESH=1 cargo test -p conclave-tests --test control the_description_is_pinned";
    assert!(kept == served, "docs/control.openapi.json is stale; refresh it with: {command}");
    let document: Value = serde_json::from_str(&served).unwrap();
    assert_eq!(document["paths"]["/v1/realms/{realm}"]["get"]["operationId"], "get_realm");
    // every reference leads somewhere
    for reference in served.split("\"$ref\": \"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference} is not in the document");
    }
}
