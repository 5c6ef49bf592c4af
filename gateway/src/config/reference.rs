//! The configuration's reference, generated from the sections themselves.

use std::fmt::Write as _;

use conclave_kit::Setting;

use crate::vendors::{agora, rong, tencent};

use super::env::variable;
use super::file::{Limits, Log, RealmLimits, TlsSection, Top, VendorSection};

/// One key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its path from the top; `<name>` stands for a realm's name.
    pub path: Vec<&'static str>,
    /// Its type.
    pub kind: &'static str,
    /// Its default; `None` when it must be given.
    pub default: Option<&'static str>,
    /// What it does.
    pub about: &'static str,
}

impl Key {
    /// What it takes, in words.
    pub fn takes(&self) -> &'static str {
        let kind = self.kind.trim_start_matches("Option<");
        match kind.trim_end_matches('>') {
            "bool" => "true or false",
            "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => "a whole number",
            "SocketAddr" => "an address",
            "PathBuf" => "a path",
            kind if kind.starts_with("Vec<") || kind.starts_with("BTreeSet<") => "a list",
            kind if kind.starts_with("BTreeMap<") => "a table",
            _ => "text",
        }
    }
}

/// A table of the file.
struct Section {
    path: &'static [&'static str],
    about: &'static str,
    required: &'static [(&'static str, &'static str)],
    optional: &'static [Setting],
}

const SECTIONS: &[Section] = &[
    Section { path: &[], about: "At the top of the file.", required: &[], optional: Top::REFERENCE },
    Section {
        path: &["tls"],
        about: "Encryption of every listener but the admin one.",
        required: &[],
        optional: TlsSection::REFERENCE,
    },
    Section { path: &["log"], about: "Logs, on standard error.", required: &[], optional: Log::REFERENCE },
    Section {
        path: &["limits"],
        about: "Limits of the process; where the vendor has a word for it, the answer is the vendor's.",
        required: &[],
        optional: Limits::REFERENCE,
    },
    Section {
        path: &["vendor", "agora"],
        about: "Where Agora's surface stands.",
        required: &[],
        optional: VendorSection::REFERENCE,
    },
    Section {
        path: &["vendor", "tencent"],
        about: "Where Tencent's surface stands.",
        required: &[],
        optional: VendorSection::REFERENCE,
    },
    Section {
        path: &["vendor", "rong"],
        about: "Where RongCloud's surface stands.",
        required: &[],
        optional: VendorSection::REFERENCE,
    },
    Section {
        path: &["realm", "<name>", "limits"],
        about: "A realm's limits over all vendors.",
        required: &[],
        optional: RealmLimits::REFERENCE,
    },
    Section {
        path: &["realm", "<name>", "agora"],
        about: "A realm's credentials at Agora.",
        required: agora::CREDENTIALS,
        optional: &[],
    },
    Section {
        path: &["realm", "<name>", "agora", "settings"],
        about: "What is a switch of Agora's console.",
        required: &[],
        optional: agora::Settings::REFERENCE,
    },
    Section {
        path: &["realm", "<name>", "agora", "webhooks"],
        about: "Whom a realm's app at Agora tells what has happened; see [webhooks.md](webhooks.md).",
        required: &[],
        optional: agora::WebhookSettings::REFERENCE,
    },
    Section {
        path: &["realm", "<name>", "tencent"],
        about: "A realm's credentials at Tencent.",
        required: tencent::CREDENTIALS,
        optional: &[],
    },
    Section {
        path: &["realm", "<name>", "tencent", "settings"],
        about: "What is a switch of Tencent's console.",
        required: &[],
        optional: tencent::Settings::REFERENCE,
    },
    Section {
        path: &["realm", "<name>", "tencent", "webhooks"],
        about: "Whom a realm's app at Tencent tells what has happened, and asks before; see [webhooks.md](webhooks.md).",
        required: &[],
        optional: tencent::WebhookSettings::REFERENCE,
    },
    Section {
        path: &["realm", "<name>", "rong"],
        about: "A realm's credentials at RongCloud.",
        required: rong::CREDENTIALS,
        optional: &[],
    },
    Section {
        path: &["realm", "<name>", "rong", "settings"],
        about: "What is a switch of RongCloud's console.",
        required: &[],
        optional: rong::Settings::REFERENCE,
    },
    Section {
        path: &["realm", "<name>", "rong", "webhooks"],
        about: "Whom a realm's app at RongCloud tells what has happened; see [webhooks.md](webhooks.md).",
        required: &[],
        optional: rong::WebhookSettings::REFERENCE,
    },
];

