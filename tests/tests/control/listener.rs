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

/// Bodies of wrong types are refused in words about fields and kinds of values, whichever endpoint takes them.
#[tokio::test]
async fn refusals_name_fields_and_not_types_of_the_program() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    control.post("/v1/realms/dev/journal", Value::Null).await;
    let wrong = [json!([]), json!("x"), json!(5), json!({"no_such_field": 1})];
    let of_fields = [
        ("/v1/realms", json!({"name": 5})),
        ("/v1/realms", json!({"vendors": "rong"})),
        ("/v1/realms", json!({"limits": {"groups_per_user": "x"}})),
        ("/v1/realms", json!({"limits": {"groups_per_user": -1}})),
        ("/v1/realms", json!({"limits": {"groups_per_usr": 1}})),
        ("/v1/realms", json!({"limits": {"groups_per_user": null}})),
        ("/v1/realms", json!({"sections": {"rong": {"app_key": 5}}})),
        ("/v1/realms", json!({"sections": {"rong": {"settings": {"status_254xx": "a"}}}})),
        ("/v1/realms", json!({"sections": {"rong": {"settings": {"zzz": 1}}}})),
        ("/v1/realms", json!({"sections": {"tencent": {"sdkappid": -1}}})),
        ("/v1/realms/dev/faults", json!({"on": "call"})),
        ("/v1/realms/dev/faults", json!({"on": "x", "effect": {"drop": true}})),
        ("/v1/realms/dev/faults", json!({"on": "call", "effect": {}})),
        ("/v1/realms/dev/faults", json!({"on": "call", "effect": {"drop": true, "delay_ms": 5}})),
        ("/v1/realms/dev/faults", json!({"on": "call", "effect": {"delay_ms": "x"}})),
        ("/v1/realms/dev/faults", json!({"on": "call", "first": -1, "effect": {"drop": true}})),
        ("/v1/realms/dev/clock/set", json!({"at_ms": -1})),
        ("/v1/realms/dev/clock/set", json!({"at_ms": 1e30})),
        ("/v1/realms/dev/clock/scale", json!({"pace": "x"})),
        ("/v1/realms/dev/journal", json!({"entries": "x"})),
        ("/v1/realms/dev/journal/wait", json!({"filter": {"kind": "x"}})),
        ("/v1/realms/dev/sessions/disconnect", json!({"session": -1})),
        ("/v1/realms/dev/sessions/disconnect", json!({"reason": "x"})),
    ];
    let paths = of_fields.iter().map(|(path, _)| *path);
    let whole = paths.flat_map(|path| wrong.iter().map(move |body| (path, body.clone())));
    for (path, body) in whole.chain(of_fields.iter().cloned()) {
        let (status, code, message) = control.refused(Method::POST, path, body.clone()).await;
        assert_eq!((status, &*code), (StatusCode::BAD_REQUEST, "bad_request"), "{path} {body}: {message}");
        for word in ["expected", "struct", "invalid", "variant", "u32", "u64", "usize", "f64", "unit", "line ", "`"] {
            assert!(!message.contains(word), "{path} {body}: {message}");
        }
    }
    let message = async |path, body| control.refused(Method::POST, path, body).await.2;
    let limits = json!({"limits": {"groups_per_usr": 1}});
    assert_eq!(
        message("/v1/realms", limits).await,
        "unknown key limits.groups_per_usr: did you mean limits.groups_per_user?"
    );
    let delay = json!({"on": "call", "effect": {"delay_ms": "x"}});
    let refused = message("/v1/realms/dev/faults", delay).await;
    assert_eq!(refused, "effect.delay_ms must be a whole number of at least 0");
}

#[tokio::test]
async fn a_clock_ends_with_the_times_that_can_be_written() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let clock = "/v1/realms/dev/clock";
    let before = control.get(clock).await["controlled"].clone();
    for (path, body) in [("set", json!({"at_ms": 1_u64 << 62})), ("advance", json!({"by_ms": u64::MAX}))] {
        let (status, code, _) = control.refused(Method::POST, &format!("{clock}/{path}"), body).await;
        assert_eq!((status, &*code), (StatusCode::BAD_REQUEST, "bad_request"), "{path}");
    }
    assert_eq!(control.get(clock).await["controlled"], before);
}

#[tokio::test]
async fn sessions_of_an_unknown_vendor_are_refused() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let path = "/v1/realms/dev/sessions/disconnect";
    let (_, code, _) = control.refused(Method::POST, path, json!({"vendor": "x"})).await;
    assert_eq!(code, "no_such_vendor");
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
