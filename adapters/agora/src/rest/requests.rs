//! Applying, inviting, deciding, leaving: what client SDKs call with a user's token.

use conclave_core::model::GroupId;
use conclave_core::operation::{
    AddMembers, AddOutcome, AnswerInvitation, Applied, Apply, DecideRequest, Leave, NewMember, OnBlocked, OnFull,
    OnMember, OnOutsider,
};
use conclave_core::refusal::Refusal;
use serde_json::{Value, json};

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use super::members::{adding, usernames};
use crate::dialect::CLEANUP;
use crate::dialect::ids::{fold, shown};
use crate::refusals::{self, Failure};

fn row(action: &str, user: &str, group: &GroupId) -> Value {
    json!({"result": true, "action": action, "user": user, "id": group})
}

/// The user of the token; only users make these calls.
fn me(call: &Call<'_>) -> Result<conclave_core::model::UserId, Failure> {
    call.caller().cloned().ok_or_else(refusals::not_yours)
}

/// `POST /chatgroups/{id}/apply`: an open group is joined at once.
pub(crate) async fn apply(call: &Call<'_>) -> Result<Reply, Failure> {
    let (group, user) = (call.group()?, me(call)?);
    let message = Fields::read(call.body)?.text(&["message"])?.unwrap_or_default();
    let most = call.app.settings.most_maxusers;
    let applied = call.run(Apply { message, most, ..Apply::of(group.clone()) }).await?;
    if applied == Applied::Already {
        return Err(call.word(&Refusal::AlreadyMembers { group, users: vec![user] }));
    }
    Ok(Reply::data(&row("apply", &shown(&user), &group)))
}

/// `POST /chatgroups/{id}/apply_verify`.
pub(crate) async fn decide(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let fields = Fields::read(call.body)?;
    let (name, accept) = verdict(&fields, "applicant")?;
    let reason = fields.text(&["reason"])?.unwrap_or_default();
    let user = call.user(&name).await?.id.clone();
    let most = call.app.settings.most_maxusers;
    call.run(DecideRequest { group: group.clone(), user: user.clone(), inviter: None, accept, reason, most }).await?;
    Ok(Reply::data(&row("applyVerify", &shown(&user), &group)))
}

/// `POST /chatgroups/{id}/invite_verify`.
pub(crate) async fn answer(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let fields = Fields::read(call.body)?;
    let (name, accept) = verdict(&fields, "invitee")?;
    let reason = fields.text(&["reason"])?.unwrap_or_default();
    let user = call.user(&name).await?.id.clone();
    let most = call.app.settings.most_maxusers;
    call.run(AnswerInvitation { group: group.clone(), user: user.clone(), inviter: None, accept, reason, most })
        .await?;
    Ok(Reply::data(&row("inviteVerify", &shown(&user), &group)))
}

/// The user a decision is about, and the decision.
fn verdict(fields: &Fields<'_>, who: &'static str) -> Result<(String, bool), Failure> {
    let name = fields.text(&[who])?.ok_or_else(|| refusals::invalid(format!("{who} must be provided")))?;
    let accept = fields.flag(&["verifyResult"])?.ok_or_else(|| refusals::invalid("verifyResult must be provided"))?;
    Ok((name, accept))
}

/// `POST /chatgroups/{id}/invite`: the outcome for each invited user, with the reason; refused when all are members.
pub(crate) async fn invite(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let names = usernames(call, "usernames size is more than max limit : ")?;
    let found = call.find_users(&names).await?;
    let members = found.iter().flatten().map(|user| NewMember::now(user.id.clone())).collect();
    let inviting = AddMembers {
        members,
        ask: true,
        on_member: OnMember::Skip,
        on_blocked: OnBlocked::Skip,
        on_full: OnFull::Partial,
        ..adding(call, group.clone())
    };
    let added = call.run(inviting).await?;
    let already: Vec<_> = added.outcomes.iter().filter(|(_, outcome)| *outcome == AddOutcome::Already).collect();
    if !already.is_empty() && already.len() == names.len() {
        let users = already.into_iter().map(|(user, _)| user.clone()).collect();
        return Err(refusals::all_invited(&call.word(&Refusal::AlreadyMembers { group, users })));
    }
    let reason = |user: &conclave_core::model::UserId| -> Option<String> {
        let (_, outcome) = added.outcomes.iter().find(|(other, _)| other == user)?;
        match outcome {
            AddOutcome::LeftOut(refusal) => Some(call.word(refusal).description),
            AddOutcome::Already => {
                let refusal = Refusal::AlreadyMembers { group: group.clone(), users: vec![user.clone()] };
                Some(refusals::all_invited(&call.word(&refusal)).description)
            }
            AddOutcome::Joined | AddOutcome::AwaitsInvitee | AddOutcome::AwaitsManagers => None,
        }
    };
    let rows: Vec<Value> = names
        .iter()
        .zip(&found)
        .map(|(name, user)| {
            let reason = match user {
                Some(user) => reason(&user.id),
                None => Some(format!("username {} doesn't exist!", fold(name))),
            };
            let mut row = row("invite", &fold(name), &group);
            if let Some(reason) = reason {
                row["result"] = false.into();
                row["reason"] = reason.into();
            }
            row
        })
        .collect();
    Ok(Reply::data(&rows))
}

/// `DELETE /chatgroups/{id}/quit`.
pub(crate) async fn quit(call: &Call<'_>) -> Result<Reply, Failure> {
    let users = vec![me(call)?];
    call.run(Leave {
        group: call.group()?,
        users,
        cleanup: CLEANUP,
        on_outsider: OnOutsider::Refuse,
        keep_owner: true,
    })
    .await?;
    Ok(Reply::data(&json!({"result": true})))
}
