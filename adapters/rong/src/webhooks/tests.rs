#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use conclave_kit::Webhooks as _;

use super::*;

#[test]
fn callbacks_are_signed_like_the_documented_one() {
    let credentials = Credentials { app_key: "uwd1c0sxdlx2".to_owned(), app_secret: "Y1W2MeFwwwRxa0".to_owned() };
    let nonces = CallbackNonces::new(&credentials);
    let hooks = Webhooks { credentials, nonces, events: Vec::new(), callback: Callback::Operation };
    let notice = Notice { name: "group operation", query: Vec::new(), body: Bytes::new() };
    let query = hooks.envelope(&notice, Millis(1_408_710_653_000), 14_314).query;
    let [app, timestamp, nonce, signature] = &query[..] else { panic!("{query:?}") };
    assert_eq!(app, &("appKey", "uwd1c0sxdlx2".to_owned()));
    assert_eq!(timestamp, &("timestamp", "1408710653000".to_owned()));
    assert_eq!((nonce.0, nonce.1.len(), &nonce.1[..6]), ("nonce", 18, "114314"));
    assert_eq!(signature, &("signature", sign("Y1W2MeFwwwRxa0", &nonce.1, "1408710653000")));
}
