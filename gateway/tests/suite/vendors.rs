//! The gateway knows vendors by their registration only.

use std::path::Path;

/// Words that name a vendor.
const NAMES: [&str; 6] = ["agora", "easemob", "tencent", "usersig", "rong", "rongcloud"];

/// The one file that registers vendors.
const REGISTRATION: &str = "vendors.rs";

/// Changes of data that released versions wrote, under labels that their adapters chose. They are never changed.
const OLD_DATA: &str = "upgrade/steps.rs";

#[test]
fn nothing_but_the_registration_names_a_vendor() {
    let mut named = Vec::new();
    let mut looked_at = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = path.file_name().unwrap().to_str().unwrap();
            // tests name vendors to try the gateway with them
            if file == REGISTRATION || file == "tests.rs" || path.ends_with(OLD_DATA) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            looked_at += 1;
            for (number, line) in code.lines().enumerate() {
                let words = line.split(|c: char| !c.is_ascii_alphabetic()).map(str::to_lowercase);
                if words
                    .into_iter()
                    .any(|word| NAMES.iter().any(|name| word == *name || word == format!("conclave{name}")))
                {
                    named.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
                }
            }
        }
    }
    assert!(looked_at > 30, "only {looked_at} files were found");
    assert!(named.is_empty(), "{named:#?}");
}
