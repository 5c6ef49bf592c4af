//! File, environment and flags: their order, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::io::Write as _;

use conclave_agora::Agora;
use conclave_rong::Rong;
use conclave_tencent::Tencent;

use super::*;

fn agora(realm: &RealmConfig) -> &conclave_agora::Section {
    realm.section::<Agora>().unwrap()
}

/// The configuration for a file's text and the environment.
fn load(file: &str, environment: &[(&str, &str)], flags: Flags) -> Result<Config, ConfigError> {
    let mut kept = tempfile::NamedTempFile::new().unwrap();
    kept.write_all(file.as_bytes()).unwrap();
    let environment: BTreeMap<_, _> =
        environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Config::load(&Sources { file: Some(kept.path().to_owned()), environment, flags })
}

fn refusal(file: &str, environment: &[(&str, &str)]) -> String {
    load(file, environment, Flags::default()).err().unwrap_or_else(|| panic!("taken: {file} {environment:?}")).0
}

const SHOP: &str = "
    [realm.shop.agora]
    org = 'example'
    app = 'shop'
    client_id = 'id'
    client_secret = 'YXA6c2VjcmV0LW9mLXRoZS1zaG9wLTE'
";

/// Secrets as long as the vendors'.
const CLIENT_SECRET: &str = "YXA6aGlkZGVuLWluLXRoZS1lbnYtMDE";
const SECRET_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const APP_SECRET: &str = "own-secret-1";

#[test]
fn without_configuration_there_is_one_realm_with_all_vendors() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.data, Data::Folder("conclave-data".into()));
    assert_eq!(config.admin, Admin::IfFree("127.0.0.1:9090".parse().unwrap()));
    let [realm] = &config.realms[..] else { panic!("{:?}", config.realms) };
    assert_eq!(realm.name, "dev");
    for vendor in config.served.names() {
        assert!(realm.is_at(vendor) && is_development(&config.served, realm, vendor), "{vendor}");
    }
    assert!(agora(realm).settings.open_registration);
    assert!(realm.section::<Rong>().unwrap().settings.ext_keys.is_empty());
    assert!(realm.section::<Tencent>().unwrap().settings.group_keys.is_empty());
}

#[test]
fn flags_win_over_environment_and_environment_over_file() {
    let file = "listen = '127.0.0.1:1'\nmemory = true\n[limits]\nbody_bytes = 10\nheaders = 11\n";
    let environment = [("CONCLAVE_LISTEN", "127.0.0.1:2"), ("CONCLAVE_LIMITS_BODY_BYTES", "1_000")];
    let config = load(file, &environment, Flags::default()).unwrap();
    assert_eq!((config.listen.port(), config.limits.body_bytes, config.limits.headers), (2, 1000, 11));
    assert_eq!(config.data, Data::Memory);
    let flags = Flags {
        listen: Some("127.0.0.1:3".parse().unwrap()),
        data: Some("/some/where".into()),
        admin: Some("off".to_owned()),
        ..Flags::default()
    };
    let config = load(file, &environment, flags).unwrap();
    assert_eq!((config.listen.port(), config.admin), (3, Admin::Off));
    assert_eq!(config.data, Data::Folder("/some/where".into()));
}

#[test]
fn events_are_kept_as_long_as_devices() {
    let limits = |of: &str| format!("{SHOP}\n[realm.shop.limits]\n{of}\n");
    let message = refusal(&limits("event_lifetime_ms = 2_591_999_999"), &[]);
    assert!(message.contains("realm.shop.limits.event_lifetime_ms") && message.contains("2592000000"), "{message}");
    for good in
        ["event_lifetime_ms = 2_592_000_000", "event_lifetime_ms = 0", "event_lifetime_ms = 5\ndevice_lifetime_ms = 5"]
    {
        load(&limits(good), &[], Flags::default()).unwrap();
    }
}

