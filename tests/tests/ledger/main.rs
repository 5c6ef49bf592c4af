//! Every operation in the vendors' documents is served or declined, and the documents about them are true.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod effects;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use conclave_tests::ledger::callbacks::Known;
use conclave_tests::ledger::catalogue::{Catalogue, Served, ServedOperation, VENDORS};
use conclave_tests::ledger::evidence::{Driven, Evidence};
use conclave_tests::ledger::{check_fresh, page};

#[test]
fn every_operation_is_served_or_declined_with_a_reason() {
    let served = Served::ask();
    for vendor in VENDORS {
        let mut routes: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
        for route in served.of(vendor) {
            routes.entry((route.operation, route.path)).or_default().insert(route.method.to_string());
        }
        let file = format!("fixtures/{vendor}/catalogue.toml");
        let catalogue = Catalogue::read(vendor);
        let mut names = BTreeSet::new();
        for operation in catalogue.operations() {
            let name = operation.name.as_str();
            assert!(names.insert(name), "{file} has {name} twice");
            let (method, path) = operation.call.split_once(' ').unwrap_or_else(|| panic!("{file}: {name} has no call"));
            let methods = routes.remove(&(name, path));
            for path in &operation.also {
                let other = routes.remove(&(name, path.as_str()));
                assert_eq!(other, methods, "{file}: {path} is another path of {name}, but is not served like it");
            }
            match (&operation.declined, methods) {
                (None, Some(methods)) => assert!(methods.contains(method), "{file}: {name} is served as {methods:?}"),
                (Some(_), None) => {
                    let taken = served.of(vendor).any(|route| route.path == path && route.method == method);
                    assert!(!taken, "{file}: {name} is declined, but {} is served", operation.call);
                }
                (Some(_), Some(_)) => panic!("{file}: {name} is served now: take its reason away"),
                (None, None) => panic!("{file}: {name} is not served: say why, or name its route as the gateway does"),
            }
            assert!(operation.declined.as_ref().is_none_or(|reason| reason.len() > 10), "{file}: {name} has no reason");
        }
        assert!(routes.is_empty(), "served, but not in {file}: {routes:?}");
    }
}

#[test]
fn what_the_suites_drive_is_served() {
    for Driven { sdk, vendor, operations, .. } in Driven::all() {
        let catalogue = Catalogue::read(&vendor);
        for operation in operations {
            let served = catalogue.operations().any(|known| known.name == operation && known.declined.is_none());
            assert!(served, "{sdk} drives {operation}, which is not in the catalogue");
        }
    }
}

#[test]
fn an_sdk_has_a_call_for_each_operation_and_drives_it_or_it_is_said_why_not() {
    let evidence = Evidence::gather(&Served::ask());
    for vendor in VENDORS {
        let file = format!("fixtures/{vendor}/catalogue.toml");
        for ServedOperation { operation, reach, .. } in Catalogue::read(vendor).served() {
            let name = &operation.name;
            match (evidence.driven.get(&(vendor.to_owned(), name.clone())), reach) {
                (Some(_), None) => {}
                (None, Some(reason)) => assert!(reason.len() > 10, "{file}: {name} has no reason"),
                (Some(sdks), Some(_)) => panic!("{file}: {name} is driven by {sdks:?}: take its reason away"),
                (None, None) => panic!(
                    "{file}: no suite in tests/sdk drives {name} by a call that an SDK has for it: let one do so, or, \
                     where none has one, say that as its `reach` and drive it by an SDK's general call"
                ),
            }
        }
    }
}

#[test]
fn other_vendors_show_each_operation_or_the_reason_is_given() {
    let evidence = Evidence::gather(&Served::ask());
    for vendor in VENDORS {
        let file = format!("fixtures/{vendor}/catalogue.toml");
        for ServedOperation { operation, alone, .. } in Catalogue::read(vendor).served() {
            let name = &operation.name;
            match (evidence.effects.get(&(vendor.to_owned(), name.clone())), alone) {
                (Some(_), None) => {}
                (None, Some(reason)) => assert!(reason.len() > 10, "{file}: {name} has no reason"),
                (Some(others), Some(_)) => panic!("{file}: {others:?} show {name}: remove its reason"),
                (None, None) => panic!(
                    "{file}: no scenario in fixtures/effects reads an effect of {name} through another vendor: add one, or say \
                     as its `alone` why none can"
                ),
            }
        }
    }
}

#[test]
fn nearly_all_is_driven_by_sdks() {
    let evidence = Evidence::gather(&Served::ask());
    for vendor in VENDORS {
        let catalogue = Catalogue::read(vendor);
        let known = |driven: &BTreeMap<(String, String), BTreeSet<String>>, name: &str| {
            driven.contains_key(&(vendor.to_owned(), name.to_owned()))
        };
        let (driven, left): (Vec<&str>, Vec<&str>) = catalogue
            .served()
            .map(|served| served.operation.name.as_str())
            .partition(|name| known(&evidence.driven, name) || known(&evidence.driven_generally, name));
        let all = driven.len() + left.len();
        // the rest has calls only in SDKs of languages whose registries the suites do not install from
        assert!(driven.len() * 100 >= all * 85, "{vendor}: SDKs drive {} of {all}, but not {left:?}", driven.len());
    }
}

#[test]
fn every_callback_is_sent_or_declined_with_a_reason() {
    let Known { samples, mut pinned } = Known::gather();
    for vendor in VENDORS {
        let file = format!("fixtures/{vendor}/catalogue.toml");
        let mut names = BTreeSet::new();
        for callback in Catalogue::read(vendor).all_callbacks() {
            let (name, key) = (&callback.name, (vendor.to_owned(), callback.name.clone()));
            assert!(names.insert(name.clone()), "{file} has the callback {name} twice");
            let is_pinned = pinned.remove(&key).is_some();
            match &callback.declined {
                None => assert!(is_pinned, "{file}: the callback {name} is pinned nowhere: say why it is not sent"),
                Some(reason) => {
                    assert!(reason.len() > 10, "{file}: the callback {name} has no reason");
                    assert!(!is_pinned && !samples.contains_key(&key), "{file}: the callback {name} is sent now");
                }
            }
        }
    }
    assert!(pinned.is_empty(), "sent, but in no catalogue: {pinned:?}");
}

#[test]
fn every_event_of_clients_is_pinned_or_declined_with_a_reason() {
    for vendor in VENDORS {
        for section in &Catalogue::read(vendor).events {
            let problems = section.problems();
            assert!(problems.is_empty(), "fixtures/{vendor}/catalogue.toml, {}: {problems:#?}", section.name);
        }
    }
}

#[test]
fn the_ledger_is_fresh() {
    let evidence = Evidence::gather(&Served::ask());
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    check_fresh(&docs.join("coverage.md"), &page::coverage(), "ledger");
    check_fresh(&docs.join("evidence.md"), &page::evidence(&evidence, &Known::gather()), "ledger");
}
