//! `modify_user_info`: adds or removes marks of up to five hundred members of a live room. Users who are not in it are
//! skipped.

use conclave_core::model::UserId;
use conclave_core::operation::MarkMembers;
use serde::{Deserialize, Serialize};

use super::room;
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::limits;
use crate::dialect::marks::is_mark;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    command_type: Option<u32>,
    member_list: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "Member_Account")]
    account: Option<Account>,
    marks: Option<Vec<u32>>,
}

/// For clients: the users whose marks changed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MarksResponse {
    member_list: Vec<Marked>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Marked {
    #[serde(rename = "Member_Account")]
    account: UserId,
    marks: Vec<u32>,
}

/// 1 adds, 2 removes.
pub(super) fn is_on(call: &Call<'_>, command_type: Option<u32>) -> Result<bool, Failure> {
    match command_type {
        Some(1) => Ok(true),
        Some(2) => Ok(false),
        _ => Err(call.parameter("CommandType must be 1 or 2")),
    }
}

pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id)?;
    let on = is_on(call, request.command_type)?;
    let list = call.required("MemberList", request.member_list.filter(|list| !list.is_empty()))?;
    if list.len() > limits::MARKED {
        return Err(Code::TooManyAccounts.into());
    }
    let mut members = Vec::with_capacity(list.len());
    for Entry { account, marks } in list {
        let user = call.user_id("Member_Account", account)?;
        let marks = call.required("Marks", marks.filter(|marks| !marks.is_empty()))?;
        if !marks.iter().copied().all(is_mark) {
            return Err(call.parameter("Marks must be 1000 or more"));
        }
        members.push((user, marks));
    }
    room(call, &id).await?;
    let mark = MarkMembers { group: id, members: members.clone(), on, most_kinds: Some(limits::MARKS) };
    let outsiders = call.run(mark).await?.outsiders;
    if call.user().is_none() {
        return envelope::done();
    }
    members.retain(|(user, _)| !outsiders.contains(user));
    envelope::with(&MarksResponse {
        member_list: members.into_iter().map(|(account, marks)| Marked { account, marks }).collect(),
    })
}
