//! Everything that the gateway needs of a vendor: one implementation of [`Vendor`] registers it completely.

use std::fmt;
use std::sync::Arc;

use conclave_core::model::Millis;
use conclave_core::ports::{Groups, Log};
use serde::de::DeserializeOwned;

use crate::{Blobs, Clash, Destination, Post, Presence, Setting, Surface};

/// A vendor whose API is served.
///
/// The gateway is given the type and knows nothing else of the vendor: its configuration and the reference of it, its
/// surface with the client endpoints, its webhooks and questions, what `conclave env` prints and the tools of the command
/// line all come from here.
pub trait Vendor: Surface + Sized + 'static {
    /// Its name in paths, configuration keys, log lines and metrics: a to z only.
    const NAME: &'static str;

    /// Its name in documents.
    const TITLE: &'static str;

    /// A realm's section as it is when nothing is configured, in TOML. Everybody knows its secrets.
    const DEVELOPMENT: &'static str;

    /// A realm's section as it might be in a file for production, in TOML, without its secrets.
    const EXAMPLE: &'static str;

    /// The keys of the section that tell the vendor's apps apart. A realm that is created while the gateway runs gets
    /// random values for them, of the kind and length that [`Self::DEVELOPMENT`] has.
    const IDENTITY: &'static [&'static str];

    /// `[realm.<name>.<vendor>]`. [`crate::section!`] declares one.
    type Section: DeserializeOwned + Clone + fmt::Debug + Send + Sync + 'static;

    /// The tables of the section, for the reference and for environment variables.
    fn tables() -> Vec<SettingsTable>;

    /// The secret by which development credentials are recognised.
    fn secret(section: &Self::Section) -> &str;

    /// Refuses values that cannot work or would not be safe, beyond the checks of their types.
    ///
    /// # Errors
    /// The whole error text for the operator: which key, and what to do.
    fn check(_realm: &str, _section: &Self::Section) -> Result<(), String> {
        Ok(())
    }

    /// The surface, before any realm is at this vendor.
    ///
    /// # Errors
    /// Two claims on one route.
    fn surface() -> Result<Self, SetupError>;

    /// Serves one more realm, also while requests of others are answered. A realm of the same name is replaced: what
    /// the surface remembers of it is forgotten.
    ///
    /// # Errors
    /// Another realm has the same identity, or an identity or setting that the vendor could not have. Nothing has
    /// changed then.
    fn open_realm(&self, realm: OpenRealm<Self::Section>) -> Result<(), SetupError>;

    /// Serves a realm no more. Requests that have found it already are still answered.
    fn close_realm(&self, realm: &str);

    /// A realm's groups as all its surfaces call them: wrapped so that this vendor's app server is asked before an
    /// operation, through whichever surface it is called.
    fn guarded(_section: &Self::Section, groups: Arc<dyn Groups>, _post: &Arc<dyn Post>) -> Arc<dyn Groups> {
        groups
    }

    /// The URLs of the app's server that are asked before operations, and never notified.
    fn questions(_section: &Self::Section) -> Vec<AppUrl> {
        Vec::new()
    }

    /// Where the realm's events are delivered.
    fn destinations(_section: &Self::Section) -> Vec<Destination> {
        Vec::new()
    }

    /// What the vendor's clients are configured with, as `KEY=value` pairs.
    ///
    /// `base` is the URL of the surface without a trailing slash.
    fn client_settings(section: &Self::Section, base: &str) -> Vec<(&'static str, String)>;

    /// The requests with which the app's server reads a group, with the app's credentials, for people who compare what
    /// the vendors' APIs return. They change nothing.
    fn group_reads(_section: &Self::Section, _group: &str, _now: Millis) -> Vec<GroupRead> {
        Vec::new()
    }

    /// What the command line can issue for a user of the realm.
    fn tools() -> Vec<Tool<Self::Section>> {
        Vec::new()
    }
}

