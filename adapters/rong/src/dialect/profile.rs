//! `groupProfile` and `groupExtProfile`: JSON texts inside strings, in requests and in responses.

use std::collections::BTreeMap;

use conclave_core::model::{Group, Profile};
use serde::Serialize;
use serde_json::{Map, Value};

use super::limits::{self, is_longer};
use crate::refusals::{Code, Failure};

/// The profile fields of a request; `None` means not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProfileText {
    pub(crate) name: Option<String>,
    pub(crate) introduction: Option<String>,
    pub(crate) announcement: Option<String>,
    pub(crate) portrait: Option<String>,
}

impl ProfileText {
    /// Reads `groupProfile`. Unknown keys are ignored.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut object = object(text, "groupProfile")?;
        let mut take = |key: &str, most: usize| match object.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if is_longer(&text, most) => Err(Failure::from(Code::FieldTooLong)),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Code::BadFormat.saying(format!("{key} must be a string"))),
        };
        Ok(Self {
            name: take("name", limits::GROUP_NAME)?,
            introduction: take("introduction", limits::INTRODUCTION)?,
            announcement: take("announcement", limits::ANNOUNCEMENT)?,
            portrait: take("portraitUrl", limits::PORTRAIT)?,
        })
    }

    /// Applies the fields to a profile, and returns the announcement.
    pub(crate) fn over(self, profile: &mut Profile) -> String {
        if let Some(introduction) = self.introduction {
            profile.introduction = introduction;
        }
        if let Some(portrait) = self.portrait {
            profile.avatar = portrait;
        }
        self.announcement.unwrap_or_default()
    }
}

/// Reads `groupExtProfile`: only keys configured for the app, with values that are not too long.
pub(crate) fn parse_ext(text: &str, known: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let object = object(text, "groupExtProfile")?;
    if object.len() > limits::EXT_PAIRS {
        return Err(Code::FieldTooLong.saying(format!("groupExtProfile has more than {} pairs", limits::EXT_PAIRS)));
    }
    let mut fields = BTreeMap::new();
    for (key, value) in object {
        if is_longer(&key, limits::EXT_KEY) {
            return Err(Code::FieldTooLong.into());
        }
        if !known.contains(&key) {
            return Err(Code::ExtKey.into());
        }
        let value = match value {
            Value::String(value) => value,
            Value::Null => String::new(),
            _ => return Err(Code::BadFormat.saying(format!("{key} must be a string"))),
        };
        if is_longer(&value, limits::EXT_VALUE) {
            return Err(Code::FieldTooLong.into());
        }
        fields.insert(key, value);
    }
    Ok(fields)
}

fn object(text: &str, name: &'static str) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Code::BadFormat.saying(format!("{name} must be a JSON object"))),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    introduction: &'a str,
    announcement: &'a str,
    portrait_url: &'a str,
}

/// `groupProfile` of a group.
pub(crate) fn shown(group: &Group) -> Result<String, Failure> {
    text(&Shown {
        introduction: &group.profile.introduction,
        announcement: group.announcement.as_ref().map_or("", |announcement| &announcement.text),
        portrait_url: &group.profile.avatar,
    })
}

/// `groupExtProfile` of a group: the fields with this vendor's key prefix; fields of other surfaces are not shown.
pub(crate) fn shown_ext(group: &Group) -> Result<String, Failure> {
    let fields: BTreeMap<&String, &String> =
        group.profile.fields.iter().filter(|(key, _)| limits::is_ext_key(key)).collect();
    text(&fields)
}

/// A value as JSON text.
pub(crate) fn text(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|_| Code::Internal.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_a_json_object_of_strings() {
        let profile = ProfileText::parse(r#"{"name":"n","introduction":"i","portraitUrl":null,"other":1}"#).unwrap();
        assert_eq!(profile.name.as_deref(), Some("n"));
        assert_eq!(profile.introduction.as_deref(), Some("i"));
        assert_eq!((profile.announcement, profile.portrait), (None, None));
        assert_eq!(ProfileText::parse("x").unwrap_err().code, Code::BadFormat);
        assert_eq!(ProfileText::parse(r#"{"name":1}"#).unwrap_err().code, Code::BadFormat);
        let deep = "[".repeat(100_000);
        assert_eq!(ProfileText::parse(&deep).unwrap_err().code, Code::BadFormat);
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let with = |key: &str, length: usize| ProfileText::parse(&format!(r#"{{"{key}":"{}"}}"#, "字".repeat(length)));
        for (key, most) in [("name", 64), ("introduction", 512), ("announcement", 1024), ("portraitUrl", 1024)] {
            assert!(with(key, most).is_ok(), "{key}");
            assert_eq!(with(key, most + 1).unwrap_err().code, Code::FieldTooLong, "{key}");
        }
    }

    #[test]
    fn extended_profiles_take_configured_keys_only() {
        let known = vec!["ext_k".to_owned()];
        let code = |text: &str| parse_ext(text, &known).unwrap_err().code;
        assert_eq!(parse_ext(r#"{"ext_k":"v"}"#, &known).unwrap()["ext_k"], "v");
        assert_eq!(code(r#"{"ext_j":"v"}"#), Code::ExtKey);
        assert_eq!(code(r#"{"k":"v"}"#), Code::ExtKey);
        assert_eq!(code(&format!(r#"{{"ext_{}":"v"}}"#, "k".repeat(29))), Code::FieldTooLong);
        assert_eq!(code(&format!(r#"{{"ext_k":"{}"}}"#, "v".repeat(257))), Code::FieldTooLong);
        assert_eq!(code(r#"{"ext_k":1}"#), Code::BadFormat);
        let many: Vec<String> = (0..11).map(|n| format!(r#""ext_{n}":"""#)).collect();
        assert_eq!(code(&format!("{{{}}}", many.join(","))), Code::FieldTooLong);
    }
}