#[test]
fn a_realm_and_its_secrets_may_come_from_the_environment() {
    let file = SHOP.replace("client_secret = 'YXA6c2VjcmV0LW9mLXRoZS1zaG9wLTE'", "");
    assert!(refusal(&file, &[]).contains("client_secret"));
    let config = load(&file, &[("CONCLAVE_REALM_SHOP_AGORA_CLIENT_SECRET", CLIENT_SECRET)], Flags::default()).unwrap();
    assert_eq!(agora(&config.realms[0]).credentials.client_secret, CLIENT_SECRET);
    assert_eq!(config.realms.len(), 1);

    let file = file.replace("shop.", "web-shop.");
    let environment = [
        ("CONCLAVE_REALM_WEB_SHOP_AGORA_CLIENT_SECRET", CLIENT_SECRET),
        ("CONCLAVE_REALM_WEB_SHOP_AGORA_SETTINGS_OPEN_REGISTRATION", "true"),
        ("CONCLAVE_REALM_WEB_SHOP_LIMITS_GROUPS_PER_USER", "5"),
        ("CONCLAVE_REALM_WEB_SHOP_TENCENT_SDKAPPID", "1400000001"),
        ("CONCLAVE_REALM_WEB_SHOP_TENCENT_SECRET_KEY", SECRET_KEY),
        ("CONCLAVE_REALM_WEB_SHOP_TENCENT_ADMINS", "one, two"),
    ];
    let config = load(&file, &environment, Flags::default()).unwrap();
    let [realm] = &config.realms[..] else { panic!("{:?}", config.realms) };
    assert_eq!((&*realm.name, realm.limits.groups_per_user), ("web-shop", Some(5)));
    assert!(agora(realm).settings.open_registration);
    assert_eq!(realm.section::<Tencent>().unwrap().credentials.admins, ["one", "two"]);

    // a realm that is only in the environment
    let environment = [("CONCLAVE_REALM_NEW_RONG_APP_KEY", "key"), ("CONCLAVE_REALM_NEW_RONG_APP_SECRET", APP_SECRET)];
    let config = load("", &environment, Flags::default()).unwrap();
    assert_eq!(config.realms.iter().map(|realm| &*realm.name).collect::<Vec<_>>(), ["new"]);
    // the development realm, changed
    let config = load("", &[("CONCLAVE_REALM_DEV_RONG_APP_SECRET", APP_SECRET)], Flags::default()).unwrap();
    let is_known = |vendor| is_development(&config.served, &config.realms[0], vendor);
    assert!(!is_known("rong") && is_known("agora"));
}

#[test]
fn unknown_keys_and_bad_values_are_named() {
    let cases = [
        ("lisen = '127.0.0.1:1'", "lisen"),
        ("[limits]\nbody = 1", "body"),
        ("[realm.a.agora]\nsecret = 1", "secret"),
        ("[realm.a.agora.settings]\nopen = true", "open"),
        ("[realm.a.rong.settings]\nhosted = true", "hosted"),
        ("[realm.a.aws]\nkey = 1", "aws"),
        ("[vendor.aws]\nhosts = []", "aws"),
        ("listen = 'localhost'", "line 1"),
        ("memory = 'yes'", "line 1"),
        ("a = = b", "line 1"),
        ("public_url = 'chat.example.com'", "public_url"),
        ("public_url = 'https://chat.example.com/'", "public_url"),
        ("admin = 'here'", "admin"),
        ("[tls]\ncert = 'a'", "cert and key"),
        ("[tls]\ncert = 'a'\nkey = 'b'\ndev = true", "twice"),
        ("[limits]\nheader_bytes = 100", "header_bytes"),
        ("[limits]\nconnections = 0", "connections"),
        ("[limits]\nrequests_per_user = 0", "requests_per_user"),
        ("cors_origins = ['app.example']", "cors_origins"),
        ("cors_origins = ['https://app.example/']", "cors_origins"),
        ("trusted_proxies = ['proxy']", "trusted_proxies"),
        ("public_url = 'https://chat.example.com'", "development credentials"),
        ("[vendor.rong]\npublic_url = 'https://chat.example.com'", "vendor.rong.public_url"),
        ("[realm.Shop.rong]\napp_key = 'a'\napp_secret = 'b'", "Shop"),
        ("[realm.shop]", "shop"),
        ("[vendor.rong]\nhosts = ['https://a']", "https://a"),
    ];
    for (file, named) in cases {
        let message = refusal(file, &[]);
        assert!(message.contains(named), "{file}: {message}");
    }
}

