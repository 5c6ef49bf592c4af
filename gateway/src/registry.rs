//! Vendors without their types: what the gateway needs of each registered vendor.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use conclave_core::model::Millis;
use conclave_core::ports::Groups;
use conclave_kit::{AppUrl, Destination, GroupRead, OpenRealm, Post, SettingsTable, SetupError, Surface, Vendor};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use toml::Table;

/// The registered vendors, in the order of their registration.
#[derive(Clone)]
pub struct Vendors(Vec<Arc<dyn Registered>>);

impl Vendors {
    /// Empty.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a vendor. Replaces one with the same name.
    #[must_use]
    pub fn with<V: Vendor>(mut self) -> Self {
        self.0.retain(|vendor| vendor.name() != V::NAME);
        self.0.push(Arc::new(Entry::<V>(PhantomData)));
        self
    }

    /// All vendors.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &dyn Registered> {
        self.0.iter().map(|vendor| &**vendor)
    }

    /// The vendor with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&dyn Registered> {
        self.iter().find(|vendor| vendor.name() == name)
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.iter().map(Registered::name).collect()
    }
}

impl fmt::Debug for Vendors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// A realm's section at one vendor: a [`Vendor::Section`].
pub(crate) trait Section: Any + fmt::Debug + Send + Sync {
    /// The same once more.
    fn copy(&self) -> Box<dyn Section>;
}

impl<S: Any + Clone + fmt::Debug + Send + Sync> Section for S {
    fn copy(&self) -> Box<dyn Section> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Section> {
    fn clone(&self) -> Self {
        // on the value in the box, not on the box itself
        (**self).copy()
    }
}

/// A realm opened for a vendor, with its section still untyped.
pub(crate) type Opened<'a> = OpenRealm<&'a dyn Section>;

/// A vendor's surface, and the way to change its realms.
#[derive(Clone)]
pub(crate) struct Host {
    /// The vendor's name.
    pub(crate) vendor: &'static str,
    pub(crate) surface: Arc<dyn Surface>,
    /// The same, for opening and closing realms.
    pub(crate) realms: Arc<dyn HostsRealms>,
}

/// Opens and closes realms at one vendor's surface, also while requests are answered.
pub(crate) trait HostsRealms: Send + Sync {
    /// Serves a realm, or replaces it. A section of another vendor's type counts as missing.
    fn open(&self, realm: Opened<'_>) -> Result<(), SetupError>;
    /// Serves a realm no more.
    fn close(&self, realm: &str);
}

impl<V: Vendor> HostsRealms for V {
    fn open(&self, realm: Opened<'_>) -> Result<(), SetupError> {
        let OpenRealm { name, section, groups, log, blobs, post, presence } = realm;
        let Some(section) = typed::<V>(section).cloned() else { return Ok(()) };
        self.open_realm(OpenRealm { name, section, groups, log, blobs, post, presence })
    }

    fn close(&self, realm: &str) {
        self.close_realm(realm);
    }
}

/// [`Vendor`] without its type. Sections are those this vendor has parsed; sections of other types count as missing.
pub(crate) trait Registered: Send + Sync {
    fn name(&self) -> &'static str;
    fn title(&self) -> &'static str;
    fn example(&self) -> &'static str;
    fn development(&self) -> Result<Table, toml::de::Error>;
    fn parse(&self, table: toml::Value) -> Result<Box<dyn Section>, toml::de::Error>;
    /// Checks the sections at this vendor in a file's text; errors have their line.
    fn check_text(&self, text: &str) -> Result<(), toml::de::Error>;
    fn tables(&self) -> Vec<SettingsTable>;
    /// The secret in [`Vendor::DEVELOPMENT`].
    fn development_secret(&self) -> Option<String>;
    /// Whether the section's secret is the public development one.
    fn is_development(&self, section: &dyn Section) -> bool;
    fn check(&self, realm: &str, section: &dyn Section) -> Result<(), String>;
    /// The keys that tell apps apart: [`Vendor::IDENTITY`].
    fn identity(&self) -> &'static [&'static str];
    /// The surface, before any realm is at this vendor.
    fn surface(&self) -> Result<Host, SetupError>;
    fn guarded(&self, section: &dyn Section, groups: Arc<dyn Groups>, post: &Arc<dyn Post>) -> Arc<dyn Groups>;
    fn questions(&self, section: &dyn Section) -> Vec<AppUrl>;
    fn destinations(&self, section: &dyn Section) -> Vec<Destination>;
    fn client_settings(&self, section: &dyn Section, base: &str) -> Vec<(&'static str, String)>;
    fn group_reads(&self, section: &dyn Section, group: &str, now: Millis) -> Vec<GroupRead>;
    fn tools(&self) -> Vec<Tool>;
}

/// [`conclave_kit::Tool`], without its vendor's type.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) lifetime: u64,
    pub(crate) issue: Issue,
}

type Issue = Box<dyn Fn(&dyn Section, Option<&str>, Millis, u64) -> Result<String, String>>;

struct Entry<V>(PhantomData<fn() -> V>);

/// The section with its type.
fn typed<V: Vendor>(section: &dyn Section) -> Option<&V::Section> {
    (section as &dyn Any).downcast_ref()
}

impl<V: Vendor> Registered for Entry<V> {
    fn name(&self) -> &'static str {
        V::NAME
    }

