//! A member in responses.

use std::collections::HashMap;
use std::sync::Arc;

use conclave_core::model::{Group, GroupId, Member, Mute, UserId};
use conclave_core::query::{ListMembers, MemberPage, MutesNow, ReadMarks};
use serde::Serialize;

use crate::calls::Call;
use crate::calls::account::online;
use crate::calls::filter::{Fields, MemberView};
use crate::dialect::custom::{self, Pair};
use crate::dialect::{receive, role, time};
use crate::refusals::Failure;

/// The requested fields of a member, always with its id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::calls) struct MemberInfo {
    #[serde(rename = "Member_Account")]
    account: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    join_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg_flag: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_send_msg_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mute_until: Option<u64>,
    /// The older name.
    #[serde(skip_serializing_if = "Option::is_none")]
    shut_up_until: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_card: Option<String>,
    /// Returned only when requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    online_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    app_member_defined_data: Vec<Pair>,
}

/// The field with a member's read mark.
const READ_MARK: &str = "MsgSeq";

/// Until when members are muted, in Unix seconds.
type MutedUntil<'m> = HashMap<&'m UserId, u64>;

impl MemberInfo {
    /// Bytes of the shortest member in a response.
    pub(in crate::calls) const SMALLEST: usize = r#"{"Member_Account":"x"},"#.len();

    /// What this member has in a response at least, in bytes.
    pub(in crate::calls) fn least_bytes(&self) -> usize {
        let custom = self.app_member_defined_data.iter().map(Pair::bytes).sum::<usize>();
        Self::SMALLEST + self.account.as_str().len() + self.name_card.as_ref().map_or(0, String::len) + custom
    }

    /// These members with the fields of the view; their read marks are fetched if the view has them.
    pub(in crate::calls) async fn all(
        call: &Call<'_>,
        group: &Group,
        members: &[Arc<Member>],
        view: &MemberView,
    ) -> Result<Vec<Self>, Failure> {
        let of = members.iter().map(|member| (&member.group, &member.user));
        let marks = read_marks(call, &view.fields, of).await?;
        let mutes = if shows_mutes(&view.fields) {
            call.look_up(MutesNow { group: group.id.clone() }).await?.0
        } else {
            Vec::new()
        };
        Ok(Self::with(call, group, (members, &marks, &mutes), view).await)
    }

    /// A page of members that was read as [`Self::page`] prepares it.
    pub(in crate::calls) async fn of_page(call: &Call<'_>, page: &MemberPage, view: &MemberView) -> Vec<Self> {
        let parts = (&page.members[..], &page.read_marks[..], &page.mutes[..]);
        Self::with(call, &page.group, parts, view).await
    }

    /// The same without the online status, which a view may not show then.
    pub(in crate::calls) fn of_rows(call: &Call<'_>, page: &MemberPage, view: &MemberView) -> Vec<Self> {
        Self::without_status(call, &page.group, (&page.members, &page.read_marks, &page.mutes), view)
    }

    /// The query for all members of a group, with what this view shows of them.
    pub(in crate::calls) fn page(group: GroupId, view: &MemberView) -> ListMembers {
        ListMembers {
            with_read_marks: view.fields.has(READ_MARK),
            with_mutes: shows_mutes(&view.fields),
            ..ListMembers::all(group)
        }
    }

    async fn with(
        call: &Call<'_>,
        group: &Group,
        rows: (&[Arc<Member>], &[u64], &[Arc<Mute>]),
        view: &MemberView,
    ) -> Vec<Self> {
        let mut shown = Self::without_status(call, group, rows, view);
        if view.shows_online_status() {
            let users: Vec<UserId> = rows.0.iter().map(|member| member.user.clone()).collect();
            for (member, status) in shown.iter_mut().zip(online::online_statuses(call, &users).await) {
                member.online_status = Some(status);
            }
        }
        shown
    }

    /// Members with their read marks and the mutes of the group; those without a read mark have read nothing.
    fn without_status(
        call: &Call<'_>,
        group: &Group,
        (members, marks, mutes): (&[Arc<Member>], &[u64], &[Arc<Mute>]),
        view: &MemberView,
    ) -> Vec<Self> {
        let muted = mutes.iter().map(|mute| (&mute.user, time::end(mute.until))).collect();
        let marks = marks.iter().copied().chain(std::iter::repeat(0));
        members.iter().zip(marks).map(|(member, read)| Self::of(call, group, member, read, view, &muted)).collect()
    }

    /// A member with the fields of the view, except the online status, which is fetched for all at once.
    fn of(
        call: &Call<'_>,
        group: &Group,
        member: &Member,
        read: u64,
        view: &MemberView,
        muted: &MutedUntil<'_>,
    ) -> Self {
        let wanted = &view.fields;
        let mute_until = || muted.get(&member.user).copied().unwrap_or_default();
        Self {
            account: member.user.clone(),
            role: wanted.pick("Role", || role::word(group, member)),
            join_time: wanted.pick("JoinTime", || member.joined.seconds()),
            msg_seq: wanted.pick(READ_MARK, || read),
            msg_flag: wanted.pick("MsgFlag", || receive::word(member.receive)),
            last_send_msg_time: wanted.pick("LastSendMsgTime", || time::seconds(member.last_sent)),
            mute_until: wanted.pick("MuteUntil", mute_until),
            shut_up_until: wanted.pick("ShutUpUntil", mute_until),
            name_card: wanted.pick("NameCard", || member.card.clone()),
            online_status: None,
            app_member_defined_data: custom::pairs(
                &call.settings().member_keys,
                view.custom.as_deref(),
                &member.fields,
            ),
        }
    }
}

/// The read positions of members, fetched only if requested; 0 if nothing was read.
pub(in crate::calls) async fn read_marks<'m>(
    call: &Call<'_>,
    wanted: &Fields,
    of: impl Iterator<Item = (&'m GroupId, &'m UserId)>,
) -> Result<Vec<u64>, Failure> {
    if !wanted.has(READ_MARK) {
        return Ok(Vec::new());
    }
    let of = of.map(|(group, user)| (group.clone(), user.clone())).collect();
    let found = call.ask(ReadMarks { of }).await?.0;
    Ok(found.into_iter().map(Option::unwrap_or_default).collect())
}

/// Whether a view shows until when members are muted.
fn shows_mutes(wanted: &Fields) -> bool {
    wanted.has("MuteUntil") || wanted.has("ShutUpUntil")
}