#[test]
fn unknown_variables_and_bad_ones_are_named() {
    let cases = [
        ("CONCLAVE_LISTN", "127.0.0.1:1"),
        ("CONCLAVE_REALM_DEV_AGORA_SECRET", "x"),
        ("CONCLAVE_REALM__AGORA_ORG", "x"),
        ("CONCLAVE_LISTEN", "nowhere"),
        ("CONCLAVE_MEMORY", "perhaps"),
        ("CONCLAVE_LIMITS_HEADERS", "many"),
        ("CONCLAVE_LIMITS_HEADERS", "-1"),
        ("CONCLAVE_LOG_FORMAT", "xml"),
    ];
    for (variable, value) in cases {
        let message = refusal("", &[(variable, value)]);
        assert!(message.contains(variable), "{variable}={value}: {message}");
    }
    // variables of others are ignored
    let others = [("CONCLAVE_PORT", "tcp://10.0.0.1:80"), ("CONCLAVE_SERVICE_HOST", "10.0.0.1"), ("PATH", "/bin")];
    load("", &others, Flags::default()).unwrap();
}

#[test]
fn errors_in_a_file_are_reported_without_its_values() {
    let message = refusal("[realm.a.rong]\napp_key = 'k'\napp_secret = 'very-secret'\nmore = 1", &[]);
    assert!(message.contains("more") && message.contains("line 4") && !message.contains("very-secret"), "{message}");
}

#[test]
fn development_credentials_stay_on_this_machine() {
    let open = "listen = '0.0.0.0:8080'\n";
    let message = refusal(open, &[]);
    assert!(message.contains("realm dev") && message.contains("0.0.0.0:8080"), "{message}");
    // refused in a file, under any name, even beside valid ones
    let written =
        toml::to_string(&dev::table(&Vendors::standard()).unwrap()).unwrap().replace("realm.dev", "realm.mine");
    assert!(refusal(&format!("{open}{written}"), &[]).contains("realm mine"));
    assert!(refusal("[vendor.rong]\nlisten = '[::]:81'\n", &[]).contains("[::]:81"));
    let own = [
        ("CONCLAVE_REALM_DEV_AGORA_CLIENT_SECRET", CLIENT_SECRET),
        ("CONCLAVE_REALM_DEV_TENCENT_SECRET_KEY", SECRET_KEY),
        ("CONCLAVE_REALM_DEV_RONG_APP_SECRET", APP_SECRET),
    ];
    for missing in 0..own.len() {
        let mut own = own.to_vec();
        let (variable, _) = own.remove(missing);
        let message = refusal(open, &own);
        assert!(message.contains("development credentials"), "without {variable}: {message}");
    }
    load(open, &own, Flags::default()).unwrap();
    load(&format!("{open}{SHOP}"), &[], Flags::default()).unwrap();
    assert!(refusal(&format!("{open}tls.dev = true\n{SHOP}"), &[]).contains("development certificate"));
}

/// A secret's table with everything else that it requires, its key, and a value that is long enough.
const SECRETS: [(&str, &str, &str); 6] = [
    ("[realm.a.agora]\norg = 'o'\napp = 'a'\nclient_id = 'i'\n", "client_secret", CLIENT_SECRET),
    (
        "[realm.a.agora]\norg = 'o'\napp = 'a'\nclient_id = 'i'\nclient_secret = 'YXA6aGlkZGVuLWluLXRoZS1lbnYtMDE'\napp_id = 'x'\n",
        "app_certificate",
        "5CFd2fd1755d40ecb72977518be15d3b",
    ),
    ("[realm.a.tencent]\nsdkappid = 1400000000\nadmins = ['admin']\n", "secret_key", SECRET_KEY),
    ("[realm.a.rong]\napp_key = 'k'\n", "app_secret", APP_SECRET),
    (
        "[realm.a.agora]\norg = 'o'\napp = 'a'\nclient_id = 'i'\nclient_secret = 'YXA6aGlkZGVuLWluLXRoZS1lbnYtMDE'\n\
         [realm.a.agora.webhooks]\nurl = 'https://app.example.com/'\n",
        "secret",
        "rule-secret",
    ),
    (
        "[realm.a.tencent]\nsdkappid = 1400000000\nadmins = ['admin']\n\
         secret_key = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'\n\
         [realm.a.tencent.webhooks]\nurl = 'https://app.example.com/'\n",
        "token",
        "token-of-callbacks",
    ),
];

