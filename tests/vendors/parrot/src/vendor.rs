//! Registration of this vendor at the gateway.

use std::fmt;
use std::sync::Arc;

use conclave_kit::{Destination, OpenRealm, RetryPolicy, SettingsTable, SetupError, Vendor};

use crate::api::Parrot;
use crate::webhooks::{WebhookSettings, Webhooks};

/// The identity of the app.
#[derive(Clone)]
pub struct Credentials {
    /// The app's id.
    pub key: String,
    /// Its secret.
    pub secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("key", &self.key).finish_non_exhaustive()
    }
}

conclave_kit::settings! {
    /// Settings.
    pub struct Settings {
        /// Whether messages are in upper case.
        loud: bool = false;
    }
}

conclave_kit::section!(Credentials { key: String, secret: String });

impl Vendor for Parrot {
    const NAME: &'static str = "parrot";
    const TITLE: &'static str = "Parrot";
    const DEVELOPMENT: &'static str = "key = \"polly\"\nsecret = \"cracker\"\n";
    const EXAMPLE: &'static str = "key = \"shop\"\n";

    const IDENTITY: &'static [&'static str] = &["key"];

    type Section = Section;

    fn tables() -> Vec<SettingsTable> {
        vec![
            SettingsTable {
                path: &[],
                about: "A realm's credentials at Parrot.",
                required: CREDENTIALS,
                optional: &[],
            },
            SettingsTable {
                path: &["settings"],
                about: "How it speaks.",
                required: &[],
                optional: Settings::REFERENCE,
            },
            SettingsTable {
                path: &["webhooks"],
                about: "What its app's server is sent.",
                required: &[],
                optional: WebhookSettings::REFERENCE,
            },
        ]
    }

    fn secret(section: &Section) -> &str {
        &section.credentials.secret
    }

    fn check(realm: &str, section: &Section) -> Result<(), String> {
        if section.credentials.secret.is_empty() {
            return Err(format!("realm.{realm}.parrot.secret must not be empty: set it"));
        }
        Ok(())
    }

    fn surface() -> Result<Self, SetupError> {
        Self::new()
    }

    fn open_realm(&self, realm: OpenRealm<Section>) -> Result<(), SetupError> {
        self.add(realm)
    }

    fn close_realm(&self, realm: &str) {
        self.remove(realm);
    }

    fn destinations(section: &Section) -> Vec<Destination> {
        let WebhookSettings { url, allow_private } = section.webhooks.clone();
        let destination = |url| Destination {
            name: "perches",
            url,
            allow_private,
            retry_policy: RetryPolicy::from_settings(5000, 3, 100, 1000),
            webhooks: Arc::new(Webhooks),
        };
        url.map(destination).into_iter().collect()
    }

    fn client_settings(section: &Section, base: &str) -> Vec<(&'static str, String)> {
        vec![("PARROT_URL", base.to_owned()), ("PARROT_KEY", section.credentials.key.clone())]
    }
}
