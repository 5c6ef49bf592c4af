//! The gateway for SDKs: the real one, in this process, on a free port, with data in memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::vendor::Vendor;
use conclave::clients;
use conclave::config::{Admin, RealmConfig};
use conclave::{Builder, Config, Gateway, Running};
use conclave_agora::Agora;
use conclave_rong::Rong;
use conclave_tencent::Tencent;

use super::tunnel;
use crate::client::Client;
use crate::sign::user_sig;
use crate::story::{AgoraApi, RongApi, TencentApi, VendorApi};

/// A running gateway with one realm.
pub struct Served {
    /// The gateway.
    pub running: Running,
    /// The shared address without encryption.
    plain: SocketAddr,
}

/// A caller of the same groups for each vendor's server API.
pub struct VendorApis {
    /// Agora's.
    pub agora: AgoraApi,
    /// Tencent's.
    pub tencent: TencentApi,
    /// `RongCloud`'s.
    pub rong: RongApi,
}

impl Served {
    /// Starts one with the development realm; `change` may modify the configuration.
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::development().expect("the development configuration");
        config.admin = Admin::At(([127, 0, 0, 1], 0).into());
        change(&mut config);
        Self::of(Gateway::builder(config)).await
    }

    /// Starts a prepared one, whose configuration is one of these.
    pub async fn of(builder: Builder) -> Self {
        let running = builder.start().await.expect("a gateway");
        let plain = match &running.authority {
            Some(authority) => tunnel::plain(running.addresses.shared, authority).await,
            None => running.addresses.shared,
        };
        Self { running, plain }
    }

    /// The settings of this vendor's clients, under the keys that `conclave env` prints.
    pub fn settings(&self, vendor: Vendor) -> Vec<(String, String)> {
        let Running { config, addresses, .. } = &self.running;
        let text =
            clients::settings(config, Some(addresses), &config.realms[0], vendor.name()).expect("the vendor is there");
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// A client of the vendor's surface.
    pub fn door(&self, vendor: Vendor) -> Client {
        Client::at(self.plain, &format!("/{vendor}"))
    }

    /// The callers of the server APIs. Tests that count what an SDK drives use those of other vendors only.
    pub async fn vendor_apis(&self) -> VendorApis {
        VendorApis::at(self.plain, &self.running.config.realms[0]).await
    }
}

impl VendorApis {
    /// The callers for a realm of the gateway at this address.
    pub async fn at(gateway: SocketAddr, realm: &RealmConfig) -> Self {
        let agora = &realm.section::<Agora>().expect("the realm is at Agora").credentials;
        let tencent = &realm.section::<Tencent>().expect("the realm is at Tencent").credentials;
        let rong = &realm.section::<Rong>().expect("the realm is at RongCloud").credentials;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let admin = &tencent.admins[0];
        let sig = user_sig(tencent.sdkappid, &tencent.secret_key, admin, now, 86_400);
        let door = |vendor: Vendor| Client::at(gateway, &format!("/{vendor}"));
        Self {
            agora: AgoraApi::new(door(Vendor::Agora), &agora.org, &agora.app, &agora.client_id, &agora.client_secret)
                .await,
            tencent: TencentApi::new(door(Vendor::Tencent), tencent.sdkappid, admin, &sig),
            rong: RongApi::new(door(Vendor::Rong), &rong.app_key, &rong.app_secret),
        }
    }
}

impl VendorApis {
    /// All callers.
    pub fn all(self) -> Vec<Arc<dyn VendorApi>> {
        vec![Arc::new(self.agora), Arc::new(self.tencent), Arc::new(self.rong)]
    }
}
