use super::*;

fn app(secret: &str) -> App {
    App { key: "acme#demo".to_owned(), secret: secret.into(), settings: Settings::default() }
}

#[test]
fn the_documented_events_are_signed_as_documented() {
    let vectors = [
        ("acme#demo_cfc0d78c-7e1f-4a1b-b687-8b84107a798b", 1_729_496_598_231, "75a00725b423c4fdfa3edf4951cf05aa"),
        ("acme#demo_c74187f1-0000-4000-87cd-0c5607b777ce", 1_729_499_145_684, "65580ea99f36dee85079f9ca400dc6f9"),
        ("acme#demo_2e962475-0000-4000-a90c-d7e2949440f2", 1_729_499_587_640, "f520bc41f3cb2f8b88182ea80c9a2ef5"),
    ];
    for (call_id, at, security) in vectors {
        assert_eq!(app("secret123").sign(call_id, Millis(at)), security);
    }
}

#[test]
fn long_answers_do_not_count() {
    use conclave_kit::Webhooks as _;
    let hooks = Webhooks { app: app(""), events: Vec::new(), rule: Rule::Events };
    assert!(hooks.is_accepted(StatusCode::OK, "字".repeat(1000).as_bytes()));
    assert!(!hooks.is_accepted(StatusCode::OK, "字".repeat(1001).as_bytes()));
    assert!(!hooks.is_accepted(StatusCode::NO_CONTENT, b""));
}
