//! Generated documents are not stale.

use std::path::Path;

use conclave::vendors::Vendors;
use conclave::{Config, Gateway, config, routes};

fn check(name: &str, command: &str, fresh: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "docs/{name} is stale; refresh it with: {command}");
}

#[test]
fn the_configurations_reference_is_fresh() {
    let command = "cargo run --release -- config-reference > docs/configuration.md";
    check("configuration.md", command, &config::reference::markdown(&Vendors::standard()));
}

#[test]
fn the_list_of_routes_is_fresh() {
    let routes = Gateway::routes(&Config::development().unwrap()).unwrap();
    let command = "cargo run --release -- routes --markdown > docs/routes.md";
    check("routes.md", command, &routes::markdown(&routes));
}
