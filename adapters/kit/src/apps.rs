//! The apps of a surface, by the identity that requests name.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::SetupError;

/// Collects apps by identity; refuses two realms with the same one.
///
/// `what` describes an identity in the error, `realm` is an app's realm.
///
/// # Errors
/// [`SetupError::SameApp`].
pub fn apps_by_identity<K: Eq + Hash, A>(
    apps: impl IntoIterator<Item = Result<(K, A), SetupError>>,
    what: impl Fn(&K) -> String,
    realm: impl Fn(&A) -> &str,
) -> Result<HashMap<K, Arc<A>>, SetupError> {
    let mut by_identity: HashMap<K, Arc<A>> = HashMap::new();
    for app in apps {
        let (identity, app) = app?;
        if let Some(other) = by_identity.get(&identity) {
            let (first, second) = (realm(other).to_owned(), realm(&app).to_owned());
            return Err(SetupError::SameApp { what: what(&identity), first, second });
        }
        by_identity.insert(identity, Arc::new(app));
    }
    Ok(by_identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_realms_with_one_identity_are_refused() {
        let apps = |second| [Ok((1, "a")), Ok((second, "b"))];
        let collect = |second| apps_by_identity(apps(second), |id| format!("app {id}"), |realm| realm);
        assert_eq!(collect(2).map(|apps| apps.len()).ok(), Some(2));
        let refused = collect(1).map(|apps| apps.len());
        assert!(
            matches!(refused, Err(SetupError::SameApp { what, first, second }) if (what.as_str(), first.as_str(), second.as_str()) == ("app 1", "a", "b"))
        );
    }
}
