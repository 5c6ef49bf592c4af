//! The kit for Node.js.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use conclave_tests::sdk::node::{link, packages};

use crate::house::{example, kits, succeeds, with_binary};

/// Runs a test file in a folder with the kit and SDKs installed; what the runner reports.
async fn run(test: String) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kit.test.mjs"), test).unwrap();
    run_in(folder.path()).await
}

/// Runs the tests of a folder, where the kit and SDKs are installed before.
async fn run_in(folder: &Path) -> String {
    let installed = tokio::task::spawn_blocking(|| (packages(""), packages("tencent/chat/3.6.6"))).await.unwrap();
    let modules = folder.join("node_modules");
    std::fs::create_dir_all(modules.join("@tencentcloud")).unwrap();
    let here = |name: &str, from: &Path| link(&from.join("node_modules").join(name), &modules.join(name));
    link(&kits().join("node"), &modules.join("conclave-testkit"));
    for name in ["agora-chat", "rongcloud-sdk", "ws", "xmlhttprequest-ssl"] {
        here(name, &installed.0);
    }
    here("@tencentcloud/chat", &installed.1);
    let mut node = Command::new("node");
    node.args(["--test", "--test-force-exit", "--test-reporter=tap"]).current_dir(folder);
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

#[tokio::test]
async fn the_worked_example_passes() {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(kits().join("example")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let begun = Instant::now();
    assert_eq!(passed(&run_in(folder.path()).await), 5);
    // less than ten seconds on a machine that does nothing else
    println!("the worked example took {:?}", begun.elapsed());
}

#[tokio::test]
async fn the_binary_of_an_installed_package_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("node_modules/conclave-gateway");
    std::fs::create_dir_all(package.join("bin")).unwrap();
    let template = kits().join("packages/npm");
    std::fs::copy(template.join("index.js"), package.join("index.js")).unwrap();
    std::fs::copy(template.join("package.json"), package.join("package.json")).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_conclave_under_test"), package.join("bin/conclave")).unwrap();
    // resolved beside the kit, so that is copied too
    let kit = folder.path().join("node_modules/conclave-testkit");
    std::fs::create_dir_all(kit.join("src")).unwrap();
    std::fs::copy(kits().join("node/package.json"), kit.join("package.json")).unwrap();
    for entry in std::fs::read_dir(kits().join("node/src")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, kit.join("src").join(path.file_name().unwrap())).unwrap();
    }
    let test = "import { start } from 'conclave-testkit'; const gateway = await start(); await gateway.stop();";
    let mut node = Command::new("node");
    node.args(["--input-type=module", "-e", test]).current_dir(folder.path());
    let mut node = with_binary(node);
    node.env_remove("CONCLAVE_BINARY");
    succeeds(node).await;
}
