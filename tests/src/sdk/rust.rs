//! Rust, for SDKs that are crates: a suite is a package of its own, outside the workspace, with its own lock file.

use std::process::Command;

use super::toolbox::{cache, run, scripts};

const HINT: &str = "the suites need OpenSSL's headers, pkg-config and a registry that cargo can reach";

/// A command that runs the binary of the package in a folder below `tests/sdk`, built if it is not up to date.
pub fn command(folder: &str, binary: &str) -> Command {
    let target = cache().join("cargo");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(scripts().join(folder).join("Cargo.toml"));
    cargo.arg("--target-dir").arg(&target);
    run(&mut cargo, HINT);
    Command::new(target.join("debug").join(binary).with_extension(std::env::consts::EXE_EXTENSION))
}