#[test]
fn a_secret_that_protects_nothing_is_refused_from_file_and_environment() {
    for (table, key, good) in SECRETS {
        load(&format!("{table}{key} = '{good}'"), &[], Flags::default()).unwrap();
        let section = if table.contains("webhooks") { "_WEBHOOKS" } else { "" };
        let vendor = ["agora", "tencent", "rong"].into_iter().find(|vendor| table.contains(vendor)).unwrap();
        let variable = format!("CONCLAVE_REALM_A_{}{section}_{}", vendor.to_uppercase(), key.to_uppercase());
        load(table, &[(&variable, good)], Flags::default()).unwrap();
        let short = &good[..good.len().min(7)];
        for (bad, why) in [
            ("", "empty"),
            ("…", "placeholder"),
            ("<secret>", "placeholder"),
            ("changeme", "placeholder"),
            (short, "at least"),
        ] {
            // this vendor's callbacks are not signed without a token
            if key == "token" && bad.is_empty() {
                continue;
            }
            for message in [refusal(&format!("{table}{key} = '{bad}'"), &[]), refusal(table, &[(&variable, bad)])] {
                assert!(message.contains(key) && message.contains(why), "{key} = {bad}: {message}");
                assert!(bad != short || !message.contains(bad), "the secret is shown: {message}");
            }
        }
    }
}

#[test]
fn the_readmes_example_has_to_be_filled_in_and_works_then() {
    let readme = include_str!("../../../README.md");
    let example = readme.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let message = refusal(example, &[]);
    assert!(message.contains("placeholder"), "{message}");
    let filled: String = example
        .lines()
        .map(|line| match line.split_once(" = ").map_or("", |(key, _)| key) {
            "client_secret" => format!("client_secret = '{CLIENT_SECRET}'\n"),
            "secret_key" => format!("secret_key = '{SECRET_KEY}'\n"),
            "app_secret" => format!("app_secret = '{APP_SECRET}'\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    load(&filled, &[], Flags::default()).unwrap();
}

#[test]
fn every_address_and_host_has_one_owner() {
    let both = "[vendor.agora]\nlisten = '127.0.0.1:81'\n[vendor.rong]\nlisten = '127.0.0.1:81'\n";
    assert!(refusal(both, &[]).contains("127.0.0.1:81"));
    assert!(refusal("listen = '127.0.0.1:81'\n[vendor.agora]\nlisten = '127.0.0.1:81'\n", &[]).contains("claim"));
    assert!(refusal("listen = '127.0.0.1:81'\nadmin = '127.0.0.1:81'\n", &[]).contains("claim"));
    let hosts = "[vendor.agora]\nhosts = ['a.example']\n[vendor.rong]\nhosts = ['A.example']\n";
    assert!(refusal(hosts, &[]).contains("A.example"));
    load("[vendor.agora]\nlisten = '127.0.0.1:0'\n[vendor.rong]\nlisten = '127.0.0.1:0'\n", &[], Flags::default())
        .unwrap();
}

#[test]
fn every_key_has_a_variable_of_its_own() {
    let keys = reference::keys(&Vendors::standard());
    let variables: std::collections::BTreeSet<String> = keys.iter().map(|key| env::variable(&key.path)).collect();
    assert_eq!(variables.len(), keys.len());
}
