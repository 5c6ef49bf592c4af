//! Node.js and the packages of `tests/sdk/package-lock.json`, or of another lock file below.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::toolbox::{installed, run, scripts};

const HINT: &str = "the suites need Node.js 20 or later with npm, and a package registry that npm can reach";

/// A command that runs a script, named by its path below `tests/sdk`, with the locked packages at hand.
pub fn command(script: &str) -> Command {
    // seen from the folder of the packages, the scripts find them in the usual way
    let mut command = Command::new("node");
    let script = packages("").join("scripts").join(script);
    command.args(["--preserve-symlinks", "--preserve-symlinks-main"]).arg(script);
    command
}

/// The folder with the packages that are locked in a folder below `tests/sdk`.
pub fn packages(locked: &str) -> PathBuf {
    let from = scripts().join(locked);
    let locks = ["package.json", "package-lock.json"].map(|name| from.join(name));
    let name = if locked.is_empty() { "node".to_owned() } else { format!("node-{}", locked.replace('/', "-")) };
    installed(&name, &locks, |folder| {
        for lock in &locks {
            fs::copy(lock, folder.join(lock.file_name().expect("a name"))).expect("a copy");
        }
        fs::copy(scripts().join(".npmrc"), folder.join(".npmrc")).expect("a copy");
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        run(&mut npm, HINT);
        link(&scripts(), &folder.join("scripts"));
    })
}

#[cfg(unix)]
fn link(to: &std::path::Path, at: &std::path::Path) {
    std::os::unix::fs::symlink(to, at).expect("a link");
}

#[cfg(windows)]
fn link(to: &std::path::Path, at: &std::path::Path) {
    std::os::windows::fs::symlink_dir(to, at).expect("a link");
}
