//! The reference of the configuration, generated from the sections themselves.

use std::fmt::Write as _;

use conclave_kit::Setting;

use crate::vendors::Vendors;

use super::env::variable;
use super::file::{Limits, Log, RealmLimits, RootSection, TlsSection, Traces, VendorSection};

/// One key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its path from the top; `<name>` is a placeholder for a realm's name.
    pub path: Vec<&'static str>,
    /// Its type.
    pub kind: &'static str,
    /// Its default; `None` when it is required.
    pub default: Option<&'static str>,
    /// What it does.
    pub about: &'static str,
}

impl Key {
    /// The values it accepts, in words.
    pub fn takes(&self) -> &'static str {
        let kind = self.kind.trim_start_matches("Option<");
        match kind.trim_end_matches('>') {
            "bool" => "true or false",
            "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => "a whole number",
            "Address" => "an address",
            "PathBuf" => "a path",
            kind if kind.starts_with("Vec<") || kind.starts_with("BTreeSet<") => "a list",
            kind if kind.starts_with("BTreeMap<") => "a table",
            _ => "text",
        }
    }
}

/// A table of the file.
struct Section {
    path: Vec<&'static str>,
    about: String,
    required: &'static [(&'static str, &'static str)],
    optional: &'static [Setting],
}

/// All tables, in the order of the document.
fn sections(vendors: &Vendors) -> Vec<Section> {
    let own = |path: &[&'static str], about: &str, optional| Section {
        path: path.to_vec(),
        about: about.to_owned(),
        required: &[],
        optional,
    };
    let mut sections = vec![
        own(&[], "At the top of the file.", RootSection::REFERENCE),
        own(&["tls"], "Encryption of every listener but those of `admin` and `control`.", TlsSection::REFERENCE),
        own(&["log"], "Logs, on standard error.", Log::REFERENCE),
        own(
            &["traces"],
            "OpenTelemetry traces, in binaries built with `--features traces`. See [operations.md](operations.md).",
            Traces::REFERENCE,
        ),
        own(
            &["limits"],
            "Limits of the process. Beyond them clients get the vendor's own error, where it has one.",
            Limits::REFERENCE,
        ),
    ];
    sections.extend(vendors.iter().map(|vendor| {
        let about = format!("The addresses of {}'s surface.", vendor.title());
        own(&["vendor", vendor.name()], &about, VendorSection::REFERENCE)
    }));
    sections.push(own(&["realm", "<name>", "limits"], "A realm's limits over all vendors.", RealmLimits::REFERENCE));
    for vendor in vendors.iter() {
        sections.extend(vendor.tables().into_iter().map(|table| Section {
            path: [&["realm", "<name>", vendor.name()], table.path].concat(),
            about: table.about.to_owned(),
            required: table.required,
            optional: table.optional,
        }));
    }
    sections
}

/// Every key. A longer path comes before a shorter one that it ends with, so that the first match is the most specific.
pub fn keys(vendors: &Vendors) -> Vec<Key> {
    let sections = sections(vendors);
    let mut keys: Vec<Key> = sections.iter().flat_map(|section| keys_of(section, &sections)).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.path.len()));
    keys
}

fn keys_of(section: &Section, all: &[Section]) -> Vec<Key> {
    let path = |key: &'static str| [&section.path[..], &[key]].concat();
    let required = section.required.iter().map(|(key, kind)| Key {
        path: path(key),
        kind,
        default: kind.starts_with("Option<").then_some("None"),
        about: "",
    });
    // keys that are sections of their own are not listed twice
    let optional = section.optional.iter().filter(|setting| !is_section(section, setting.key, all)).map(|setting| {
        Key { path: path(setting.key), kind: setting.kind.0, default: Some(setting.default), about: setting.about }
    });
    required.chain(optional).collect()
}

fn is_section(section: &Section, key: &str, all: &[Section]) -> bool {
    let below = section.path.len();
    all.iter().any(|other| other.path.starts_with(&section.path) && other.path.get(below) == Some(&key))
}

