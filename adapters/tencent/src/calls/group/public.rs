//! `get_group_public_info`: groups as non-members see them. Source: the clients' protocol.

use serde::Deserialize;

use super::info::{GroupInfoResponse, Item, failed, find, ids};
use crate::calls::filter::ResponseFilter;
use crate::calls::{Call, envelope};
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id_list: Option<Vec<String>>,
    response_filter: Option<ResponseFilter>,
}

pub(crate) async fn info(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let ids = ids(call, request.group_id_list)?;
    let view = ResponseFilter::public_view(request.response_filter);
    let groups = find(call, &ids).await?;
    let items = ids.iter().zip(&groups).map(|(id, found)| match found {
        Ok(group) => Item::of(call, id, group, &view),
        Err(failure) => failed(id, failure),
    });
    envelope::with(&GroupInfoResponse { group_info: items.collect() })
}
