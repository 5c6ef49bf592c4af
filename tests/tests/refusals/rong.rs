//! The rows of RongCloud.

use conclave_rong::Settings;
use conclave_tests::client::Client;
use conclave_tests::house::credentials::{APP_KEY, APP_SECRET};
use conclave_tests::house::{mounted, rong};
use conclave_tests::refused::{Refused, happenings};
use conclave_tests::sign::rong_signature;
use conclave_tests::world::World;
use http::Method;

async fn post(client: &Client, target: &str, body: String) -> conclave_tests::client::Answer {
    let signature = rong_signature(APP_SECRET, "1", "2");
    let headers = [("app-key", APP_KEY), ("nonce", "1"), ("timestamp", "2"), ("signature", signature.as_str())];
    client.send(Method::POST, target, &headers, body).await
}

/// `h` is hosted and full: the owner o, the managers m and k, the members a and b; `u` is not, with a, b and one more;
/// x and y are in neither; a follows b.
async fn presupposed(client: &Client) {
    for (path, body) in [
        ("entrust/group/create", "groupId=h&name=H&owner=o&userIds=m,k,a,b"),
        ("entrust/group/manager/add", "groupId=h&userIds=m,k"),
        ("entrust/group/member/follow", "groupId=h&userId=a&followUserIds=b"),
        ("group/create", "groupId=u&groupName=U&userId=a,b,c,d"),
        ("group/create", "groupId=other&groupName=O&userId=x,y"),
        ("group/user/gag/add", "userId=c&minute=0"),
    ] {
        let answer = post(client, &format!("/{path}.json"), body.to_owned()).await;
        assert_eq!(answer.json()["code"], 200, "{path} {body}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn documented_errors_are_returned() {
    let settings = Settings {
        ext_keys: vec!["ext_k".to_owned()],
        group_capacity: 5,
        managers: 2,
        follows: 1,
        muted_everywhere: 1,
        ..Settings::default()
    };
    let world = World::new();
    let client = mounted(rong(&world, settings));
    presupposed(&client).await;
    let (mut pinned, mut failed) = (Vec::new(), Vec::new());
    for refused in Refused::all("rong") {
        let before = happenings(&world).await;
        let answer = post(&client, refused.target(), super::repeated(&refused.body)).await;
        match refused.check(&answer, &[]) {
            Ok(row) => pinned.push(row),
            Err(failure) => failed.push(failure),
        }
        if happenings(&world).await != before {
            failed.push(format!("{} {} left something behind", refused.call, refused.body));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    insta::assert_snapshot!("rong", pinned.join("\n"));
}
