//! Which members are connected, through any vendor's protocol.

use std::borrow::Cow;
use std::collections::HashSet;

use conclave_core::model::{Role, UserId};
use conclave_core::query::{GroupById, ListMembers};
use serde::Serialize;

use super::call::Call;
use super::envelope::Reply;
use crate::dialect::ids::shown;
use crate::refusals::Failure;

/// A member with role and presence.
#[derive(Serialize)]
struct Row<'m> {
    username: Cow<'m, str>,
    role: &'static str,
    online: bool,
}

/// `GET /chatgroups/{id}/roles`: in the order of joining; a group larger than a page continues by cursor.
pub(crate) async fn roles(call: &Call<'_>) -> Result<Reply, Failure> {
    let most = call.app.settings.members_page;
    let (after, limit) = (call.cursor()?, call.page("limit", most, most));
    let page = call.ask(ListMembers { after, limit, ..ListMembers::all(call.group()?) }).await?;
    let online: HashSet<UserId> = call.app.presence.online_in(&page.group.id).await.into_iter().collect();
    let rows: Vec<Row<'_>> = page
        .members
        .iter()
        .map(|member| Row {
            username: shown(&member.user),
            role: match member.role {
                Role::Owner => "owner",
                Role::Admin => "admin",
                Role::Member => "member",
            },
            online: online.contains(&member.user),
        })
        .collect();
    Ok(Reply::data(&rows).cursor(page.next.as_ref()).count(rows.len()))
}

/// `GET /presence/online/{id}/type/1`: how many.
pub(crate) async fn count(call: &Call<'_>) -> Result<Reply, Failure> {
    let found = call.ask(GroupById { group: call.group()? }).await?;
    Ok(Reply::bare().with("result", &call.app.presence.online_in(&found.group.id).await.len()))
}