/// A table of a vendor's section, for the configuration reference.
#[derive(Debug, Clone, Copy)]
pub struct SettingsTable {
    /// Its path below the section; empty for the section itself.
    pub path: &'static [&'static str],
    /// A description of its keys, in Markdown.
    pub about: &'static str,
    /// The keys that must be given and the Rust types they take; an `Option` may be left out.
    pub required: &'static [(&'static str, &'static str)],
    /// The keys with defaults.
    pub optional: &'static [Setting],
}

/// A realm with its backend opened, as a vendor's surface gets it.
pub struct OpenRealm<S> {
    /// Its name in the configuration.
    pub name: String,
    /// The realm's configuration for this vendor: the table `[realm.<name>.<vendor>]`.
    pub section: S,
    /// Its groups.
    pub groups: Arc<dyn Groups>,
    /// The event log.
    pub log: Arc<dyn Log>,
    /// The bytes of its shared files.
    pub blobs: Arc<dyn Blobs>,
    /// Sends requests to apps' servers, if one is configured.
    pub post: Option<Arc<dyn Post>>,
    /// Who is online.
    pub presence: Arc<dyn Presence>,
}

/// A request to a vendor's server API that reads a group.
#[derive(Debug)]
pub struct GroupRead(pub http::Request<bytes::Bytes>);

/// A URL of an app's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppUrl {
    /// The URL.
    pub url: String,
    /// Whether it may lead to an address that is not public.
    pub allow_private: bool,
}

/// Something the command line can issue for a user, e.g. a signature: `conclave <name> [USER] [--expire SECONDS]`.
pub struct Tool<S> {
    /// The command.
    pub name: &'static str,
    /// What it prints, for the help text.
    pub about: &'static str,
    /// The default lifetime of what it prints, in seconds.
    pub lifetime: u64,
    /// Issues it for a user, or for its default user when none is named.
    pub issue: fn(&S, Option<&str>, Millis, u64) -> Result<String, String>,
}

/// Why a vendor's surface cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Two realms would answer the same calls.
    #[error("realms {first} and {second} have the same {what}; give each its own")]
    SameApp {
        /// The vendor's name for the identity, with its value where that is no secret.
        what: String,
        /// The earlier realm.
        first: String,
        /// The later realm.
        second: String,
    },
    /// An identity, secret or setting that cannot be served.
    #[error("realm {realm}: {problem}")]
    Realm {
        /// The realm.
        realm: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Two operations claim one route.
    #[error(transparent)]
    Clash(#[from] Clash),
}

/// Declares `Section`, a vendor's table in a realm: the keys of its credentials, and below them the tables `settings` and
/// `webhooks`, whose types `Settings` and `WebhookSettings` must be in scope. Also declares `CREDENTIALS`, the keys and
/// the types they take.
#[macro_export]
macro_rules! section {
    ($credentials:ident { $($key:ident: $kind:ty),* $(,)? }) => {
        /// The vendor's table in a realm.
        #[derive(Debug, Clone, serde::Deserialize)]
        #[serde(from = "FlatSection")]
        pub struct Section {
            /// Who the app is.
            pub credentials: $credentials,
            /// The vendor's settings.
            pub settings: Settings,
            /// Notifications and questions to the app's server.
            pub webhooks: WebhookSettings,
        }

        /// The section as the file has it.
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct FlatSection {
            $($key: $kind,)*
            #[serde(default)]
            settings: Settings,
            #[serde(default)]
            webhooks: WebhookSettings,
        }

        impl From<FlatSection> for Section {
            fn from(flat: FlatSection) -> Self {
                let credentials = $credentials { $($key: flat.$key,)* };
                Self { credentials, settings: flat.settings, webhooks: flat.webhooks }
            }
        }

        /// The keys of the credentials and what they take.
        const CREDENTIALS: &[(&str, &str)] = &[$((stringify!($key), stringify!($kind)),)*];
    };
}

/// The URL of a surface for a WebSocket.
pub fn socket_url(base: &str) -> String {
    base.strip_prefix("http").map_or_else(|| base.to_owned(), |rest| format!("ws{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_urls_keep_encryption() {
        assert_eq!(socket_url("http://a:1/b"), "ws://a:1/b");
        assert_eq!(socket_url("https://a/b"), "wss://a/b");
    }
}
