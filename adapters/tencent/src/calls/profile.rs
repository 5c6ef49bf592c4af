//! `portrait_get_all`: nick and avatar of users, which clients read with every list of members. Source: the clients'
//! protocol.

use std::sync::Arc;

use conclave_core::model::{User, UserId};
use conclave_core::query::FindUsers;
use serde::{Deserialize, Serialize};

use super::wire::Account;
use super::{Call, envelope};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    user_item: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "To_Account")]
    account: Option<Account>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProfileResponse {
    user_profile_item: Vec<Profile>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Profile {
    #[serde(rename = "To_Account")]
    account: UserId,
    result_code: u32,
    result_info: String,
    #[serde(rename = "ProfileItem")]
    items: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    tag: &'static str,
    value: String,
}

pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let list = call.required("UserItem", request.user_item.filter(|list| !list.is_empty()))?;
    if list.len() > limits::PROFILES {
        return Err(call.parameter(format!("UserItem: at most {} users", limits::PROFILES)));
    }
    let ids: Vec<UserId> =
        list.into_iter().map(|entry| call.user_id("To_Account", entry.account)).collect::<Result<_, _>>()?;
    let found = call.look_up(FindUsers { ids: ids.clone(), folded: false }).await?.0;
    let profiles = ids.into_iter().zip(found).map(|(account, user)| profile(account, user.as_ref()));
    envelope::with(&ProfileResponse { user_profile_item: profiles.collect() })
}

fn profile(account: UserId, user: Option<&Arc<User>>) -> Profile {
    let Some(user) = user else {
        let (code, text) = Code::NoProfile.row();
        return Profile { account, result_code: code, result_info: text.to_owned(), items: Vec::new() };
    };
    let item = |tag, value: &String| Item { tag, value: value.clone() };
    let items = vec![item("Tag_Profile_IM_Nick", &user.nick), item("Tag_Profile_IM_Image", &user.avatar)];
    Profile { account, result_code: 0, result_info: String::new(), items }
}
