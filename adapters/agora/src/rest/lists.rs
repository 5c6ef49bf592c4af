//! Lists of groups: all of the app's, and the public ones; newest first.

use conclave_core::model::{Group, GroupId};
use conclave_core::query::{CountGroups, GroupPage, ListGroups};
use serde::Serialize;

use super::call::Call;
use super::envelope::Reply;
use crate::dialect::ids::shown;
use crate::dialect::limits;
use crate::realm::App;
use crate::refusals::Failure;

async fn page(call: &Call<'_>, discoverable: bool) -> Result<GroupPage, Failure> {
    let limit = call.page("limit", limits::GROUPS_PAGE, call.app.settings.groups_page);
    call.ask(ListGroups { discoverable, after: call.cursor()?, skip: 0, limit, newest_first: true }).await
}

/// A group of the app. Only this list returns the owner with the app key in front; "" means no owner.
#[derive(Serialize)]
struct Listed<'g> {
    owner: String,
    groupid: &'g GroupId,
    affiliations: u32,
    r#type: &'static str,
    #[serde(rename = "lastModified")]
    last_modified: String,
    /// The older spelling.
    #[serde(rename = "last_modified")]
    last_modified_too: String,
    groupname: &'g str,
}

impl<'g> Listed<'g> {
    fn of(app: &App, group: &'g Group) -> Self {
        let changed = group.changed.0.to_string();
        Self {
            owner: group.owner.as_ref().map(|owner| format!("{}_{}", app.key(), shown(owner))).unwrap_or_default(),
            groupid: &group.id,
            affiliations: group.members,
            r#type: "group",
            last_modified: changed.clone(),
            last_modified_too: changed,
            groupname: &group.profile.name,
        }
    }
}

/// `GET /chatgroups`.
pub(crate) async fn all(call: &Call<'_>) -> Result<Reply, Failure> {
    let page = page(call, false).await?;
    let rows: Vec<Listed<'_>> = page.groups.iter().map(|group| Listed::of(call.app, group)).collect();
    Ok(Reply::data(&rows).cursor(page.next.as_ref()).count(rows.len()))
}

/// `GET /chatgroups/count`. Only the envelope is documented; the number is in `data`, like other results.
pub(crate) async fn count(call: &Call<'_>) -> Result<Reply, Failure> {
    let count = call.ask(CountGroups { discoverable: false }).await?.0;
    Ok(Reply::data(&count).count(count))
}

/// A group's id and name, in the older or the newer format.
#[derive(Serialize)]
#[serde(untagged)]
enum Named<'g> {
    V1 { groupid: &'g GroupId, groupname: &'g str },
    V3 { id: &'g GroupId, name: &'g str },
}

/// `GET /publicchatgroups`.
pub(crate) async fn public(call: &Call<'_>) -> Result<Reply, Failure> {
    let page = page(call, true).await?;
    let rows: Vec<Named<'_>> = page
        .groups
        .iter()
        .map(|group| {
            let (id, name) = (&group.id, &*group.profile.name);
            if call.query.is_v3() { Named::V3 { id, name } } else { Named::V1 { groupid: id, groupname: name } }
        })
        .collect();
    Ok(Reply::data(&rows).cursor(page.next.as_ref()).count(rows.len()))
}
