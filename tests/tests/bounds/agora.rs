//! Agora's REST calls.

use conclave_agora::Settings;
use conclave_tests::fixture::Fixture;
use conclave_tests::walk::{InHead, texts};
use conclave_tests::world::World;
use http::Method;
use serde_json::Value;

use super::agora_support::{Setting, app_token, client};
use super::{Walk, everything, weighed};

/// Creates the accounts that a request names, and the documented groups.
async fn prepare(world: &World, path: &str, body: &Value) {
    let mut named = Vec::new();
    texts(body, &mut named);
    named.extend(path.split('/').map(str::to_owned));
    named.extend(["user1", "user2", "user3"].map(str::to_owned));
    let is_account = |text: &String| {
        (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    named.retain(is_account);
    named.sort();
    named.dedup();
    let registers = path.ends_with("/users") && !path.contains("chatgroups");
    let users: Vec<&str> = named.iter().map(String::as_str).collect();
    if !registers {
        world.users(&users).await;
    }
    let ids = path.split('/').chain(named.iter().map(String::as_str)).filter(|part| part.len() > 10);
    let mut groups: Vec<&str> = ids.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit())).collect();
    groups.sort_unstable();
    groups.dedup();
    for id in groups {
        Setting { id, ..Setting::documented() }.make(world).await;
    }
}

#[tokio::test]
async fn fields_of_agoras_bodies_are_bounded_and_refused_in_its_words() {
    let mut walk = Walk::default();
    for name in Fixture::names("agora") {
        let fixture = Fixture::read("agora", &name);
        let body = &fixture.request.body;
        if name.starts_with("error-") || name == "file.upload" || !(body.is_object() || body.is_array()) {
            continue;
        }
        let (path, method) = (&fixture.request.path, &fixture.request.method);
        for instead in everything() {
            for (field, changed) in instead.in_json(body) {
                if !walk.is_new(&format!("{method} {path}"), &field, instead) {
                    continue;
                }
                let what = format!("{method} {path} {field} {instead:?}");
                let (world, store) = weighed();
                prepare(&world, path, body).await;
                let client = client(&world, Settings::default());
                let bearer = format!("Bearer {}", app_token(&client).await);
                let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
                let method: Method = method.parse().unwrap();
                let answer = client.send(method, path, &headers, changed.to_string()).await;
                walk.look(&what, &answer, answer.status.is_server_error());
                walk.weigh(&what, &store);
            }
        }
    }
    walk.end();
}

/// Headers that Agora's calls read.
const HEADERS: [&str; 5] = ["authorization", "content-type", "restrict-access", "share-secret", "thumbnail"];

#[tokio::test]
async fn heads_of_agoras_calls_are_bounded_and_refused_in_its_words() {
    let mut walk = Walk::default();
    for name in Fixture::names("agora") {
        let fixture = Fixture::read("agora", &name);
        let (path, method, body) = (&fixture.request.path, &fixture.request.method, &fixture.request.body);
        if name.starts_with("error-") || name == "file.upload" {
            continue;
        }
        for instead in InHead::all() {
            let targets = instead.in_target(path).into_iter().map(|(place, target)| (place, target, None));
            let headers = HEADERS.map(|header| (header.to_owned(), path.clone(), Some(header)));
            for (place, target, header) in targets.chain(headers) {
                if !walk.is_new_part(&format!("{method} {path}"), &place, instead) {
                    continue;
                }
                let what = format!("{method} {path} {place} {instead:?}");
                let (world, store) = weighed();
                prepare(&world, path.split('?').next().unwrap(), body).await;
                let client = client(&world, Settings::default());
                let bearer = format!("Bearer {}", app_token(&client).await);
                let mut headers = vec![("content-type", "application/json"), ("authorization", bearer.as_str())];
                let value = instead.in_header();
                if let Some(header) = header {
                    headers.retain(|(name, _)| *name != header);
                    headers.push((header, value.as_str()));
                }
                let text = if body.is_null() { String::new() } else { body.to_string() };
                let answer = client.send(method.parse::<Method>().unwrap(), &target, &headers, text).await;
                walk.look(&what, &answer, answer.status.is_server_error());
                walk.weigh(&what, &store);
            }
        }
    }
    walk.end();
}
