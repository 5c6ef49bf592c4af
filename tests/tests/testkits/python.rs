//! The kit for Python.

use std::path::Path;
use std::process::Command;

use conclave_tests::sdk::python::{environment, interpreter, run};

use crate::house::{example, kits, succeeds, with_binary};

/// Runs test files with pytest, where the kit is installed; what pytest prints.
async fn pytest(tests: &Path) -> String {
    let installed = || {
        let kit = kits().join("python");
        let locks = [kit.join("requirements-test.txt"), kit.join("pyproject.toml")];
        let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/build-requirements.txt");
        environment("testkit", &[build, locks[0].clone()], &locks[1..], |python| {
            let mut pip = Command::new(python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
            // the kit's sources themselves, as they are now
            pip.args(["--no-build-isolation", "--editable"]).arg(&kit);
            run(&mut pip);
        })
    };
    let place = tokio::task::spawn_blocking(installed).await.unwrap();
    let mut python = Command::new(interpreter(&place));
    python.args(["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(tests).current_dir(tests.parent().unwrap());
    succeeds(with_binary(python)).await
}

#[tokio::test]
async fn its_own_tests_pass() {
    let printed = pytest(&kits().join("python/tests/test_kit.py")).await;
    assert!(printed.contains("9 passed"), "{printed}");
}

#[tokio::test]
async fn the_example_of_its_readme_passes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test_example.py");
    std::fs::write(&file, example("python", "python")).unwrap();
    let printed = pytest(&file).await;
    assert!(printed.contains("3 passed"), "{printed}");
}

/// The wheel with the binary is a command of the environment that it is installed in, and the kit finds it there.
#[tokio::test]
async fn the_binary_of_an_installed_wheel_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = kits().join("..").canonicalize().unwrap();
    let binary = env!("CARGO_BIN_EXE_conclave_under_test");
    let mut wheel = Command::new("python3");
    wheel.arg(kits().join("packages/wheel.py")).args([binary, "0.1.0"]).arg(root).arg(folder.path());
    let wheel = succeeds(wheel).await;
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(folder.path().join("venv"));
    succeeds(venv).await;
    let python = interpreter(&folder.path().join("venv"));
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", wheel.trim()]);
    succeeds(pip).await;
    let mut kit = Command::new(&python);
    kit.args(["-B", "-c", "import conclave_testkit as kit\nwith kit.start() as gateway: gateway.realms()"]);
    let mut kit = with_binary(kit);
    kit.env_remove("CONCLAVE_BINARY").env("PYTHONPATH", kits().join("python/src"));
    succeeds(kit).await;
}
