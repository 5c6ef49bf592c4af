//! One group with clients of all three vendors in it, each with its vendor's own SDK, unmodified: what one client does
//! is received by the others once, as their own vendor sends it, and all three server APIs read the same group.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod calls;
mod cast;
mod clients;
mod demo;
#[path = "../random_story/dice.rs"]
mod dice;
mod events;
mod lists;
mod matrix;
mod page;
mod several;
mod steps;
mod together;

use std::collections::BTreeSet;
use std::path::Path;

use conclave_core::operation::Operation;
use conclave_tests::ledger::check_fresh;

use crate::cast::{Cast, Story};
use crate::matrix::Matrix;
use crate::steps::{STEPS, VENDORS, WITHOUT_STEP};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/one_group/matrix.json");
const SEMANTICS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/semantics.md");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/matrix.md");

/// Each neutral operation has a step, or a reason why not.
#[test]
fn every_operation_has_its_steps() {
    let stepped: BTreeSet<&str> = STEPS.iter().map(|step| step.operation).collect();
    let without: BTreeSet<&str> = WITHOUT_STEP.iter().map(|(operation, _)| *operation).collect();
    let both: Vec<_> = stepped.intersection(&without).collect();
    assert!(both.is_empty(), "these have steps: {both:?}");
    let all: BTreeSet<&str> = stepped.union(&without).copied().collect();
    assert_eq!(all, Operation::NAMES.iter().copied().collect());
}

/// Every loss that is declared is explained in the semantics.
#[test]
fn every_loss_is_explained() {
    let semantics = std::fs::read_to_string(SEMANTICS).expect("the semantics");
    let anchors: BTreeSet<String> = semantics
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|heading| {
            heading
                .to_lowercase()
                .replace(|letter: char| !letter.is_alphanumeric() && letter != ' ', "")
                .replace(' ', "-")
        })
        .collect();
    for why in matrix::losses() {
        let anchor = why.split_once("(semantics.md#").and_then(|(_, rest)| rest.split_once(')'));
        let (anchor, _) = anchor.unwrap_or_else(|| panic!("no link to the semantics: {why}"));
        assert!(anchors.contains(anchor), "no such heading: {anchor}");
    }
}

/// The recorded matrix has no difference that is not declared, no cell that was not run, and its page is fresh.
#[test]
fn the_recorded_matrix_is_whole() {
    let text = std::fs::read_to_string(RECORDED).expect("the matrix");
    let matrix: Matrix = serde_json::from_str(&text).expect("the matrix");
    let all = STEPS.iter().flat_map(|step| VENDORS.map(|acting| (step.name, acting)));
    let untested: Vec<_> = all.filter(|(step, acting)| matrix.cell(step, *acting).is_none()).collect();
    assert!(untested.is_empty(), "not run: {untested:?}");
    let undeclared = matrix.undeclared();
    assert!(undeclared.is_empty(), "not as the vendor sends it, and not declared:\n{}", undeclared.join("\n"));
    check_fresh(Path::new(PAGE), &page::page(&matrix), "one_group");
}

/// Every step is done by a client of each vendor, and observed by clients of all three.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_of_one_vendor_does_is_received_by_the_clients_of_all() {
    let recorded = Matrix::read(Path::new(RECORDED));
    let cast = Cast::sign_in().await;
    let mut matrix = Matrix::default();
    for acting in VENDORS {
        let mut story = Story::begin(acting);
        for step in STEPS {
            let expected = recorded.as_ref().and_then(|recorded| recorded.cell(step.name, acting));
            let cell = cast.perform(&mut story, step, expected).await;
            matrix.add(step.name, acting, cell);
            cast.check_that_all_read_the_same(&story, step).await;
        }
    }
    if let Some(recorded) = &recorded {
        let differences = matrix.differences(recorded);
        assert!(differences.is_empty(), "received otherwise than recorded:\n{}", differences.join("\n"));
    }
    check_fresh(Path::new(RECORDED), &matrix.to_json(), "one_group");
    let undeclared = matrix.undeclared();
    assert!(undeclared.is_empty(), "not as the vendor sends it, and not declared:\n{}", undeclared.join("\n"));
    check_fresh(Path::new(PAGE), &page::page(&matrix), "one_group");
}
