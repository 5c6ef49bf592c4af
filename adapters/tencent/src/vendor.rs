//! Registration of this vendor at the gateway.

use std::sync::Arc;

use conclave_core::model::Millis;
use conclave_core::ports::Groups;
use conclave_kit::{Destination, GroupRead, OpenRealm, Post, SettingsTable, SetupError, Tool, Vendor, socket_url};

use crate::VENDOR;
use crate::auth::user_sig;
use crate::group_reads;
use crate::realm::{Credentials, TencentRealm};
use crate::settings::Settings;
use crate::surface::Tencent;
use crate::webhooks::{self, WebhookSettings};

conclave_kit::section!(Credentials {
    sdkappid: u32,
    secret_key: String,
    admins: Vec<String>,
});

/// How long a signature from the command line is valid by default, in seconds: as long as those of the vendor's
/// generators.
const LIFETIME: u64 = 180 * 86_400;

impl Vendor for Tencent {
    const NAME: &'static str = VENDOR;
    const TITLE: &'static str = "Tencent";
    const DEVELOPMENT: &'static str = r#"
sdkappid = 1400000000
secret_key = "636f6e636c6176652d6465762d6b65792d6b6e6f776e2d746f2d616c6c2d3332"
admins = ["administrator"]
"#;
    const EXAMPLE: &'static str = r#"sdkappid = 1400123456
admins = ["administrator"]
"#;

    const IDENTITY: &'static [&'static str] = &["sdkappid"];

    type Section = Section;

    fn tables() -> Vec<SettingsTable> {
        vec![
            SettingsTable {
                path: &[],
                about: "A realm's credentials at Tencent: `secret_key` has 64 characters.",
                required: CREDENTIALS,
                optional: &[],
            },
            SettingsTable {
                path: &["settings"],
                about: "What is a switch of Tencent's console.",
                required: &[],
                optional: Settings::REFERENCE,
            },
            SettingsTable {
                path: &["webhooks"],
                about: "The callbacks of a realm's app at Tencent, after and before operations; see [webhooks.md](webhooks.md).",
                required: &[],
                optional: WebhookSettings::REFERENCE,
            },
        ]
    }

    fn secret(section: &Section) -> &str {
        &section.credentials.secret_key
    }

    fn check(realm: &str, section: &Section) -> Result<(), String> {
        section.credentials.check().map_err(|problem| format!("realm {realm}: {problem}"))?;
        section.webhooks.check().map_err(|problem| format!("realm.{realm}.tencent.webhooks.{problem}"))?;
        if section.webhooks.before_timeout_ms == 0 {
            return Err(format!("realm.{realm}.tencent.webhooks.before_timeout_ms must not be 0"));
        }
        Ok(())
    }

    fn surface() -> Result<Self, SetupError> {
        Self::new(Vec::new())
    }

    fn open_realm(&self, realm: OpenRealm<Section>) -> Result<(), SetupError> {
        let OpenRealm { name, section, groups, log, blobs, post, presence, .. } = realm;
        let Section { credentials, settings, webhooks } = section;
        let realm = TencentRealm { name, credentials, settings, groups, log, blobs, presence };
        self.add(realm, post.map(|post| (webhooks, post)))
    }

    fn close_realm(&self, realm: &str) {
        self.remove(realm);
    }

    fn guarded(section: &Section, groups: Arc<dyn Groups>, post: &Arc<dyn Post>) -> Arc<dyn Groups> {
        webhooks::guarded(groups, &section.credentials, &section.webhooks, post)
    }

    fn destinations(section: &Section) -> Vec<Destination> {
        webhooks::destinations(&section.credentials, &section.settings, &section.webhooks)
    }

    fn client_settings(section: &Section, base: &str) -> Vec<(&'static str, String)> {
        let credentials = &section.credentials;
        vec![
            ("TENCENT_API_URL", base.to_owned()),
            ("TENCENT_WS_URL", socket_url(base)),
            ("TENCENT_SDKAPPID", credentials.sdkappid.to_string()),
            ("TENCENT_SECRET_KEY", credentials.secret_key.clone()),
            ("TENCENT_ADMIN", credentials.admins.first().cloned().unwrap_or_default()),
        ]
    }

    fn group_reads(section: &Section, group: &str, now: Millis) -> Vec<GroupRead> {
        group_reads::requests(&section.credentials, group, now)
    }

    fn tools() -> Vec<Tool<Section>> {
        let about = "Print a signature with which this user calls Tencent Chat's API; without a user, the first admin";
        vec![Tool { name: "usersig", about, lifetime: LIFETIME, issue }]
    }
}

fn issue(section: &Section, user: Option<&str>, now: Millis, lifetime: u64) -> Result<String, String> {
    let Credentials { sdkappid, secret_key, admins } = &section.credentials;
    let user = user.or(admins.first().map(String::as_str)).ok_or("name a user: the realm has no admins")?;
    Ok(user_sig(*sdkappid, secret_key, user, now.seconds(), lifetime))
}
