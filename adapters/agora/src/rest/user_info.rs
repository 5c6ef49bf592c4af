//! Users' own info: name, avatar, and a few fields that only this vendor has.

use conclave_core::model::User;
use conclave_core::operation::UpdateUser;
use conclave_kit::query_pairs;
use serde_json::{Map, Value, json};

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use super::joined::whose;
use crate::dialect::ids::shown;
use crate::dialect::limits;
use crate::refusals::{self, Failure};

/// Fields that are stored as labels of the user; the names are those in the SDKs' types.
const KEPT: [&str; 6] = ["mail", "phone", "gender", "sign", "birth", "ext"];
const NAME: &str = "nickname";
const AVATAR: &str = "avatarurl";
/// Prefix of the labels that store users' info.
const LABEL: &str = "agora.info.";

/// `PUT /metadata/user/{user}`: a form of fields. Returns the fields that were set.
pub(crate) async fn set(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = whose(call).await?;
    let text = std::str::from_utf8(call.body.bytes).map_err(|_| refusals::metadata("user metadata is illegal"))?;
    if text.len() > 3 * limits::USER_INFO_BYTES {
        return Err(refusals::metadata("user metadata size exceeds limit"));
    }
    let mut change = UpdateUser::of(user);
    let mut data = Map::new();
    for (name, value) in query_pairs(text) {
        match name.as_str() {
            NAME => change.nick = Some(value.clone()),
            AVATAR => change.avatar = Some(value.clone()),
            known if KEPT.contains(&known) => {
                let kept = Some(value.clone()).filter(|value| !value.is_empty());
                drop(change.labels.insert(format!("{LABEL}{name}"), kept));
            }
            // the vendor stores any name; those that SDKs have no field for are ignored here
            _ => continue,
        }
        data.insert(name, value.into());
    }
    if data.iter().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum::<usize>()
        > limits::USER_INFO_BYTES
    {
        return Err(refusals::metadata("user metadata size exceeds limit"));
    }
    call.run(change).await?;
    Ok(Reply::data(&data).short())
}

/// `POST /metadata/user/get`: the requested fields of several users. Users who do not exist are left out.
pub(crate) async fn get(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    let targets = fields.texts(&["targets"])?.unwrap_or_default();
    let properties = fields.texts(&["properties"])?.unwrap_or_default();
    if targets.is_empty() || targets.len() > limits::USER_INFOS {
        return Err(refusals::metadata("query param reaches limit."));
    }
    let found = call.find_users(&targets).await?;
    let of = |user: &User| {
        let wanted = |name: &&str| properties.iter().any(|property| property == name);
        let fields = [NAME, AVATAR].into_iter().chain(KEPT).filter(wanted);
        let shown_fields = fields.filter_map(|name| Some((name.to_owned(), Value::from(field(user, name)?))));
        (shown(&user.id).into_owned(), Value::from(shown_fields.collect::<Map<_, _>>()))
    };
    let data: Map<String, Value> = found.iter().flatten().map(|user| of(user)).collect();
    Ok(Reply::data(&json!(data)).short())
}

fn field(user: &User, name: &str) -> Option<String> {
    let text = match name {
        NAME => user.nick.clone(),
        AVATAR => user.avatar.clone(),
        other => user.labels.get(&format!("{LABEL}{other}"))?.clone(),
    };
    Some(text).filter(|text| !text.is_empty())
}
