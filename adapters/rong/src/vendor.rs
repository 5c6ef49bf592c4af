//! Registration of this vendor at the gateway.

use conclave_core::model::Millis;
use conclave_kit::{Destination, GroupRead, OpenRealm, SettingsTable, SetupError, Vendor};

use crate::VENDOR;
use crate::group_reads;
use crate::realm::{Credentials, RongRealm};
use crate::settings::Settings;
use crate::surface::Rong;
use crate::webhooks::{self, WebhookSettings};

conclave_kit::section!(Credentials { app_key: String, app_secret: String });

impl Vendor for Rong {
    const NAME: &'static str = VENDOR;
    const TITLE: &'static str = "RongCloud";
    const DEVELOPMENT: &'static str = r#"
app_key = "conclavedev00"
app_secret = "conclavedevs0"
"#;
    const EXAMPLE: &'static str = r#"app_key = "shop0example"
"#;

    const IDENTITY: &'static [&'static str] = &["app_key"];

    type Section = Section;

    fn tables() -> Vec<SettingsTable> {
        vec![
            SettingsTable {
                path: &[],
                about: "A realm's credentials at RongCloud: `app_secret` has 10 characters at least.",
                required: CREDENTIALS,
                optional: &[],
            },
            SettingsTable {
                path: &["settings"],
                about: "What is a switch of RongCloud's console.",
                required: &[],
                optional: Settings::REFERENCE,
            },
            SettingsTable {
                path: &["webhooks"],
                about: "The webhooks of a realm's app at RongCloud; see [webhooks.md](webhooks.md).",
                required: &[],
                optional: WebhookSettings::REFERENCE,
            },
        ]
    }

    fn secret(section: &Section) -> &str {
        &section.credentials.app_secret
    }

    fn check(realm: &str, section: &Section) -> Result<(), String> {
        section.credentials.check().map_err(|problem| format!("realm {realm}: {problem}"))
    }

    fn surface() -> Result<Self, SetupError> {
        Self::new(Vec::new())
    }

    fn open_realm(&self, realm: OpenRealm<Section>) -> Result<(), SetupError> {
        let OpenRealm { name, section, groups, log, presence, .. } = realm;
        let Section { credentials, settings, .. } = section;
        self.add(RongRealm { name, credentials, settings, groups, log, presence })
    }

    fn close_realm(&self, realm: &str) {
        self.remove(realm);
    }

    fn destinations(section: &Section) -> Vec<Destination> {
        webhooks::destinations(&section.credentials, &section.webhooks)
    }

    fn client_settings(section: &Section, base: &str) -> Vec<(&'static str, String)> {
        vec![
            ("RONG_API", base.to_owned()),
            ("RONG_NAVI", base.to_owned()),
            ("RONG_APPKEY", section.credentials.app_key.clone()),
            ("RONG_APPSECRET", section.credentials.app_secret.clone()),
        ]
    }

    fn group_reads(section: &Section, group: &str, now: Millis) -> Vec<GroupRead> {
        group_reads::requests(&section.credentials, group, now)
    }
}
