//! Webhooks do not reach the network around the gateway.

use conclave_tests::vendor::Sections as _;
use std::time::{Duration, Instant};

use conclave::config::check;
use conclave::{Config, Gateway};

use crate::app::App;
use crate::house::{BackEnd, SECRET, gateway, metric, to_rong};

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_asked() {
    let app = App::willing().await;
    let gateway = gateway(|config| {
        let url = format!("http://localhost:{}/", app.address.port());
        config.realms[0].rong().webhooks = to_rong(url);
        config.realms[0].rong().webhooks.allow_private = false;
    })
    .await;
    BackEnd::of(&gateway).create("g").await;
    let begun = Instant::now();
    while metric(&gateway, "conclave_webhooks_dropped_total", "rong").await < 1.0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "not given up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(app.requests().is_empty(), "{:#?}", app.requests());
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn urls_that_cannot_be_meant_are_refused_before_anything_starts() {
    let refused = [
        ("http://127.0.0.1:1/", "127.0.0.1"),
        ("http://[::1]/", "allow_private"),
        ("https://169.254.169.254/latest", "169.254.169.254"),
        ("http://10.0.0.1/", "allow_private"),
        ("ftp://app.example.com/", "ftp://"),
        ("app.example.com/hooks", "app.example.com"),
        ("http://user:secret@app.example.com/", "must be like"),
        ("", "must be like"),
    ];
    for (url, named) in refused {
        let mut config = Config::development().unwrap();
        config.realms[0].rong().webhooks = to_rong(url.to_owned());
        config.realms[0].rong().webhooks.allow_private = false;
        let refused = check(&config).unwrap_err().to_string();
        assert!(refused.contains(named) && refused.contains("realm.dev.rong.webhooks"), "{url}: {refused}");
        assert!(Gateway::start(config).await.is_err(), "{url}");
    }
}

#[test]
fn every_url_is_looked_at() {
    let changes: [fn(&mut Config, String); 7] = [
        |config, url| config.realms[0].agora().webhooks.pre_url = Some(url),
        |config, url| config.realms[0].agora().webhooks.url = Some(url),
        |config, url| config.realms[0].agora().webhooks.muc_url = Some(url),
        |config, url| config.realms[0].agora().webhooks.message_url = Some(url),
        |config, url| config.realms[0].tencent().webhooks.url = Some(url),
        |config, url| config.realms[0].rong().webhooks.profile_url = Some(url),
        |config, url| config.realms[0].rong().webhooks.message_url = Some(url),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        for (url, is_good) in [("http://192.168.1.1/", false), ("https://app.example.com/hooks", true)] {
            let mut config = Config::development().unwrap();
            config.realms[0].agora().webhooks.secret = SECRET.into();
            change(&mut config, url.to_owned());
            assert_eq!(check(&config).is_ok(), is_good, "{place}: {url}");
        }
    }
}
