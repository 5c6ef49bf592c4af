//! `search_contact_group`: the user's own folders that these conversations are in. Here there are none. Source: the
//! clients' protocol.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calls::{Call, envelope};
use crate::refusals::Failure;

#[derive(Deserialize)]
struct Request {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SearchResponse {
    contact_result_item: Vec<Value>,
}

pub(crate) async fn search(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let Request {} = call.read()?;
    envelope::with(&SearchResponse { contact_result_item: Vec::new() })
}
