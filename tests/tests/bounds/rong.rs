//! RongCloud's server API.

use std::collections::BTreeMap;

use conclave_core::model::{Policy, Profile};
use conclave_core::operation::{CreateGroup, NewMember, OnUnknown, SetDisabled};
use conclave_rong::Settings;
use conclave_tests::fixture::Fixture;
use conclave_tests::house::{mounted, rong};
use conclave_tests::walk::InHead;
use conclave_tests::world::{World, group, user};
use http::Method;

use super::{Walk, everything, weighed};

/// Creates the group and the users that a form names.
async fn prepare(world: &World, path: &str, form: &str) {
    let value = |name: &str| {
        let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
    };
    let makes = path.ends_with("/create.json") || path.ends_with("/sync.json");
    let groups: Vec<String> = ["groupId", "toGroupId", "groupIds"].iter().flat_map(|name| value(name)).collect();
    let named = ["userId", "userIds", "owner", "newOwner", "fromUserId"].iter().flat_map(|name| value(name));
    let mut members: Vec<String> =
        named.flat_map(|ids| ids.split(',').map(str::to_owned).collect::<Vec<_>>()).collect();
    members.retain(|id| !id.is_empty() && id.len() < 60 && !id.contains('%'));
    members.sort();
    members.dedup();
    if makes {
        return;
    }
    for id in groups.iter().flat_map(|ids| ids.split(',')).filter(|id| !id.is_empty() && id.len() < 60) {
        let governed = path.starts_with("/entrust/") && !path.ends_with("/import.json");
        let make = CreateGroup {
            id: Some(group(id)),
            members: members.iter().map(|id| NewMember::now(user(id))).collect(),
            profile: Profile { fields: BTreeMap::new(), ..Profile::default() },
            governed,
            on_unknown_owner: OnUnknown::Register,
            on_unknown_member: OnUnknown::Register,
            ..CreateGroup::new(governed.then(|| user("the-owner")), Policy::standard())
        };
        world.run(make).await;
        world.run(SetDisabled { group: group(id), disabled: false }).await;
    }
}

#[tokio::test]
async fn fields_of_rongs_forms_are_bounded_and_refused_in_its_words() {
    let settings = || Settings { ext_keys: vec!["ext_k".to_owned()], ..Settings::default() };
    let mut walk = Walk::default();
    for name in Fixture::names("rong") {
        let fixture = Fixture::read("rong", &name);
        if name.starts_with("error.") {
            continue;
        }
        let path = &fixture.request.path;
        let Some(form) = fixture.request.body.as_str() else { continue };
        let headers: Vec<(&str, &str)> =
            fixture.request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        for instead in everything() {
            for (field, changed) in instead.in_form(form) {
                if !walk.is_new(path, &field, instead) {
                    continue;
                }
                let what = format!("{path} {field} {instead:?}");
                let (world, store) = weighed();
                prepare(&world, path, form).await;
                let client = mounted(rong(&world, settings()));
                let answer = client.send(Method::POST, path, &headers, changed).await;
                walk.look(&what, &answer, answer.status.is_server_error());
                walk.weigh(&what, &store);
            }
        }
    }
    walk.end();
}

#[tokio::test]
async fn heads_of_rongs_calls_are_bounded_and_refused_in_its_words() {
    let mut walk = Walk::default();
    for name in Fixture::names("rong") {
        let fixture = Fixture::read("rong", &name);
        let path = &fixture.request.path;
        let (false, Some(form)) = (name.starts_with("error."), fixture.request.body.as_str()) else { continue };
        let headers: Vec<(&str, &str)> =
            fixture.request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        for instead in InHead::all() {
            let value = instead.in_header();
            let targets = instead.in_target(path).into_iter().map(|(place, target)| (place, target, headers.clone()));
            let replaced = (0..headers.len()).map(|at| {
                let mut headers = headers.clone();
                headers[at].1 = &value;
                (headers[at].0.to_owned(), path.clone(), headers)
            });
            for (place, target, headers) in targets.chain(replaced) {
                if !walk.is_new_part(path, &place, instead) {
                    continue;
                }
                let what = format!("{path} {place} {instead:?}");
                let (world, store) = weighed();
                prepare(&world, path, form).await;
                let client = mounted(rong(&world, Settings::default()));
                let answer = client.send(Method::POST, &target, &headers, form.to_owned()).await;
                walk.look(&what, &answer, answer.status.is_server_error());
                walk.weigh(&what, &store);
            }
        }
    }
    walk.end();
}
