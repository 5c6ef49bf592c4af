//! `AppDefinedData` and `AppMemberDefinedData`: fields whose keys the app's console configures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits;
use crate::refusals::{Code, Failure};

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pair {
    pub(crate) key: String,
    /// Any text, even with control characters; "" removes the field.
    #[serde(default)]
    pub(crate) value: String,
}

impl Pair {
    /// The bytes of its texts.
    pub(crate) fn bytes(&self) -> usize {
        self.key.len() + self.value.len()
    }
}

/// The owner of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Group,
    Member,
}

/// The fields by key, if all keys are configured and all values short enough.
pub(crate) fn fields(of: Of, configured: &[String], pairs: Vec<Pair>) -> Result<BTreeMap<String, String>, Failure> {
    let longest = match of {
        Of::Group => limits::GROUP_VALUE,
        Of::Member => limits::MEMBER_VALUE,
    };
    for pair in &pairs {
        if !configured.contains(&pair.key) {
            return Err(Code::Parameter.saying("all defined key is invalid"));
        }
        if pair.value.len() > longest {
            return Err(Code::Parameter.saying("value of custom field is too long"));
        }
    }
    Ok(pairs.into_iter().map(|pair| (pair.key, pair.value)).collect())
}

/// The configured fields that are set; with a filter, only those it names.
pub(crate) fn pairs(configured: &[String], filter: Option<&[String]>, fields: &BTreeMap<String, String>) -> Vec<Pair> {
    let shown = configured.iter().filter(|key| filter.is_none_or(|filter| filter.contains(*key)));
    let pair = |key: &String| Some(Pair { key: key.clone(), value: fields.get(key)?.clone() });
    shown.filter_map(pair).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn pair(key: &str, value: &str) -> Pair {
        Pair { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn only_configured_keys_are_accepted_and_returned() {
        let configured = vec!["Colour".to_owned(), "Size".to_owned()];
        let taken = fields(Of::Group, &configured, vec![pair("Size", "abc\u{0}\u{1}")]).unwrap();
        assert_eq!(pairs(&configured, None, &taken), [pair("Size", "abc\u{0}\u{1}")]);
        assert_eq!(pairs(&configured, Some(&["Colour".to_owned()]), &taken), []);
        let refused = fields(Of::Group, &configured, vec![pair("Shape", "x")]).unwrap_err();
        assert_eq!(refused, Code::Parameter.saying("all defined key is invalid"));
        let elsewhere = BTreeMap::from([("ext_other".to_owned(), "x".to_owned())]);
        assert_eq!(pairs(&configured, None, &elsewhere), []);
    }

    #[test]
    fn values_have_a_length() {
        let configured = vec!["K".to_owned()];
        assert!(fields(Of::Group, &configured, vec![pair("K", &"v".repeat(512))]).is_ok());
        assert!(fields(Of::Group, &configured, vec![pair("K", &"v".repeat(513))]).is_err());
        assert!(fields(Of::Member, &configured, vec![pair("K", &"v".repeat(65))]).is_err());
    }
}
