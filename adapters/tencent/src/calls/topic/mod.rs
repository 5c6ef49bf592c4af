//! `million_group_open_http_svc`: topics of communities.

pub(super) mod create;
pub(super) mod destroy;
pub(super) mod modify;
pub(super) mod read;

use std::sync::Arc;

use conclave_core::model::{Group, GroupId};

use super::Call;
use crate::dialect::community;
use crate::dialect::kind::Kind;
use crate::dialect::limits::{self, Lengths};
use crate::refusals::{Code, Failure};

/// The `ErrorInfo` of a success of these commands.
const OK: &str = "ok";

/// The texts of a topic in a request.
struct Words<'a> {
    name: Option<&'a str>,
    introduction: Option<&'a str>,
    notification: Option<&'a str>,
    face_url: Option<&'a str>,
    custom: Option<&'a str>,
}

impl Words<'_> {
    /// Refuses the first text that is too long.
    fn check(&self, call: &Call<'_>) -> Result<(), Failure> {
        let lengths = Lengths::of(call.settings());
        for (text, longest, name) in [
            (self.name, lengths.name, "TopicName"),
            (self.introduction, lengths.introduction, "Introduction"),
            (self.notification, lengths.notification, "Notification"),
            (self.face_url, lengths.face_url, "FaceUrl"),
            (self.custom, limits::TOPIC_CUSTOM, "CustomString"),
        ] {
            if text.is_some_and(|text| text.len() > longest) {
                return Err(call.parameter(format!("{name} is too long")));
            }
        }
        Ok(())
    }
}

/// A community that has topics.
async fn community(call: &Call<'_>, id: &GroupId) -> Result<Arc<Group>, Failure> {
    let group = call.group(id).await?;
    if Kind::of(&group) != Kind::Community || community::support_topic(&group.labels) != 1 {
        return Err(Code::NoPermission.into());
    }
    if !call.settings().communities {
        return Err(Code::NoCommunities.into());
    }
    Ok(group)
}
