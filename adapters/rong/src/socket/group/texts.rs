//! Settings of a group in the client format: pairs of texts, numbers in decimal.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::calls::Texts;
use crate::dialect::permissions::Permissions;
use crate::dialect::profile::{self, ProfileText};
use crate::refusals::Code;
use crate::socket::call::{Call, Denied};
use crate::socket::wire::ProfileInfo;

/// Reads the pairs; a refusal names the invalid key.
pub(super) fn texts(call: &Call<'_>, settings: &[ProfileInfo], ext: &[ProfileInfo]) -> Result<Texts, Denied> {
    let settings = object(settings);
    let whole = Value::Object(settings.clone()).to_string();
    let texts = Texts {
        profile: ProfileText::parse(&whole)
            .map_err(|failure| blame(&settings, &failure.into(), |one| ProfileText::parse(one).is_err()))?,
        permissions: Permissions::parse(&whole)
            .map_err(|failure| blame(&settings, &failure.into(), |one| Permissions::parse(one).is_err()))?,
        fields: fields(call, ext)?,
    };
    match &texts.profile.name {
        Some(name) if name.trim().is_empty() => Err(Denied::from(Code::NoName).naming("name")),
        _ => Ok(texts),
    }
}

fn fields(call: &Call<'_>, ext: &[ProfileInfo]) -> Result<BTreeMap<String, String>, Denied> {
    let ext = object(ext);
    let known = &call.settings().ext_keys;
    profile::parse_ext(&Value::Object(ext.clone()).to_string(), known)
        .map_err(|failure| blame(&ext, &failure.into(), |one| profile::parse_ext(one, known).is_err()))
}

fn object(pairs: &[ProfileInfo]) -> Map<String, Value> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    pairs.iter().map(|pair| (text(&pair.key), Value::String(text(&pair.value)))).collect()
}

/// Names the keys that are refused one by one.
fn blame(object: &Map<String, Value>, denied: &Denied, refused: impl Fn(&str) -> bool) -> Denied {
    let alone = |key: &String, value: &Value| serde_json::json!({ key: value }).to_string();
    let keys = object.iter().filter(|(key, value)| refused(&alone(key, value))).map(|(key, _)| key.clone());
    Denied { keys: keys.collect(), status: denied.status }
}
