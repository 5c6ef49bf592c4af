//! What the process knows of each vendor: its adapter's types, and how its clients are pointed here.

pub mod agora;
pub mod rong;
pub mod tencent;

use std::fmt;
use std::sync::Arc;

use conclave_core::ports::{Groups, Log};
use conclave_kit::{Blobs, Destination, Post, Presence, Surface};
use serde::Deserialize;

use crate::config::Realm;

/// A vendor whose API is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// Agora Chat, Easemob.
    Agora,
    /// Tencent Chat.
    Tencent,
    /// `RongCloud`.
    Rong,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Agora, Self::Tencent, Self::Rong];

    /// As in paths, configuration, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agora => "agora",
            Self::Tencent => "tencent",
            Self::Rong => "rong",
        }
    }

    /// The vendor of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A realm whose groups are open.
pub struct OpenRealm<'a> {
    /// Its credentials and settings.
    pub realm: &'a Realm,
    /// Its groups.
    pub groups: Arc<dyn Groups>,
    /// What has happened in them.
    pub log: Arc<dyn Log>,
    /// The bytes of its shared files.
    pub blobs: Arc<dyn Blobs>,
    /// Asks its apps' servers, when any is to be asked.
    pub post: Option<Arc<dyn Post>>,
    /// Who is online.
    pub presence: Arc<dyn Presence>,
}

/// Puts a vendor's surface in front of the realms that are there.
///
/// Refuses two realms with one identity at the vendor, and two claims on one route.
pub fn surface(vendor: Vendor, realms: &[OpenRealm<'_>]) -> Result<Option<Arc<dyn Surface>>, String> {
    match vendor {
        Vendor::Agora => agora::surface(realms),
        Vendor::Tencent => tencent::surface(realms),
        Vendor::Rong => rong::surface(realms),
    }
}

/// A realm's groups as its surfaces call them: where an app's server is asked whatever surface something comes
/// through, that stands around them.
pub fn guarded(realm: &Realm, groups: Arc<dyn Groups>, post: Option<&Arc<dyn Post>>) -> Arc<dyn Groups> {
    let Some(post) = post else { return groups };
    let mut groups = groups;
    if let Some((credentials, _)) = &realm.tencent {
        groups = conclave_tencent::webhooks::guarded(groups, credentials, &realm.webhooks.tencent, post);
    }
    if let Some((credentials, settings)) = &realm.agora {
        groups = conclave_agora::webhooks::guarded(groups, (credentials, settings), &realm.webhooks.agora, post);
    }
    groups
}

/// Whom a realm's apps ask at URLs where they tell nothing, and whether those may lead to addresses that are not public.
pub fn asked(realm: &Realm) -> Vec<(Vendor, &str, bool)> {
    let agora = realm.agora.as_ref().map(|_| &realm.webhooks.agora);
    let agora = agora.and_then(|hooks| Some((Vendor::Agora, hooks.pre_url.as_deref()?, hooks.allow_private)));
    agora.into_iter().collect()
}

/// Whom a realm's app at a vendor tells what has happened.
pub fn destinations(vendor: Vendor, realm: &Realm) -> Vec<Destination> {
    match vendor {
        Vendor::Agora => agora::destinations(realm),
        Vendor::Tencent => tencent::destinations(realm),
        Vendor::Rong => rong::destinations(realm),
    }
}

/// The settings of a vendor's client for one realm, as `KEY=value` pairs; `None` when the realm is not there.
///
/// `base` is the URL of the vendor's surface without a trailing slash.
pub fn client_settings(vendor: Vendor, realm: &Realm, base: &str) -> Option<Vec<(&'static str, String)>> {
    match vendor {
        Vendor::Agora => realm.agora.as_ref().map(|(credentials, _)| agora::client_settings(credentials, base)),
        Vendor::Tencent => realm.tencent.as_ref().map(|(credentials, _)| tencent::client_settings(credentials, base)),
        Vendor::Rong => realm.rong.as_ref().map(|(credentials, _)| rong::client_settings(credentials, base)),
    }
}

/// The same URL for a WebSocket.
fn socket_url(base: &str) -> String {
    base.strip_prefix("http").map_or_else(|| base.to_owned(), |rest| format!("ws{rest}"))
}

/// Declares a vendor's table in a realm: its credentials' keys, and below its settings and webhooks.
macro_rules! section {
    ($credentials:ident { $($key:ident: $kind:ty),* $(,)? }) => {
        /// The vendor's table in a realm.
        #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "the keys are the credentials' own")]
        pub struct Section {
            $(pub $key: $kind,)*
            /// The vendor's settings.
            #[serde(default)]
            pub settings: Settings,
            /// Whom the app tells.
            #[serde(default)]
            pub webhooks: WebhookSettings,
        }

        impl Section {
            /// Credentials, settings and webhooks apart.
            pub fn split(self) -> (($credentials, Settings), WebhookSettings) {
                (($credentials { $($key: self.$key,)* }, self.settings), self.webhooks)
            }
        }

        /// The keys of the credentials and what they take.
        pub const CREDENTIALS: &[(&str, &str)] = &[$((stringify!($key), stringify!($kind)),)*];
    };
}
use section;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_urls_keep_encryption() {
        assert_eq!(socket_url("http://a:1/b"), "ws://a:1/b");
        assert_eq!(socket_url("https://a/b"), "wss://a/b");
    }
}
