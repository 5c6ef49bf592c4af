//! Tencent's commands.

use conclave_tencent::Settings;
use conclave_tests::fixture::Fixture;
use conclave_tests::walk::{InHead, texts};
use conclave_tests::world::World;
use serde_json::Value;

use super::tencent_support::{Given, client, query, with_custom_keys};
use super::{Walk, everything, weighed};

/// Creates the groups and accounts that a request names, if possible.
async fn prepare(world: &World, body: &Value) {
    let mut named = Vec::new();
    texts(body, &mut named);
    let is_account = |text: &String| {
        !text.is_empty() && !text.chars().any(char::is_control) && text.len() <= 32 && !text.starts_with("@TGS#")
    };
    named.retain(is_account);
    named.extend(["leckie".to_owned(), "bob".to_owned()]);
    named.sort();
    named.dedup();
    let users: Vec<&str> = named.iter().map(String::as_str).collect();
    world.users(&users).await;
    let Some(id) = body["GroupId"].as_str().filter(|id| !id.is_empty()) else { return };
    let kind = if id.starts_with("@TGS#_") { "Community" } else { "Public" };
    let members: Vec<&str> = users.iter().copied().filter(|user| *user != "leckie").collect();
    Given::new(id, kind, "leckie").members(&members).make(world).await;
}

#[tokio::test]
async fn fields_of_tencents_commands_are_bounded_and_refused_in_its_words() {
    let settings = || Settings { auto_import: true, ..with_custom_keys() };
    let mut walk = Walk::default();
    for name in Fixture::names("tencent") {
        let fixture = Fixture::read("tencent", &name);
        let (path, body) = (fixture.request.path.clone(), &fixture.request.body);
        if !body.is_object() {
            continue;
        }
        for instead in everything() {
            for (field, changed) in instead.in_json(body) {
                if !walk.is_new(&path, &field, instead) {
                    continue;
                }
                let what = format!("{path} {field} {instead:?}");
                let (world, store) = weighed();
                prepare(&world, body).await;
                let client = client(&world, settings());
                let target = format!("{path}?{}", query());
                let answer = client.send(http::Method::POST, &target, &[], changed.to_string()).await;
                let code = answer.json()["ErrorCode"].as_u64().unwrap_or(1);
                walk.look(&what, &answer, [10002, 70500, 20005, 60008].contains(&code));
                walk.weigh(&what, &store);
            }
        }
    }
    walk.end();
}

#[tokio::test]
async fn heads_of_tencents_calls_are_bounded_and_refused_in_its_words() {
    let mut walk = Walk::default();
    for name in Fixture::names("tencent") {
        let fixture = Fixture::read("tencent", &name);
        let (path, body) = (fixture.request.path.clone(), &fixture.request.body);
        if !body.is_object() {
            continue;
        }
        let target = format!("{path}?{}", query());
        for instead in InHead::all() {
            let value = instead.in_header();
            let targets = instead.in_target(&target).into_iter().map(|(place, target)| (place, target, None));
            let header = ("content-type".to_owned(), target.clone(), Some(("content-type", value.as_str())));
            for (place, target, header) in targets.chain([header]) {
                if !walk.is_new_part(&path, &place, instead) {
                    continue;
                }
                let what = format!("{path} {place} {instead:?}");
                let (world, store) = weighed();
                prepare(&world, body).await;
                let client = client(&world, with_custom_keys());
                let answer = client.send(http::Method::POST, &target, header.as_slice(), body.to_string()).await;
                walk.look(&what, &answer, answer.status.is_server_error());
                walk.weigh(&what, &store);
            }
        }
    }
    walk.end();
}
