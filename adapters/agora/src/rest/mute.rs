//! Muting members, and muting all.

use conclave_core::model::{GroupId, Millis, Role, Until, UserId};
use conclave_core::operation::{Mute, Unmute, UpdateGroup};
use conclave_core::query::{MaySpeak, MembersNamed, ModerationState, Mutes, MutesNow};
use serde::Serialize;
use serde_json::{Value, json};

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use super::listed::{ToRemove, to_remove, users};
use super::members::usernames;
use crate::dialect::ids::shown;
use crate::dialect::time::end;
use crate::refusals::{self, Failure};

/// `GET /chatgroups/{id}/mute`: all users who are muted now.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let mutes = call.ask(MutesNow { group: call.group()? }).await?.0;
    let rows: Vec<Value> =
        mutes.iter().map(|mute| json!({"expire": end(mute.until), "user": shown(&mute.user)})).collect();
    Ok(Reply::data(&rows))
}

/// The requested duration of a mute.
enum Wanted {
    Until(Until),
    /// Unmute.
    Over,
}

fn wanted(fields: &Fields<'_>, now: Millis) -> Result<Wanted, Failure> {
    let number = match fields.get("mute_duration") {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
        None => return Err(refusals::invalid("mute_duration must be provided")),
    };
    match number {
        Some(-1) => Ok(Wanted::Until(Until::Forever)),
        Some(0) => Ok(Wanted::Over),
        Some(millis) => match u64::try_from(millis) {
            Ok(millis) => Ok(Wanted::Until(Until::At(now.plus(millis)))),
            Err(_) => Err(refusals::invalid("mute_duration is not valid")),
        },
        None => Err(refusals::invalid("mute_duration is not valid")),
    }
}

/// A row for one user.
#[derive(Serialize)]
struct Muted {
    result: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire: Option<Millis>,
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Muted {
    fn done(user: &UserId, expire: Option<Millis>) -> Self {
        Self { result: true, expire, user: shown(user).into_owned(), reason: None }
    }

    /// The mute of another kind remains.
    fn still(user: String) -> Self {
        Self { result: false, expire: None, reason: Some(refusals::muted_everywhere(&user)), user }
    }
}

/// `POST /chatgroups/{id}/mute`: milliseconds; -1 is without end, 0 unmutes.
pub(crate) async fn add(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let names = usernames(call, "userNames size is more than max limit : ")?;
    let wanted = wanted(&Fields::read(call.body)?, call.app.now())?;
    let users = call.members_or_refuse(&group, &names).await?;
    let Wanted::Until(until) = wanted else {
        call.run(Unmute { group: group.clone(), users: users.clone() }).await?;
        let now = call.app.now();
        let voices = call.ask(MaySpeak { group, users }).await?.users;
        let row = |voice: &ModerationState| match &voice.everywhere {
            None => Muted::done(&voice.user, Some(now)),
            Some(_) => Muted::still(shown(&voice.user).into_owned()),
        };
        return Ok(Reply::data(&voices.iter().map(row).collect::<Vec<_>>()));
    };
    let listed = call.run(Mute { group, users, until, members_only: true, spare_owner: true }).await?;
    let done = listed.done.iter().map(|user| Muted::done(user, Some(end(until))));
    let left_out = listed.left_out.iter().map(|(user, refusal)| Muted {
        result: false,
        expire: None,
        user: shown(user).into_owned(),
        reason: Some(call.word(refusal).description),
    });
    let rows: Vec<Muted> = done.chain(left_out).collect();
    Ok(Reply::data(&rows))
}

/// `DELETE /chatgroups/{id}/mute/{user[,user…]}`: users who are not muted, or do not exist, are reported as done.
pub(crate) async fn remove(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let names = call.users();
    let most = call.app.settings.batch_remove;
    if names.len() > most {
        return Err(refusals::invalid(format!("removeMute member size more than max limit : {most}")));
    }
    let list = async || {
        let muted = call.ask(Mutes::all(group.clone())).await?.entries;
        Ok(muted.iter().map(|mute| mute.user.clone()).collect())
    };
    let removing = to_remove(call, &group, &names, |voice| voice.mute.is_some(), list).await?;
    call.run(Unmute { group: group.clone(), users: users(&removing) }).await?;
    let row = |row: ToRemove| {
        if row.muted_everywhere {
            return Muted::still(row.name);
        }
        Muted { result: true, expire: None, user: row.name, reason: None }
    };
    Ok(Reply::data(&removing.into_iter().map(row).collect::<Vec<_>>()))
}

/// `DELETE /chatgroups/{id}/mute?role=`: all muted users of that role; users who have left count as ordinary members.
pub(crate) async fn remove_by_role(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let role = match call.query.get("role") {
        Some("member") => Role::Member,
        Some("admin") => Role::Admin,
        Some("owner") => Role::Owner,
        _ => return Err(refusals::invalid("role is not valid")),
    };
    let users = muted_of(call, &group, role).await?;
    call.run(Unmute { group, users: users.clone() }).await?;
    let rows: Vec<Muted> = users.iter().map(|user| Muted::done(user, None)).collect();
    Ok(Reply::data(&rows))
}

async fn muted_of(call: &Call<'_>, group: &GroupId, role: Role) -> Result<Vec<UserId>, Failure> {
    let mutes = call.ask(Mutes::all(group.clone())).await?.entries;
    let users: Vec<UserId> = mutes.iter().map(|mute| mute.user.clone()).collect();
    let members = call.ask(MembersNamed { group: group.clone(), users: users.clone() }).await?.members;
    let of_role = |member: Option<Role>| member.unwrap_or(Role::Member) == role;
    Ok(users
        .into_iter()
        .zip(members)
        .filter(|(_, member)| of_role(member.as_ref().map(|member| member.role)))
        .map(|(user, _)| user)
        .collect())
}

/// `GET /sdk/chatgroups/{id}/mute/{me}`.
pub(crate) async fn is_muted(call: &Call<'_>) -> Result<Reply, Failure> {
    let (group, users) = (call.group()?, vec![call.user(call.param("user")).await?.id.clone()]);
    // only members may ask, although the mute of a non-member is no secret
    call.ask(MembersNamed { group: group.clone(), users: users.clone() }).await?;
    let voices = call.ask(MaySpeak { group, users }).await?;
    Ok(Reply::data(&voices.users.iter().any(|voice| voice.longest_mute().is_some())))
}

/// `POST /chatgroups/{id}/ban`.
pub(crate) async fn mute_all(call: &Call<'_>) -> Result<Reply, Failure> {
    set_all(call, true).await
}

/// `DELETE /chatgroups/{id}/ban`.
pub(crate) async fn unmute_all(call: &Call<'_>) -> Result<Reply, Failure> {
    set_all(call, false).await
}

async fn set_all(call: &Call<'_>, mute: bool) -> Result<Reply, Failure> {
    call.run(UpdateGroup { all_muted: Some(mute), ..UpdateGroup::of(call.group()?) }).await?;
    Ok(Reply::data(&json!({"mute": mute})).action("put"))
}
