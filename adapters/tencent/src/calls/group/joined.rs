//! `get_joined_group_list`: the groups of one user, latest joined first.

use std::sync::Arc;

use conclave_core::model::{Group, Member, UserId};
use conclave_core::query::JoinedGroups;
use serde::{Deserialize, Serialize};

use super::BaseInfo;
use crate::calls::filter::{Fields, ResponseFilter};
use crate::calls::member::read_marks;
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::custom::{self, Pair};
use crate::dialect::kind::Kind;
use crate::dialect::{community, limits, receive, role};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(rename = "Member_Account")]
    member: Option<Account>,
    with_huge_groups: Option<u32>,
    with_no_active_groups: Option<u32>,
    limit: Option<usize>,
    offset: Option<usize>,
    group_type: Option<String>,
    support_topic: Option<u32>,
    /// For clients: 1 also returns the group's custom fields.
    need_app_define_data: Option<u32>,
    response_filter: Option<ResponseFilter>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct JoinedResponse<'g> {
    /// How many groups match, whatever the page.
    total_count: usize,
    group_id_list: Vec<Item<'g>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'g> {
    group_id: &'g str,
    #[serde(flatten)]
    base: BaseInfo<'g>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_defined_data: Option<Vec<Pair>>,
    /// One more than the messages ever sent in all topics of the community.
    #[serde(rename = "GrossTopicNextMsgSeq", skip_serializing_if = "Option::is_none")]
    topic_messages: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    self_info: Option<SelfInfo>,
}

impl Item<'_> {
    /// The fields of communities with topics, if these are requested.
    fn set_topics(&mut self, group: &Group) {
        if community::support_topic(&group.labels) == 1 {
            self.topic_messages = Some(group.topic_messages + 1);
            self.self_info.get_or_insert_default().gross_read = Some(0);
        }
    }
}

/// The user's own membership.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SelfInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    join_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg_flag: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg_seq: Option<u64>,
    /// Clients get it without requesting it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_card: Option<String>,
    /// How much of all topics they have read; only clients report it.
    #[serde(rename = "GrossTopicReadSeq", skip_serializing_if = "Option::is_none")]
    gross_read: Option<u64>,
}

/// The requested groups of the user.
struct Wanted {
    huge: bool,
    inactive: bool,
    kind: Option<Kind>,
    topics: bool,
    /// Which types are listed: for clients, communities are listed by another service.
    includes: fn(Kind) -> bool,
}

impl Wanted {
    fn takes(&self, user: &UserId, group: &Group) -> bool {
        let kind = Kind::of(group);
        if let Some(wanted) = self.kind {
            // only communities can have topics
            let topics = !self.topics || community::support_topic(&group.labels) == 1;
            if kind != wanted || (kind == Kind::Community && !topics) {
                return false;
            }
        }
        if !(self.includes)(kind) {
            return false;
        }
        let made_it = group.is_owned_by(user) || group.creator.as_ref() == Some(user);
        (self.huge || self.kind == Some(Kind::AvChatRoom) || kind != Kind::AvChatRoom)
            && (self.inactive || group.active || made_it)
    }
}

/// `get_joined_group_list`: for the app, of any user and type; for users, their own groups except communities.
pub(crate) async fn joined(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let of_app = call.user().is_none();
    list(call, if of_app { |_| true } else { |kind| kind != Kind::Community }).await
}

/// `get_joined_group_list` of the service of communities, for users.
pub(crate) async fn communities(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    if !call.settings().communities {
        return Err(Code::NoCommunities.into());
    }
    list(call, |kind| kind == Kind::Community).await
}

async fn list(call: &Call<'_>, includes: fn(Kind) -> bool) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let user = call.required("Member_Account", call.acting_user("Member_Account", request.member)?)?;
    let limit = request.limit.filter(|limit| *limit != 0).unwrap_or(usize::MAX);
    if request.limit.is_some_and(|limit| limit > limits::JOINED_PAGE) {
        return Err(call.parameter(format!("Limit: at most {}", limits::JOINED_PAGE)));
    }
    let kind = request.group_type.filter(|word| !word.is_empty());
    let wanted = Wanted {
        huge: request.with_huge_groups == Some(1),
        inactive: request.with_no_active_groups == Some(1),
        kind: kind.map(|word| Kind::named(&word).ok_or_else(|| call.parameter("GroupType is illegal"))).transpose()?,
        topics: request.support_topic == Some(1),
        includes,
    };
    let unfiltered = request.response_filter.is_none();
    let (mut base, mut own) = ResponseFilter::joined_view(request.response_filter);
    if wanted.topics && unfiltered {
        base = Fields::Named(vec!["Type".to_owned(), "SupportTopic".to_owned()]);
        own = Some(Fields::none());
    }
    call.check_account(&user).await?;

    let found = call.ask(JoinedGroups::all(user.clone())).await?;
    let groups: Vec<&(Arc<Group>, Arc<Member>)> =
        found.groups.iter().filter(|(group, _)| wanted.takes(&user, group)).collect();
    let page = groups.iter().skip(request.offset.unwrap_or(0)).take(limit);
    let marks = match &own {
        Some(own) => read_marks(call, own, page.clone().map(|(group, _)| (&group.id, &user))).await?,
        None => Vec::new(),
    };
    let page = page.zip(marks.into_iter().chain(std::iter::repeat(0)));
    let mut list: Vec<Item<'_>> =
        page.map(|((group, member), read)| item(call, group, member, read, &base, own.as_ref())).collect();
    if request.need_app_define_data == Some(1) {
        for (item, (group, _)) in list.iter_mut().zip(groups.iter().skip(request.offset.unwrap_or(0))) {
            item.app_defined_data = Some(custom::pairs(&call.settings().group_keys, None, &group.profile.fields));
        }
    }
    if wanted.topics {
        for (item, (group, _)) in list.iter_mut().zip(groups.iter().skip(request.offset.unwrap_or(0))) {
            item.set_topics(group);
        }
    }
    let word = if wanted.topics { "ok" } else { "" };
    envelope::with_word(word, &JoinedResponse { total_count: groups.len(), group_id_list: list })
}

fn item<'g>(
    call: &Call<'_>,
    group: &'g Group,
    member: &Member,
    read: u64,
    base: &Fields,
    own: Option<&Fields>,
) -> Item<'g> {
    let self_info = own.map(|wanted| SelfInfo {
        role: wanted.pick("Role", || role::word(group, member)),
        join_time: wanted.pick("JoinTime", || member.joined.seconds()),
        msg_flag: wanted.pick("MsgFlag", || receive::word(member.receive)),
        msg_seq: wanted.pick("MsgSeq", || read),
        name_card: call.user().map(|_| member.card.clone()),
        gross_read: None,
    });
    let base = BaseInfo::of(call, group, base);
    Item { group_id: group.id.as_str(), base, app_defined_data: None, topic_messages: None, self_info }
}
