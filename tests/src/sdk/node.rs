//! Node.js and the packages of `tests/sdk/package-lock.json`, or of another lock file below.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::toolbox::{installed, run, scripts};

/// The usual paths of a browser.
const CHROMIUM: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const HINT: &str = "the suites need Node.js 20 or later with npm, and a package registry that npm can reach";

/// A command that runs a script, named by its path below `tests/sdk`, with the locked packages.
pub fn command(script: &str) -> Command {
    // run in the folder of the packages, so that scripts find them in the usual way
    let mut command = Command::new("node");
    let script = packages("").join("scripts").join(script);
    command.args(["--preserve-symlinks", "--preserve-symlinks-main"]).arg(script);
    command
}

/// The browser.
pub fn chromium() -> &'static str {
    let found = CHROMIUM.into_iter().find(|path| Path::new(path).exists());
    found.unwrap_or_else(|| panic!("no browser is installed: apt-get install chromium"))
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

/// Makes a folder appear at another path.
#[cfg(unix)]
pub fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).expect("a link");
}

/// Makes a folder appear at another path.
#[cfg(windows)]
pub fn link(to: &Path, at: &Path) {
    std::os::windows::fs::symlink_dir(to, at).expect("a link");
}
