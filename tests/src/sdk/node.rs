//! Node.js and the packages of `tests/sdk/package-lock.json`.

use std::fs;
use std::process::Command;

use super::toolbox::{installed, run, scripts};

const HINT: &str = "the suites need Node.js 20 or later with npm, and a package registry that npm can reach";

/// A command that runs a script, named by its path below `tests/sdk`, with the locked packages at hand.
pub fn command(script: &str) -> Command {
    let locks = ["package.json", "package-lock.json"].map(|name| scripts().join(name));
    let folder = installed("node", &locks, |folder| {
        for name in ["package.json", "package-lock.json", ".npmrc"] {
            fs::copy(scripts().join(name), folder.join(name)).expect("a copy");
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        run(&mut npm, HINT);
        link(&scripts(), &folder.join("scripts"));
    });
    // seen from the folder of the packages, the scripts find them in the usual way
    let mut command = Command::new("node");
    command.args(["--preserve-symlinks", "--preserve-symlinks-main"]).arg(folder.join("scripts").join(script));
    command
}

#[cfg(unix)]
fn link(to: &std::path::Path, at: &std::path::Path) {
    std::os::unix::fs::symlink(to, at).expect("a link");
}

#[cfg(windows)]
fn link(to: &std::path::Path, at: &std::path::Path) {
    std::os::windows::fs::symlink_dir(to, at).expect("a link");
}
