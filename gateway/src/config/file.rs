//! The sections of the configuration file, except those of vendors (`[realm.<name>.<vendor>]`), which are in each
//! adapter's settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use conclave_core::model::Settings as CoreSettings;
use conclave_kit::settings;
use serde::Deserialize;

use super::address::Address;

settings! {
    /// The top of the file.
    pub struct RootSection {
        /// The address that all vendors share; `127.0.0.1:8080` when not set.
        listen: Option<Address> = None;
        /// The data folder; created if necessary.
        data: PathBuf = PathBuf::from("conclave-data");
        /// Keep data in memory only: it is lost when the process ends.
        memory: bool = false;
        /// The address of metrics and health, or `off`. When not set, `127.0.0.1:9090` is used if it is free.
        admin: Option<String> = None;
        /// How clients reach the shared address when they do not reach it directly, e.g. `https://chat.example.com`.
        public_url: Option<String> = None;
        /// Origins of web pages that may call, e.g. `https://app.example.com`; `*` is any. When empty any page may, but
        /// with development credentials only pages of this machine.
        cors_origins: Vec<String> = Vec::new();
        /// Reverse proxies, as addresses or networks (`10.0.0.0/8`): limits per address apply to the client that the
        /// last entry of their `X-Forwarded-For` names, instead of to them.
        trusted_proxies: Vec<String> = Vec::new();
        /// Host names under which metrics and health can be requested, in addition to addresses and `localhost`; `*` is
        /// any.
        admin_hosts: Vec<String> = Vec::new();
        /// The address of the control API, which changes realms and their data, or `off`. When not set: `127.0.0.1:9091`
        /// with the development realm, if it is free; otherwise `off`. See [control.md](control.md).
        control: Option<String> = None;
        /// What requests to the control API must send as `Authorization: Bearer`; required where other machines reach
        /// it, and at least 16 characters.
        control_token: Option<String> = None;
        /// Host names under which the control API can be requested, in addition to addresses and `localhost`; `*` is
        /// any.
        control_hosts: Vec<String> = Vec::new();
        /// Encryption.
        tls: TlsSection = TlsSection::default();
        /// Logging.
        log: Log = Log::default();
        /// Traces.
        traces: Traces = Traces::default();
        /// Limits of the process.
        limits: Limits = Limits::default();
        /// Each vendor's own address and host names.
        vendor: BTreeMap<String, VendorSection> = BTreeMap::new();
        /// The realms by name.
        realm: BTreeMap<String, RealmSection> = BTreeMap::new();
    }
}

settings! {
    /// `[tls]`
    pub struct TlsSection {
        /// The file with the certificate and the intermediate ones, PEM. Needs `key`.
        cert: Option<PathBuf> = None;
        /// The file with the certificate's key, PEM. Needs `cert`.
        key: Option<PathBuf> = None;
        /// Use a certificate of a local authority, which is created if necessary. For development only.
        dev: bool = false;
    }
}

settings! {
    /// `[log]`
    pub struct Log {
        /// What is logged, as `level` or `target=level,…`. Lines about single requests have the target
        /// `conclave::request`.
        filter: String = "info".to_owned();
        /// The format of log lines: `text` or `json`.
        format: LogFormat = LogFormat::Text;
    }
}