/// Every key. A longer path comes before a shorter one that it ends with, so that the first fit is the closest.
pub fn keys() -> Vec<Key> {
    let mut keys: Vec<Key> = SECTIONS.iter().flat_map(keys_of).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.path.len()));
    keys
}

fn keys_of(section: &Section) -> Vec<Key> {
    let path = |key: &'static str| [section.path, &[key]].concat();
    let required = section.required.iter().map(|(key, kind)| Key {
        path: path(key),
        kind,
        default: kind.starts_with("Option<").then_some("None"),
        about: "",
    });
    // keys that are sections of their own are not told twice
    let optional = section.optional.iter().filter(|setting| !is_section(section, setting.key)).map(|setting| Key {
        path: path(setting.key),
        kind: setting.kind.0,
        default: Some(setting.default),
        about: setting.about,
    });
    required.chain(optional).collect()
}

fn is_section(section: &Section, key: &str) -> bool {
    let below = section.path.len();
    SECTIONS.iter().any(|other| other.path.starts_with(section.path) && other.path.get(below) == Some(&key))
}

/// The reference as Markdown: `docs/configuration.md`.
pub fn markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    for section in SECTIONS {
        let title = if section.path.is_empty() { "Top".to_owned() } else { format!("`[{}]`", section.path.join(".")) };
        let keys = keys_of(section);
        let _ = write!(text, "\n## {title}\n\n{}\n", section.about);
        if keys.is_empty() {
            text.push_str("\nNo keys.\n");
            continue;
        }
        text.push_str("\n| key | takes | default | what it does | environment |\n| --- | --- | --- | --- | --- |\n");
        for key in keys {
            let name = key.path.last().copied().unwrap_or_default();
            let default = key.default.map_or_else(|| "must be given".to_owned(), shown);
            let about = key.about.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
            let _ = writeln!(text, "| `{name}` | {} | {default} | {about} | `{}` |", key.takes(), variable(&key.path));
        }
    }
    text
}

/// A default as the file spells it.
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
        "SocketAddr::from(([127, 0, 0, 1], 8080" => "`\"127.0.0.1:8080\"`".to_owned(),
        "LogFormat::Text" => "`\"text\"`".to_owned(),
        "String::new(" | "Secret::default(" => "`\"\"`".to_owned(),
        plain => format!("`{plain}`"),
    }
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated by `cargo run --release -- config-reference > docs/configuration.md`; a test tells when it is stale. -->

`conclave serve --config FILE` reads a TOML file. Every key can be set from the environment too, which wins over the
file; flags win over both. Keys and variables nobody knows are errors that name them.

- A key's variable is `CONCLAVE_` and its path in upper case, joined with `_`; it stands in the last column. `<NAME>` is
  the realm's name, in which other characters than letters and digits are `_`. Lists are given with commas.
- Secrets are taken from the vendor's console as they are. An empty one, a placeholder (`…`, `<secret>`, `changeme`), or one
  that is too short is refused: Agora's `client_secret` has 31 characters at least and `app_certificate` 32, Tencent's
  `secret_key` 64, RongCloud's `app_secret` 10, and the `secret` or `token` of webhooks 8.
- With no realm configured there is one, `dev`, with credentials that everybody knows. They are refused on every
  address that other machines reach, also when they are written into a file.
- `conclave env [agora|tencent|rong]` prints what a vendor's clients are to be given, from the same configuration.

A file for production may look like this, with the secrets left to the environment
(`CONCLAVE_REALM_SHOP_AGORA_CLIENT_SECRET` and so on):

```toml
listen = \"0.0.0.0:443\"
data = \"/var/lib/conclave\"
public_url = \"https://chat.example.com\"

[tls]
cert = \"/etc/conclave/chain.pem\"
key = \"/etc/conclave/key.pem\"

[vendor.tencent]
hosts = [\"im.example.com\"]

[realm.shop.agora]
org = \"example\"
app = \"shop\"
client_id = \"shop-backend\"

[realm.shop.tencent]
sdkappid = 1400123456
admins = [\"administrator\"]

[realm.shop.rong]
app_key = \"shop0example\"
```
";
