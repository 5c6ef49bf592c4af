//! Tencent Chat's server SDKs.

use conclave::config::{Tls, VendorSection};
use conclave_core::event::Actor;
use conclave_core::model::GroupId;
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::GroupAttributes;
use conclave_tests::sdk::driven::Driver;
use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::online::online;
use conclave_tests::sdk::script::Script;
use conclave_tests::sdk::{python, rust, tunnel, unread};
use conclave_tests::story::Role::{self, Admin, Member, Owner};
use conclave_tests::story::{Truth, VendorApi};
use conclave_tests::vendor::Vendor;
use http::Method;
use serde_json::json;

/// The SDKs' constant host.
const HOST: &str = "console.tim.qq.com";

/// What a suite leaves where it pauses.
fn weather(members: &[(&str, Role)]) -> Truth {
    Truth {
        name: "Weather".to_owned(),
        introduction: "all of it".to_owned(),
        owner: Some("sea".to_owned()),
        members: members.iter().map(|(user, role)| ((*user).to_owned(), *role)).collect(),
        count: members.len() as u64,
    }
}

/// The SDK's script, started; its host leads to the gateway.
async fn timsdk(script: &str) -> (Served, Script) {
    let served = Served::start(|config| {
        config.tls = Tls::Development;
        let section = VendorSection { hosts: vec![HOST.to_owned()], ..VendorSection::default() };
        config.vendors.insert("tencent".to_owned(), section);
    })
    .await;
    let proxy = tunnel::proxy(served.running.addresses.shared).await;
    let authority = served.running.authority.as_ref().unwrap().display().to_string();
    let mut settings = served.settings(Vendor::Tencent);
    settings.push(("HTTPS_PROXY".to_owned(), format!("http://{proxy}")));
    settings.push(("REQUESTS_CA_BUNDLE".to_owned(), authority));
    let script = Script::start(python::command(script), &settings);
    (served, script)
}

#[tokio::test(flavor = "multi_thread")]
async fn timsdk_of_pypi() {
    let (served, mut script) = timsdk("tencent/timsdk/suite.py").await;
    script.until("built").await;

    let vendor_apis = served.vendor_apis().await;
    let group = script.reports["group"].as_str().unwrap().to_owned();
    let truth = weather(&[("sea", Owner), ("sky", Admin), ("sun", Member)]);
    assert_eq!(vendor_apis.agora.truth(&group).await.as_ref(), Some(&truth));
    assert_eq!(vendor_apis.rong.truth(&group).await.as_ref(), Some(&truth));
    let path = format!("/chatgroups/{group}/mute");
    let muted = vendor_apis.agora.call(Method::GET, &path, None).await.unwrap();
    assert_eq!(muted["data"][0]["user"], "sun");
    assert!(vendor_apis.rong.joined("sun").await.contains("imported"));

    script.go_on().await;
    script.finish().await;
    assert_eq!(vendor_apis.agora.truth(&group).await, None);
    assert_eq!(vendor_apis.rong.truth(&group).await, None);
    unread::check(&served, Vendor::Tencent, &[]).await;
    Driver::new(Vendor::Tencent, "timsdk 1.1.12 (PyPI)", "timsdk").check(&served, "sdk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timsdk_of_pypi_by_its_general_call() {
    let (served, mut script) = timsdk("tencent/timsdk/general.py").await;
    script.until("alone").await;
    let live = script.reports["live"].as_str().unwrap().to_owned();
    let vendor_apis = served.vendor_apis().await;
    vendor_apis.agora.call(Method::POST, &format!("/chatgroups/{live}/users/sun"), None).await.unwrap();
    let sun = online(&served, &vendor_apis, "sun").await;
    script.go_on().await;
    script.until("helped").await;
    // appointed users are admins at once if they are members, and otherwise when they join
    let path = format!("/chatgroups/{live}/admin");
    let admins = async || vendor_apis.agora.call(Method::GET, &path, None).await.unwrap()["data"].clone();
    assert_eq!(admins().await, json!(["sun"]));
    vendor_apis.agora.call(Method::POST, &format!("/chatgroups/{live}/users/sky"), None).await.unwrap();
    let both = admins().await;
    assert_eq!(both.as_array().unwrap().len(), 2, "{both}");
    script.go_on().await;
    script.finish().await;
    assert_eq!(admins().await, json!(["sun"]));
    drop(sun);
    unread::check(&served, Vendor::Tencent, &[]).await;
    Driver::general(Vendor::Tencent, "timsdk 1.1.12 (PyPI)", "timsdk-general").check(&served, "sdk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tencent_im_rs_of_crates_io() {
    // this SDK speaks only over TLS
    let served = Served::start(|config| config.tls = Tls::Development).await;
    let authority = served.running.authority.as_ref().unwrap().display().to_string();
    let mut settings = served.settings(Vendor::Tencent);
    settings.push(("SSL_CERT_FILE".to_owned(), authority));
    let mut script = Script::start(rust::command("tencent/tencent_im_rs", "tencent-im-rs-suite"), &settings);
    script.until("attributes").await;
    let group = script.reports["group"].as_str().unwrap().to_owned();
    let asked = GroupAttributes { group: GroupId::new(&group).unwrap() };
    let found = served.running.groups["dev"].ask(&Actor::app(), asked).await.unwrap();
    let wanted = [("sky", "blue"), ("wind", "south")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let found = found.0.entries.iter().map(|(key, (value, _))| (key.clone(), value.clone()));
    assert_eq!(found.collect::<Vec<_>>(), wanted);
    script.go_on().await;
    script.until("built").await;
    let vendor_apis = served.vendor_apis().await;
    let truth = weather(&[("sea", Owner), ("sky", Admin), ("sun", Member)]);
    assert_eq!(vendor_apis.agora.truth(&group).await.as_ref(), Some(&truth));
    assert_eq!(vendor_apis.rong.truth(&group).await.as_ref(), Some(&truth));
    let muted = vendor_apis.rong.call("/group/user/gag/list.json", &[("groupId", &group)]).await.unwrap();
    assert_eq!(muted["users"][0]["userId"], "sun");
    assert!(vendor_apis.rong.joined("sun").await.contains("imported"));

    script.go_on().await;
    script.finish().await;
    assert_eq!(vendor_apis.agora.truth(&group).await, None);
    unread::check(&served, Vendor::Tencent, &[]).await;
    Driver::new(Vendor::Tencent, "tencent_im_rs 1.0.4 (crates.io)", "tencent_im_rs").check(&served, "sdk").await;
}