settings! {
    /// `[traces]`
    pub struct Traces {
        /// Where a collector receives traces by OTLP over HTTP, e.g. `http://127.0.0.1:4318`; without a path,
        /// `/v1/traces` is added. Nothing is traced when not set. Headers for the collector, such as its token, are read
        /// from `OTEL_EXPORTER_OTLP_HEADERS`.
        endpoint: Option<String> = None;
        /// One in so many requests, calls and webhooks is traced; 1 is all. A request with a `traceparent` is traced if
        /// that says so.
        one_in: u32 = 1;
        /// The name of this service in traces.
        service: String = "conclave".to_owned();
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

settings! {
    /// `[limits]`
    pub struct Limits {
        /// Most bytes of a request's body that is read as a whole.
        body_bytes: usize = 2_097_152;
        /// Most bytes of a request's body that is streamed to storage (shared files).
        upload_bytes: u64 = 104_857_600;
        /// Most bytes of a request's line and headers in total; at least 8192.
        header_bytes: usize = 65_536;
        /// Most headers of a request.
        headers: usize = 100;
        /// Timeout for a connection's handshake and for the headers of its next request, including idle time, in
        /// milliseconds.
        header_ms: u64 = 30_000;
        /// Timeout for the next part of a body, in milliseconds.
        body_ms: u64 = 30_000;
        /// Timeout for a whole body that is read as a whole, in milliseconds.
        body_total_ms: u64 = 300_000;
        /// Timeout for a whole body that is streamed to storage, in milliseconds.
        upload_ms: u64 = 3_600_000;
        /// Timeout for the response after the request has arrived, in milliseconds.
        request_ms: u64 = 30_000;
        /// Most connections at once, over all of the vendors' addresses.
        connections: usize = 10_000;
        /// Most connections at once from one address, or one IPv6 network of 64 bits.
        connections_per_address: usize = 2000;
        /// Most requests in flight, over all connections and HTTP/2 streams; one in sixteen is reserved for apps'
        /// servers.
        requests: usize = 8192;
        /// Most requests in flight from one address, or one IPv6 network of 64 bits.
        requests_per_address: usize = 1024;
        /// Most requests in flight in one realm.
        requests_per_realm: usize = 4096;
        /// Most requests in flight with one user's credentials.
        requests_per_user: usize = 100;
        /// Most bytes of bodies and responses in memory, over all requests.
        buffered_bytes: usize = 268_435_456;
        /// Most bytes of bodies and responses in memory for one address.
        buffered_bytes_per_address: usize = 67_108_864;
        /// Most sessions of one user at once, over all vendors' client protocols.
        sessions_per_user: usize = 100;
        /// Most sessions of one realm at once. When not set: unlimited for a single realm, three quarters of
        /// `connections` where there are several.
        sessions_per_realm: Option<usize> = None;
        /// Timeout for a client to read what is sent to it over its session, in milliseconds; then the connection is
        /// closed.
        write_ms: u64 = 30_000;
        /// Most requests at once on one HTTP/2 connection.
        streams: u32 = 200;
        /// How long a sync of the data folder may take before `/readyz` returns 503, in milliseconds.
        sync_ms: u64 = 10_000;
        /// Age of the oldest event that a webhook's receiver has not accepted at which `/readyz` names the webhook; its status stays 200, in
        /// milliseconds.
        webhook_lag_ms: u64 = 600_000;
        /// How long the contents of files that no shared file refers to (which a crash may leave) are kept, in days.
        trash_days: u32 = 7;
        /// How long a stopping process waits for requests in flight, in milliseconds.
        drain_ms: u64 = 10_000;
    }
}

settings! {
    /// `[vendor.<vendor>]`
    pub struct VendorSection {
        /// An address of the vendor's own, with its surface at the root.
        listen: Option<Address> = None;
        /// Host names on the shared address with the vendor's surface at the root.
        hosts: Vec<String> = Vec::new();
        /// How clients reach the vendor's surface when they do not reach it directly, e.g. `https://im.example.com`.
        public_url: Option<String> = None;
    }
}

/// `[realm.<name>]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct RealmSection {
    /// Limits over all vendors.
    #[serde(default)]
    pub limits: RealmLimits,
    /// The realm's sections by the vendor's name, not yet parsed.
    #[serde(flatten)]
    pub vendors: BTreeMap<String, toml::Value>,
}

settings! {
    /// `[realm.<name>.limits]`
    pub struct RealmLimits {
        /// Most groups in the realm; unlimited when not set.
        groups: Option<u32> = None;
        /// Most groups of one user; unlimited when not set.
        groups_per_user: Option<u32> = None;
        /// Most users in the realm; unlimited when not set.
        users: Option<u32> = None;
        /// How long a request to join or an invitation can be decided, in milliseconds.
        request_lifetime_ms: u64 = 604_800_000;
        /// How long the id that a client gave a message is remembered, so that a repeated send is recognised, in
        /// milliseconds.
        dedupe_window_ms: u64 = 300_000;
        /// How long a sender may recall a message, in milliseconds.
        recall_window_ms: u64 = 120_000;
        /// How long a device that does not connect is kept, with its positions in queues, in milliseconds.
        device_lifetime_ms: u64 = 2_592_000_000;
        /// How long events are kept for clients that were offline, and for webhooks, in milliseconds; 0 keeps all. At
        /// least `device_lifetime_ms`. Events shown in a group's history are kept as long as its messages, and nothing
        /// is deleted that a webhook has not delivered.
        event_lifetime_ms: u64 = 2_592_000_000;
        /// Most events that are kept; older ones are deleted even if their lifetime is not over. All of the lifetime when
        /// not set.
        events: Option<u64> = None;
        /// How long messages are kept in histories, in milliseconds, pinned ones as long as they are pinned; 0 keeps all.
        message_lifetime_ms: u64 = 0;
        /// Most devices of a user that are kept per vendor; the one connected longest ago is deleted first.
        devices_per_user: u32 = 20;
        /// Whether a disbanded group's id may be reused.
        reuse_ids: bool = true;
        /// Whether the owner and admins may shield the group's messages.
        managers_may_shield: bool = true;
    }
}

impl Limits {
    /// [`Self::header_ms`].
    pub fn header_time(&self) -> Duration {
        Duration::from_millis(self.header_ms)
    }

    /// [`Self::body_ms`].
    pub fn body_time(&self) -> Duration {
        Duration::from_millis(self.body_ms)
    }

    /// [`Self::body_total_ms`].
    pub fn body_total_time(&self) -> Duration {
        Duration::from_millis(self.body_total_ms)
    }

    /// [`Self::upload_ms`].
    pub fn upload_time(&self) -> Duration {
        Duration::from_millis(self.upload_ms)
    }

    /// [`Self::request_ms`].
    pub fn request_time(&self) -> Duration {
        Duration::from_millis(self.request_ms)
    }

    /// [`Self::write_ms`].
    pub fn write_time(&self) -> Duration {
        Duration::from_millis(self.write_ms)
    }

    /// [`Self::drain_ms`].
    pub fn drain_time(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }
}

impl From<&RealmLimits> for CoreSettings {
    fn from(limits: &RealmLimits) -> Self {
        Self {
            groups: limits.groups,
            groups_per_user: limits.groups_per_user,
            users: limits.users,
            request_lifetime: limits.request_lifetime_ms,
            dedupe_window: limits.dedupe_window_ms,
            recall_window: limits.recall_window_ms,
            device_lifetime: limits.device_lifetime_ms,
            event_lifetime: Some(limits.event_lifetime_ms).filter(|lifetime| *lifetime > 0),
            events: limits.events,
            message_lifetime: Some(limits.message_lifetime_ms).filter(|lifetime| *lifetime > 0),
            devices_per_user: limits.devices_per_user,
            reuse_ids: limits.reuse_ids,
            managers_may_shield: limits.managers_may_shield,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realm_limits_default_to_the_cores() {
        assert_eq!(CoreSettings::from(&RealmLimits::default()), CoreSettings::default());
    }
}
