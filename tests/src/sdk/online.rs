//! A user who is connected through `RongCloud`'s Web SDK, and so online at all vendors.

use std::process::Command;

use crate::vendor::Vendor;
use serde_json::json;

use super::gateway::{Served, VendorApis};
use super::node::packages;
use super::page::Page;

/// Opens a page with its app and its connection settings.
pub async fn page(served: &Served) -> Page {
    let modules = tokio::task::spawn_blocking(|| packages("rong/imlib-next/5.38.0")).await.expect("packages");
    let mut driver = Command::new("node");
    driver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/rong/imlib-next/driver.cjs")).arg(modules);
    if let Some(authority) = &served.running.authority {
        driver.env("NODE_EXTRA_CA_CERTS", authority);
    }
    let page = Page::open(driver);
    let settings = served.settings(Vendor::Rong);
    let setting = |key: &str| settings.iter().find(|(name, _)| name == key).expect("a setting").1.clone();
    page.call("init", json!([{"appkey": setting("RONG_APPKEY"), "navigators": [setting("RONG_NAVI")]}])).await;
    page
}

/// Connects a user; they are online as long as the page is open.
pub async fn online(served: &Served, vendor_apis: &VendorApis, user: &str) -> Page {
    let page = page(served).await;
    let token = vendor_apis.rong.call("/user/getToken.json", &[("userId", user), ("name", user)]).await;
    let token = token.unwrap_or_else(|refused| panic!("{user} gets no token: {refused:?}"));
    assert_eq!(page.call("connect", json!([token["token"]])).await["data"]["userId"], user);
    page
}