    fn title(&self) -> &'static str {
        V::TITLE
    }

    fn example(&self) -> &'static str {
        V::EXAMPLE
    }

    fn development(&self) -> Result<Table, toml::de::Error> {
        V::DEVELOPMENT.parse()
    }

    fn parse(&self, table: toml::Value) -> Result<Box<dyn Section>, toml::de::Error> {
        Ok(Box::new(table.try_into::<V::Section>()?))
    }

    fn check_text(&self, text: &str) -> Result<(), toml::de::Error> {
        toml::from_str::<File<V>>(text).map(drop)
    }

    fn tables(&self) -> Vec<SettingsTable> {
        V::tables()
    }

    fn development_secret(&self) -> Option<String> {
        let known = toml::from_str::<V::Section>(V::DEVELOPMENT).ok()?;
        Some(V::secret(&known).to_owned())
    }

    fn is_development(&self, section: &dyn Section) -> bool {
        let (section, known) = (typed::<V>(section).map(V::secret), self.development_secret());
        section.is_some() && section == known.as_deref()
    }

    fn check(&self, realm: &str, section: &dyn Section) -> Result<(), String> {
        typed::<V>(section).map_or(Ok(()), |section| V::check(realm, section))
    }

    fn identity(&self) -> &'static [&'static str] {
        V::IDENTITY
    }

    fn surface(&self) -> Result<Host, SetupError> {
        let surface = Arc::new(V::surface()?);
        Ok(Host { vendor: V::NAME, surface: surface.clone(), realms: surface })
    }

    fn guarded(&self, section: &dyn Section, groups: Arc<dyn Groups>, post: &Arc<dyn Post>) -> Arc<dyn Groups> {
        match typed::<V>(section) {
            Some(section) => V::guarded(section, groups, post),
            None => groups,
        }
    }

    fn questions(&self, section: &dyn Section) -> Vec<AppUrl> {
        typed::<V>(section).map(V::questions).unwrap_or_default()
    }

    fn destinations(&self, section: &dyn Section) -> Vec<Destination> {
        typed::<V>(section).map(V::destinations).unwrap_or_default()
    }

    fn client_settings(&self, section: &dyn Section, base: &str) -> Vec<(&'static str, String)> {
        typed::<V>(section).map(|section| V::client_settings(section, base)).unwrap_or_default()
    }

    fn group_reads(&self, section: &dyn Section, group: &str, now: Millis) -> Vec<GroupRead> {
        typed::<V>(section).map(|section| V::group_reads(section, group, now)).unwrap_or_default()
    }

    fn tools(&self) -> Vec<Tool> {
        let tool = |tool: conclave_kit::Tool<V::Section>| {
            let conclave_kit::Tool { name, about, lifetime, issue } = tool;
            let issue: Issue = Box::new(move |section, user, now, lifetime| {
                let section = typed::<V>(section).ok_or("the realm has no app at this vendor")?;
                issue(section, user, now, lifetime)
            });
            Tool { name, about, lifetime, issue }
        };
        V::tools().into_iter().map(tool).collect()
    }
}

/// A file of which only the realms' sections at one vendor are parsed, at their position in the text.
#[derive(Deserialize)]
#[serde(bound = "")]
struct File<V: Vendor> {
    #[serde(default)]
    #[allow(dead_code, reason = "read for its errors")]
    realm: std::collections::BTreeMap<String, Only<V>>,
}

struct Only<V>(PhantomData<fn() -> V>);

impl<'de, V: Vendor> Deserialize<'de> for Only<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys<V>(PhantomData<fn() -> V>);

        impl<'de, V: Vendor> Visitor<'de> for Keys<V>
        where
            V::Section: DeserializeOwned,
        {
            type Value = Only<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while let Some(key) = map.next_key::<String>()? {
                    if key == V::NAME {
                        map.next_value::<V::Section>()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Only(PhantomData))
            }
        }

        deserializer.deserialize_map(Keys(PhantomData))
    }
}
