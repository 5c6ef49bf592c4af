//! What the suites of all kits need.

use std::path::PathBuf;
use std::process::Command;

/// The folder of the kits.
pub fn kits() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../testkits")).canonicalize().unwrap()
}

/// The first block of this language in a kit's README.
pub fn example(kit: &str, language: &str) -> String {
    let readme = std::fs::read_to_string(kits().join(kit).join("README.md")).unwrap();
    let begin = format!("```{language}\n");
    let (_, block) = readme.split_once(&begin).unwrap_or_else(|| panic!("{kit}'s README has no {language} block"));
    block.split_once("```").unwrap().0.to_owned()
}

/// A command whose kit starts the binary of this build, and nothing else.
pub fn with_binary(mut command: Command) -> Command {
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("CONCLAVE_")) {
        command.env_remove(key);
    }
    command.env("CONCLAVE_BINARY", env!("CARGO_BIN_EXE_conclave_under_test"));
    command
}

/// Runs it to its end, which must be a success; what it prints.
pub async fn succeeds(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out.into_owned()
}
