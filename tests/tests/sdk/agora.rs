//! Agora Chat's and Easemob's SDKs, as far as they use the server API.

use conclave::vendors::Vendor;
use conclave_tests::sdk::driven::Driver;
use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::script::Script;
use conclave_tests::sdk::unread::{self, Explained};
use conclave_tests::sdk::{node, python};
use conclave_tests::story::Role::{Admin, Member, Owner};
use conclave_tests::story::{Teller, Truth};

#[tokio::test(flavor = "multi_thread")]
async fn ease_restapi_of_pypi() {
    let served = Served::start(|_| {}).await;
    let mut script = Script::start(python::command("agora/ease-restapi/suite.py"), &served.settings(Vendor::Agora));
    script.until("built").await;

    let tellers = served.tellers().await;
    let [group, other] = ["group", "other"].map(|step| script.told[step].as_str().unwrap().to_owned());
    let weather = Truth {
        name: "Weather".to_owned(),
        introduction: "all of it".to_owned(),
        owner: Some("sea".to_owned()),
        members: [("sea", Owner), ("sky", Member), ("sun", Member), ("rain", Member)]
            .map(|(user, role)| (user.to_owned(), role))
            .into(),
        count: 4,
    };
    assert_eq!(tellers.tencent.truth(&group).await.as_ref(), Some(&weather));
    assert_eq!(tellers.rong.truth(&group).await.as_ref(), Some(&weather));
    assert!(tellers.rong.joined("sky").await.contains(&other));
    assert!(tellers.tencent.listed(50).await.contains(&other));

    script.go_on().await;
    script.finish().await;
    assert_eq!(tellers.tencent.truth(&other).await, None);
    assert_eq!(tellers.rong.truth(&other).await, None);
    unread::check(&served, Vendor::Agora, &[]).await;
    Driver::new(Vendor::Agora, "ease-restapi 1.3 (PyPI)", "ease-restapi").check(&served, "sdk").await;
}

/// What the web SDK adds to many calls.
const WEB: &[Explained] = &[
    Explained { operation: "*", field: "version", why: "where it is not read, both shapes of the answer are the same" },
    Explained { operation: "*", field: "_v", why: "a moment, so that no cache answers instead" },
    Explained {
        operation: "get a token",
        field: "timestamp",
        why: "the moment of asking; tokens begin when they are made",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn easemob_websdk_of_npm() {
    let served = Served::start(|_| {}).await;
    let script = node::command("agora/easemob-websdk/suite.cjs");
    let mut script = Script::start(script, &served.settings(Vendor::Agora));
    script.until("built").await;

    let tellers = served.tellers().await;
    let group = script.told["group"].as_str().unwrap().to_owned();
    let weather = Truth {
        name: "Weather".to_owned(),
        introduction: "all of it".to_owned(),
        owner: Some("sea".to_owned()),
        members: [("sea", Owner), ("sky", Admin), ("sun", Member)].map(|(user, role)| (user.to_owned(), role)).into(),
        count: 3,
    };
    assert_eq!(tellers.tencent.truth(&group).await.as_ref(), Some(&weather));
    assert_eq!(tellers.rong.truth(&group).await.as_ref(), Some(&weather));
    let muted = tellers.rong.call("/group/user/gag/list.json", &[("groupId", &group)]).await.unwrap();
    assert_eq!(muted["users"][0]["userId"], "sun");

    script.go_on().await;
    script.finish().await;
    assert_eq!(tellers.tencent.truth(&group).await, None);
    assert_eq!(tellers.rong.truth(&group).await, None);
    unread::check(&served, Vendor::Agora, WEB).await;
    Driver::new(Vendor::Agora, "easemob-websdk 4.21.1 (npm)", "easemob-websdk").check(&served, "sdk").await;
}
