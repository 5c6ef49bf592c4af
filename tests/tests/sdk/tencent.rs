//! Tencent Chat's server SDKs.

use std::collections::BTreeMap;

use conclave::config::{Tls, VendorSection};
use conclave::vendors::Vendor;
use conclave_tests::sdk::driven::Driver;
use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::script::Script;
use conclave_tests::sdk::{python, tunnel, unread};
use conclave_tests::story::Role::{Admin, Member, Owner};
use conclave_tests::story::{Teller, Truth};

/// The host that SDKs have as a constant.
const HOST: &str = "console.tim.qq.com";

#[tokio::test(flavor = "multi_thread")]
async fn timsdk_of_pypi() {
    let served = Served::start(|config| {
        config.tls = Tls::Development;
        let section = VendorSection { hosts: vec![HOST.to_owned()], ..VendorSection::default() };
        config.vendors.insert(Vendor::Tencent, section);
    })
    .await;
    let proxy = tunnel::proxy(served.running.addresses.shared).await;
    let authority = served.running.authority.as_ref().unwrap().display().to_string();
    let mut settings = served.settings(Vendor::Tencent);
    settings.push(("HTTPS_PROXY".to_owned(), format!("http://{proxy}")));
    settings.push(("REQUESTS_CA_BUNDLE".to_owned(), authority));
    let mut script = Script::start(python::command("tencent/timsdk/suite.py"), &settings);
    script.until("built").await;

    let tellers = served.tellers().await;
    let group = script.told["group"].as_str().unwrap().to_owned();
    let members = [("sea", Owner), ("sky", Admin), ("sun", Member)];
    let truth = Truth {
        name: "Weather".to_owned(),
        introduction: "all of it".to_owned(),
        owner: Some("sea".to_owned()),
        members: members.map(|(user, role)| (user.to_owned(), role)).into_iter().collect::<BTreeMap<_, _>>(),
        count: 3,
    };
    assert_eq!(tellers.agora.truth(&group).await.as_ref(), Some(&truth));
    assert_eq!(tellers.rong.truth(&group).await.as_ref(), Some(&truth));
    let path = format!("/chatgroups/{group}/mute");
    let muted = tellers.agora.call(http::Method::GET, &path, None).await.unwrap();
    assert_eq!(muted["data"][0]["user"], "sun");
    assert!(tellers.rong.joined("sun").await.contains("imported"));

    script.go_on().await;
    script.finish().await;
    assert_eq!(tellers.agora.truth(&group).await, None);
    assert_eq!(tellers.rong.truth(&group).await, None);
    unread::check(&served, Vendor::Tencent, &[]).await;
    Driver::new(Vendor::Tencent, "timsdk 1.1.12 (PyPI)", "timsdk").check(&served, "sdk").await;
}
