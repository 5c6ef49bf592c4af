//! Registration of this vendor at the gateway.

use std::sync::Arc;

use conclave_core::model::Millis;
use conclave_core::ports::Groups;
use conclave_kit::{AppUrl, Destination, GroupRead, OpenRealm, Post, SettingsTable, SetupError, Vendor, socket_url};

use crate::VENDOR;
use crate::group_reads;
use crate::realm::{AgoraRealm, Credentials};
use crate::settings::Settings;
use crate::surface::Agora;
use crate::webhooks::{self, WebhookSettings};

conclave_kit::section!(Credentials {
    org: String,
    app: String,
    client_id: String,
    client_secret: String,
    app_id: Option<String>,
    app_certificate: Option<String>,
});

impl Vendor for Agora {
    const NAME: &'static str = VENDOR;
    const TITLE: &'static str = "Agora";
    const DEVELOPMENT: &'static str = r#"
org = "conclave"
app = "dev"
client_id = "YXA6Y29uY2xhdmUtZGV2"
client_secret = "YXA6Y29uY2xhdmUtZGV2LWtub3duLXRvLWFsbA"
# open where only convenience is at stake
settings.open_registration = true
"#;
    const EXAMPLE: &'static str = r#"org = "example"
app = "shop"
client_id = "shop-backend"
"#;

    const IDENTITY: &'static [&'static str] = &["app", "client_id"];

    type Section = Section;

    fn tables() -> Vec<SettingsTable> {
        vec![
            SettingsTable {
                path: &[],
                about: "A realm's credentials at Agora: `client_secret` has 31 characters at least, `app_certificate` 32.",
                required: CREDENTIALS,
                optional: &[],
            },
            SettingsTable {
                path: &["settings"],
                about: "What is a switch of Agora's console.",
                required: &[],
                optional: Settings::REFERENCE,
            },
            SettingsTable {
                path: &["webhooks"],
                about: "The webhooks of a realm's app at Agora; see [webhooks.md](webhooks.md).",
                required: &[],
                optional: WebhookSettings::REFERENCE,
            },
        ]
    }

    fn secret(section: &Section) -> &str {
        &section.credentials.client_secret
    }

    fn check(realm: &str, section: &Section) -> Result<(), String> {
        section.credentials.check().map_err(|problem| format!("realm {realm}: {problem}"))?;
        section.webhooks.check().map_err(|problem| format!("realm.{realm}.agora.webhooks.{problem}"))?;
        if section.webhooks.pre_timeout_ms == 0 {
            return Err(format!("realm.{realm}.agora.webhooks.pre_timeout_ms must not be 0"));
        }
        Ok(())
    }

    fn surface() -> Result<Self, SetupError> {
        Self::new(Vec::new())
    }

    fn open_realm(&self, realm: OpenRealm<Section>) -> Result<(), SetupError> {
        let OpenRealm { name, section, groups, log, blobs, presence, .. } = realm;
        let Section { credentials, settings, .. } = section;
        self.add(AgoraRealm { name, credentials, settings, groups, log, blobs, presence })
    }

    fn close_realm(&self, realm: &str) {
        self.remove(realm);
    }

    fn guarded(section: &Section, groups: Arc<dyn Groups>, post: &Arc<dyn Post>) -> Arc<dyn Groups> {
        webhooks::guarded(groups, (&section.credentials, &section.settings), &section.webhooks, post)
    }

    fn questions(section: &Section) -> Vec<AppUrl> {
        let WebhookSettings { pre_url, allow_private, .. } = &section.webhooks;
        pre_url.iter().map(|url| AppUrl { url: url.clone(), allow_private: *allow_private }).collect()
    }

    fn destinations(section: &Section) -> Vec<Destination> {
        webhooks::destinations(&section.credentials, &section.settings, &section.webhooks)
    }

    fn client_settings(section: &Section, base: &str) -> Vec<(&'static str, String)> {
        let credentials = &section.credentials;
        vec![
            ("AGORA_API_URL", base.to_owned()),
            ("AGORA_WS_URL", format!("{}/websocket", socket_url(base))),
            ("AGORA_SOCKJS_URL", format!("{base}/ws")),
            ("AGORA_APPKEY", format!("{}#{}", credentials.org, credentials.app)),
            ("AGORA_CLIENT_ID", credentials.client_id.clone()),
            ("AGORA_CLIENT_SECRET", credentials.client_secret.clone()),
        ]
    }

    fn group_reads(section: &Section, group: &str, now: Millis) -> Vec<GroupRead> {
        group_reads::requests(&section.credentials, group, now)
    }
}
