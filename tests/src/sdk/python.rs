//! Python and the packages of one SDK's `requirements.txt`.
//!
//! One environment for each SDK: two of them install a package of the same name.

use std::path::Path;
use std::process::Command;

use super::toolbox::{installed, run, scripts};

const HINT: &str = "the suites need Python 3.11 or later with venv, and a package index that pip can reach";

/// A command that runs a script, named by its path below `tests/sdk`, with the packages locked beside it.
pub fn command(script: &str) -> Command {
    let path = scripts().join(script);
    let folder = path.parent().expect("a script lies in its SDK's folder");
    let name = folder.file_name().expect("an SDK's folder has a name").to_string_lossy().into_owned();
    let (build, packages) = (scripts().join("build-requirements.txt"), folder.join("requirements.txt"));
    let place = installed(&name, &[build.clone(), packages.clone()], |place| {
        run(Command::new("python3").args(["-m", "venv"]).arg(place), HINT);
        // source packages are built with locked tools too
        for list in [&build, &packages] {
            let mut pip = Command::new(python(place));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
            pip.args(["--no-build-isolation", "--require-hashes", "-r"]).arg(list);
            run(&mut pip, HINT);
        }
    });
    let mut command = Command::new(python(&place));
    command.args(["-B", "-u"]).arg(path).env("PYTHONPATH", scripts());
    command
}

fn python(place: &Path) -> std::path::PathBuf {
    place.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}
