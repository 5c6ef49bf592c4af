//! A whole system in one process: one realm, the three surfaces over it, and a caller of each API.

use std::sync::Arc;

use conclave::blob::InMemory;
use conclave_agora::Agora;
use conclave_kit::{Nobody, Surface};
use conclave_rong::Rong;
use conclave_tencent::Tencent;

use crate::client::Client;
use crate::sign::user_sig;
use crate::story::{AgoraApi, CoreApi, RongApi, TencentApi, VendorApi};
use crate::world::{BEGINNING, World};

/// The realm's credentials at each vendor.
pub mod credentials {
    /// Agora's organisation.
    pub const ORG: &str = "acme";
    /// Agora's app.
    pub const APP: &str = "demo";
    /// Agora's client id.
    pub const CLIENT_ID: &str = "test-client-id";
    /// Agora's client secret.
    pub const CLIENT_SECRET: &str = "YXA6dGVzdC1jbGllbnQtc2VjcmV0LTE";
    /// Tencent's app id.
    pub const SDKAPPID: u32 = 1_400_000_000;
    /// Tencent's key, made up.
    pub const SECRET_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    /// Tencent's admin.
    pub const ADMIN: &str = "administrator";
    /// RongCloud's app key.
    pub const APP_KEY: &str = "uwd1c0sxdlx2";
    /// RongCloud's app secret.
    pub const APP_SECRET: &str = "Y1W2MeFwwwRxa0";
}

use credentials::{ADMIN, APP, APP_KEY, APP_SECRET, CLIENT_ID, CLIENT_SECRET, ORG, SDKAPPID, SECRET_KEY};

/// Agora's surface in front of a world.
pub fn agora(world: &World, settings: conclave_agora::Settings) -> Agora {
    let credentials = conclave_agora::Credentials {
        org: ORG.to_owned(),
        app: APP.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        app_id: None,
        app_certificate: None,
    };
    let blobs = Arc::new(InMemory::default());
    let realm = conclave_agora::AgoraRealm {
        name: "test".to_owned(),
        credentials,
        settings,
        groups: world.groups.clone(),
        log: world.log.clone(),
        blobs,
        presence: Arc::new(Nobody),
    };
    Agora::new(vec![realm]).expect("a surface")
}

/// Tencent's surface in front of a world.
pub fn tencent(world: &World, settings: conclave_tencent::Settings) -> Tencent {
    let credentials = conclave_tencent::Credentials {
        sdkappid: SDKAPPID,
        secret_key: SECRET_KEY.to_owned(),
        admins: vec![ADMIN.to_owned()],
    };
    let (groups, log, presence) = (world.groups.clone(), world.log.clone(), Arc::new(Nobody));
    let (name, blobs) = ("test".to_owned(), world.blobs.clone());
    let realm = conclave_tencent::TencentRealm { name, credentials, settings, groups, log, blobs, presence };
    Tencent::new(vec![realm]).expect("a surface")
}

/// RongCloud's surface in front of a world.
pub fn rong(world: &World, settings: conclave_rong::Settings) -> Rong {
    let credentials = conclave_rong::Credentials { app_key: APP_KEY.to_owned(), app_secret: APP_SECRET.to_owned() };
    let (groups, log, presence) = (world.groups.clone(), world.log.clone(), Arc::new(Nobody));
    let realm = conclave_rong::RongRealm { name: "test".to_owned(), credentials, settings, groups, log, presence };
    Rong::new(vec![realm]).expect("a surface")
}

/// A client for a surface in this process, mounted as the gateway mounts it.
pub fn mounted(surface: impl Surface + 'static) -> Client {
    let base_url = format!("http://127.0.0.1:8080/{}", surface.vendor());
    Client::of(surface, &base_url)
}

/// The three server APIs of one world.
pub struct Three {
    /// The world.
    pub world: World,
    /// Agora's.
    pub agora: AgoraApi,
    /// Tencent's.
    pub tencent: TencentApi,
    /// RongCloud's.
    pub rong: RongApi,
}

/// The three server APIs in front of a world of their own.
pub async fn three() -> Three {
    three_with(conclave_tencent::Settings::default()).await
}

/// The same, with settings for Tencent.
pub async fn three_with(settings: conclave_tencent::Settings) -> Three {
    three_of(conclave_agora::Settings::default(), settings, conclave_rong::Settings::default()).await
}

/// The same, with settings for each vendor; ids of groups can be chosen through all of them.
pub async fn three_of(
    agora_settings: conclave_agora::Settings,
    settings: conclave_tencent::Settings,
    rong_settings: conclave_rong::Settings,
) -> Three {
    let world = World::new();
    let agora_settings = conclave_agora::Settings { custom_group_ids: true, ..agora_settings };
    let agora = mounted(agora(&world, agora_settings));
    let agora = AgoraApi::new(agora, ORG, APP, CLIENT_ID, CLIENT_SECRET).await;
    let tencent = mounted(tencent(&world, settings));
    let sig = user_sig(SDKAPPID, SECRET_KEY, ADMIN, BEGINNING.seconds(), 100 * 86_400);
    let tencent = TencentApi::new(tencent, SDKAPPID, ADMIN, &sig);
    let rong = mounted(rong(&world, rong_settings));
    let rong = RongApi::new(rong, APP_KEY, APP_SECRET);
    Three { world, agora, tencent, rong }
}

/// A caller of each API of a world: the core first.
pub async fn vendor_apis(world: &World) -> Vec<Arc<dyn VendorApi>> {
    let agora_settings = conclave_agora::Settings { custom_group_ids: true, ..conclave_agora::Settings::default() };
    let agora = mounted(agora(world, agora_settings));
    let tencent = mounted(tencent(world, conclave_tencent::Settings::default()));
    let rong = mounted(rong(world, conclave_rong::Settings::default()));
    let sig = user_sig(SDKAPPID, SECRET_KEY, ADMIN, BEGINNING.seconds(), 86_400);
    vec![
        Arc::new(CoreApi(world.groups.clone())),
        Arc::new(AgoraApi::new(agora, ORG, APP, CLIENT_ID, CLIENT_SECRET).await),
        Arc::new(TencentApi::new(tencent, SDKAPPID, ADMIN, &sig)),
        Arc::new(RongApi::new(rong, APP_KEY, APP_SECRET)),
    ]
}
