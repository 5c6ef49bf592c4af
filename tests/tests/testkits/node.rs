//! The kit for Node.js.

use std::path::Path;
use std::process::Command;

use conclave_tests::sdk::node::{link, packages};

use crate::house::{example, kits, succeeds, with_binary};

/// Runs a test file in a folder with the kit and these SDKs installed; what the runner reports.
async fn run(test: String) -> String {
    let installed = tokio::task::spawn_blocking(|| (packages(""), packages("tencent/chat/3.6.6"))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let modules = folder.path().join("node_modules");
    std::fs::create_dir_all(modules.join("@tencentcloud")).unwrap();
    let here = |name: &str, from: &Path| link(&from.join("node_modules").join(name), &modules.join(name));
    link(&kits().join("node"), &modules.join("conclave-testkit"));
    for name in ["rongcloud-sdk", "ws"] {
        here(name, &installed.0);
    }
    here("@tencentcloud/chat", &installed.1);
    let file = folder.path().join("kit.test.mjs");
    std::fs::write(&file, test).unwrap();
    let mut node = Command::new("node");
    node.args(["--test", "--test-force-exit", "--test-reporter=tap"]).arg(file).current_dir(folder.path());
    succeeds(with_binary(node)).await
}

/// The number of tests that passed.
fn passed(report: &str) -> u32 {
    let line = report.lines().find_map(|line| line.strip_prefix("# pass ")).unwrap_or_else(|| panic!("{report}"));
    line.parse().unwrap()
}

#[tokio::test]
async fn its_own_tests_pass() {
    let test = std::fs::read_to_string(kits().join("node/test/kit.test.mjs")).unwrap();
    assert_eq!(passed(&run(test).await), 10);
}

#[tokio::test]
async fn the_example_of_its_readme_passes() {
    assert_eq!(passed(&run(example("node", "js")).await), 3);
}
