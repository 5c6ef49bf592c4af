//! Agora Chat's and Easemob's server SDKs.

use conclave::vendors::Vendor;
use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::script::Script;
use conclave_tests::sdk::{driven, python, unread};
use conclave_tests::story::Role::{Member, Owner};
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
    driven::check(&served, Vendor::Agora, "ease-restapi 1.3 (PyPI)", "ease-restapi", "sdk").await;
}
