//! The apps of a surface, by the identity that requests name.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use std::borrow::Borrow;

use crate::SetupError;

/// The apps of one surface. Realms may be added and removed while requests are answered: readers never wait.
pub struct Apps<K, A> {
    table: ArcSwap<AppTable<K, A>>,
    /// Describes an identity in errors.
    what: fn(&K) -> String,
}

/// The apps at one moment.
pub struct AppTable<K, A> {
    by_identity: HashMap<K, Arc<A>>,
    /// The identity of each realm's app, by the realm's name.
    of_realms: HashMap<String, K>,
}

impl<K: Clone + Eq + Hash, A> Apps<K, A> {
    /// Without apps. `what` describes an identity in errors.
    pub fn new(what: fn(&K) -> String) -> Self {
        let table = AppTable { by_identity: HashMap::new(), of_realms: HashMap::new() };
        Self { table: ArcSwap::from_pointee(table), what }
    }

    /// Adds a realm's app, or replaces it where the realm has one already.
    ///
    /// # Errors
    /// [`SetupError::SameApp`] where another realm has this identity.
    pub fn add(&self, realm: &str, identity: &K, app: A) -> Result<(), SetupError> {
        let app = Arc::new(app);
        let mut clash = None;
        self.table.rcu(|table| {
            clash = table.realm_of(identity).filter(|other| *other != realm).map(str::to_owned);
            let mut table = AppTable { by_identity: table.by_identity.clone(), of_realms: table.of_realms.clone() };
            if clash.is_none() {
                if let Some(former) = table.of_realms.insert(realm.to_owned(), identity.clone()) {
                    table.by_identity.remove(&former);
                }
                table.by_identity.insert(identity.clone(), Arc::clone(&app));
            }
            table
        });
        match clash {
            Some(first) => Err(SetupError::SameApp { what: (self.what)(identity), first, second: realm.to_owned() }),
            None => Ok(()),
        }
    }

    /// Removes a realm's app. Requests that have found it already are still answered.
    pub fn remove(&self, realm: &str) {
        self.table.rcu(|table| {
            let mut table = AppTable { by_identity: table.by_identity.clone(), of_realms: table.of_realms.clone() };
            if let Some(identity) = table.of_realms.remove(realm) {
                table.by_identity.remove(&identity);
            }
            table
        });
    }

    /// The app with this identity.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, identity: &Q) -> Option<Arc<A>>
    where
        K: Borrow<Q>,
    {
        self.table.load().by_identity.get(identity).cloned()
    }

    /// A realm's app.
    pub fn of_realm(&self, realm: &str) -> Option<Arc<A>> {
        let table = self.table.load();
        table.of_realms.get(realm).and_then(|identity| table.by_identity.get(identity)).cloned()
    }

    /// All apps at this moment.
    pub fn load(&self) -> Guard<Arc<AppTable<K, A>>> {
        self.table.load()
    }
}

impl<K: Eq + Hash, A> AppTable<K, A> {
    /// How many apps there are.
    pub fn len(&self) -> usize {
        self.by_identity.len()
    }

    /// Whether there are no apps.
    pub fn is_empty(&self) -> bool {
        self.by_identity.is_empty()
    }

    /// All apps.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<A>> {
        self.by_identity.values()
    }

    /// The app with this identity.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, identity: &Q) -> Option<&Arc<A>>
    where
        K: Borrow<Q>,
    {
        self.by_identity.get(identity)
    }

    /// The realm whose app has this identity.
    fn realm_of(&self, identity: &K) -> Option<&str> {
        self.of_realms.iter().find(|(_, of)| *of == identity).map(|(realm, _)| realm.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn two_realms_with_one_identity_are_refused() {
        let apps = Apps::new(|id| format!("app {id}"));
        apps.add("a", &1, "of a").unwrap();
        let refused = apps.add("b", &1, "of b");
        assert!(
            matches!(refused, Err(SetupError::SameApp { what, first, second }) if (what.as_str(), first.as_str(), second.as_str()) == ("app 1", "a", "b"))
        );
        apps.add("b", &2, "of b").unwrap();
        assert_eq!((apps.load().len(), apps.get(&1).as_deref()), (2, Some(&"of a")));
        assert_eq!(apps.of_realm("b").as_deref(), Some(&"of b"));
    }

    #[test]
    fn a_realm_has_one_app_and_may_be_removed() {
        let apps = Apps::new(|id| format!("app {id}"));
        apps.add("a", &1, "first").unwrap();
        apps.add("a", &1, "second").unwrap();
        assert_eq!(apps.get(&1).as_deref(), Some(&"second"));
        apps.add("a", &3, "third").unwrap();
        assert_eq!((apps.get(&1), apps.load().len()), (None, 1));
        apps.remove("a");
        assert!(apps.load().is_empty() && apps.of_realm("a").is_none());
        apps.add("b", &3, "free again").unwrap();
        apps.remove("nobody");
        assert_eq!(apps.load().iter().count(), 1);
    }
}
