//! One group with clients of all three vendors in it, each with its vendor's own SDK, unmodified: what one client does
//! is received by the others once, as their own vendor sends it, and all three server APIs read the same group.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod calls;
mod cast;
mod events;
mod matrix;
mod page;
mod steps;

use std::path::Path;

use conclave_tests::ledger::check_fresh;

use crate::cast::{Cast, Story};
use crate::matrix::Matrix;
use crate::steps::{STEPS, VENDORS};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/one_group/matrix.json");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/matrix.md");

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
