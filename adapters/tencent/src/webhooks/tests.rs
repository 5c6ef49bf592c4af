use conclave_kit::Webhooks as _;

use super::*;

fn webhooks(token: &str) -> Webhooks {
    let app = App { sdkappid: 1_400_000_000, admin: "administrator".to_owned(), settings: Settings::default() };
    Webhooks { app, hooks: WebhookSettings { token: token.into(), ..WebhookSettings::default() } }
}

#[test]
fn callbacks_are_signed_like_the_documented_one() {
    let notice = Notice { name: after::CREATE, query: Vec::new(), body: Bytes::new() };
    let query = webhooks("xxxxyyyy").envelope(&notice, Millis(1_669_872_112_345), 0).query;
    let documented =
        [("Sign", "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061"), ("RequestTime", "1669872112")];
    assert_eq!(query, documented.map(|(name, value)| (name, value.to_owned())));
    assert!(webhooks("").envelope(&notice, Millis(1), 0).query.is_empty());
}

#[test]
fn without_a_list_all_callbacks_are_sent_and_no_question_asked() {
    let all = WebhookSettings::default();
    assert!(AFTER.iter().all(|command| all.has(command)) && !BEFORE.iter().any(|command| all.has(command)));
    let some = WebhookSettings { commands: vec![before::SEND.to_owned()], ..all.clone() };
    assert!(some.has(before::SEND) && !some.has(after::JOIN) && some.check().is_ok());
    let unknown = WebhookSettings { commands: vec!["Group.CallbackAfterTea".to_owned()], ..all };
    assert!(unknown.check().is_err_and(|error| error.contains("Group.CallbackAfterTea")));
}
