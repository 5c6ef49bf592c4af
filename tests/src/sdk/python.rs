//! Python and the packages of one SDK's `requirements.txt`.
//!
//! One environment for each SDK: two of them install a package of the same name.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::toolbox::{installed, run as run_command, scripts};

const HINT: &str = "the suites need Python 3.11 or later with venv, and a package index that pip can reach";

/// A command that runs a script, named by its path below `tests/sdk`, with the packages locked beside it.
pub fn command(script: &str) -> Command {
    let path = scripts().join(script);
    let folder = path.parent().expect("a script lies in its SDK's folder");
    let name = folder.file_name().expect("an SDK's folder has a name").to_string_lossy().into_owned();
    let locks = [scripts().join("build-requirements.txt"), folder.join("requirements.txt")];
    let place = environment(&name, &locks, &[], |_| {});
    let mut command = Command::new(interpreter(&place));
    command.args(["-B", "-u"]).arg(path).env("PYTHONPATH", scripts());
    command
}

/// An environment with the packages of these lists, in their order, and what `finish` installs with its interpreter.
/// It is installed again when a list or one of the `other` files has changed.
pub fn environment(name: &str, lists: &[PathBuf], other: &[PathBuf], finish: impl FnOnce(&Path)) -> PathBuf {
    installed(name, &[lists, other].concat(), |place| {
        run_command(Command::new("python3").args(["-m", "venv"]).arg(place), HINT);
        // source packages are built with locked tools too
        for list in lists {
            let mut pip = Command::new(interpreter(place));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
            pip.args(["--no-build-isolation", "--require-hashes", "-r"]).arg(list);
            run(&mut pip);
        }
        finish(&interpreter(place));
    })
}

/// Runs a command that installs packages; panics with its output when it fails.
pub fn run(command: &mut Command) {
    run_command(command, HINT);
}

/// The interpreter of an environment.
pub fn interpreter(place: &Path) -> PathBuf {
    place.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}