/// The reference as Markdown: `docs/configuration.md`.
pub fn markdown(vendors: &Vendors) -> String {
    let mut text = introduction(vendors);
    let sections = sections(vendors);
    for section in &sections {
        let title = if section.path.is_empty() { "Top".to_owned() } else { format!("`[{}]`", section.path.join(".")) };
        let keys = keys_of(section, &sections);
        let _ = write!(text, "\n## {title}\n\n{}\n", section.about);
        if keys.is_empty() {
            text.push_str("\nNo keys.\n");
            continue;
        }
        text.push_str("\n| key | type | default | description | environment |\n| --- | --- | --- | --- | --- |\n");
        for key in keys {
            let name = key.path.last().copied().unwrap_or_default();
            let default = key.default.map_or_else(|| "required".to_owned(), shown);
            let about = key.about.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
            let _ = writeln!(text, "| `{name}` | {} | {default} | {about} | `{}` |", key.takes(), variable(&key.path));
        }
    }
    text
}

/// A default in the file's format.
fn shown(default: &str) -> String {
    let inner = default
        .trim_end_matches(".to_owned()")
        .trim_end_matches(".to_string()")
        .trim_end_matches(".into()")
        .replace("PathBuf::from(", "")
        .replace("String::from(", "");
    match inner.trim_end_matches(')') {
        "None" => "none".to_owned(),
        "Vec::new(" | "BTreeSet::new(" | "vec![]" => "`[]`".to_owned(),
        "BTreeMap::new(" => "`{}`".to_owned(),
        "LogFormat::Text" => "`\"text\"`".to_owned(),
        "String::new(" | "Secret::default(" => "`\"\"`".to_owned(),
        plain => format!("`{plain}`"),
    }
}

fn introduction(vendors: &Vendors) -> String {
    let mut text = INTRODUCTION.replace("VENDORS", &vendors.names().join("|"));
    for vendor in vendors.iter() {
        let _ = write!(text, "\n[realm.shop.{}]\n{}", vendor.name(), vendor.example());
    }
    text.push_str("```\n");
    text
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated by `cargo run --release -- config-reference > docs/configuration.md`; a test fails when it is stale. -->

`conclave serve --config FILE` reads a TOML file. Every key can be set from the environment too, which wins over the
file; flags win over both. Unknown keys and variables are errors, which suggest the most similar key.
`conclave check --config FILE` checks whether a gateway would start with it: keys, secrets, certificate files and the data
folder. It starts and changes nothing, and prints no secret.

- A key's variable is `CONCLAVE_` and its path in upper case, joined with `_`; the last column has it. `<NAME>` is
  the realm's name, with `_` for all characters other than letters and digits. Lists are comma-separated. Variables
  that Kubernetes sets for services whose names begin with `conclave` (`CONCLAVE_ADMIN_SERVICE_HOST`, `CONCLAVE_ADMIN_PORT`)
  are ignored.
- An address is `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` or another host name with a port, `:8080` for every IPv4
  address of the machine, or only a port, which is on loopback.
- Secrets are those of the vendor's console, unchanged. An empty one, a placeholder (`…`, `<secret>`, `changeme`), or one
  that is too short is refused: each vendor's section says how long its secrets are, and the `secret` or `token` of
  webhooks has at least 8 characters.
- Without a configured realm there is one, `dev`, with credentials that are public. They are refused on every
  address that other machines reach, even if they are written into a file. `conclave serve --dev-public` serves that
  realm on every address (or on that of `--listen`) with random credentials, which are printed at each start.
- `conclave env [VENDORS]` prints the settings for a vendor's clients, of the running gateway if its control API answers,
  otherwise from the same configuration: URLs only if they are served. `--format` is `dotenv` (the default), `shell` (for `eval \"$(conclave env --format shell)\"`) or `json`.

An example for production, with the secrets in the environment:

```toml
listen = \"0.0.0.0:443\"
data = \"/var/lib/conclave\"
public_url = \"https://chat.example.com\"

[tls]
cert = \"/etc/conclave/chain.pem\"
key = \"/etc/conclave/key.pem\"
";
