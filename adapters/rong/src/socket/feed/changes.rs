//! Projects events to the SDK's event changes.

use std::collections::HashMap;
use std::sync::Arc;

use conclave_core::event::{Actor, Event, FormerMember};
use conclave_core::model::{Group, GroupId, Member, Profile, Request, Role, User, UserId};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{FindGroups, FindUsers, MembersNamed};
use conclave_core::refusal::Refusal;
use prost::Message;

use super::receipts::Receipts;
use super::{Entry, Reader};
use crate::dialect::events::{Fact, Kind, Operation, Part, What, facts};
use crate::dialect::{limits, role};
use crate::socket::call::{millis, system};
use crate::socket::group::applications::is_aware;
use crate::socket::show::{self, Direction};
use crate::socket::wire::{
    ChannelApplyInfo, ChannelBaseInfo, ChannelEventData, ChannelsJoinedInfo, ChannelsUserExtInfo, ChannelsUserInfo,
    EventChange, GROUP, ProfileInfo,
};

/// The numbers of change types.
mod change {
    pub(super) const OPERATION: i32 = 11;
    pub(super) const PROFILE: i32 = 12;
    pub(super) const APPLICATION: i32 = 13;
    pub(super) const FOLLOWS: i32 = 14;
}

/// The changes of a page, for this reader.
pub(crate) async fn changes(reader: Reader<'_>, entries: &[Entry]) -> Result<Vec<EventChange>, Refusal> {
    let events: Vec<&Arc<Event>> = entries.iter().map(|(event, _)| event).collect();
    let scene = Scene::of(reader, &events).await?;
    // the events of one call are next to each other, and no change belongs to two calls
    let facts = facts(events.iter().map(|event| &***event));
    let receipts = Receipts::of(reader, &facts).await?;
    Ok(facts.iter().flat_map(|fact| [scene.changes(fact), receipts.changes(fact)].concat()).collect())
}

/// Whether a user receives a change of a request.
pub(crate) fn is_recipient(event: &Event, request: &Request, reader: &UserId) -> bool {
    let received = Direction::of(request, reader) == Direction::InvitationReceived;
    event.audience.users.contains(reader) && (!received || is_aware(request))
}

/// The current data that encoding needs: the events have the changes only.
struct Scene<'a> {
    reader: Reader<'a>,
    groups: HashMap<GroupId, Arc<Group>>,
    members: HashMap<(GroupId, UserId), Arc<Member>>,
    users: HashMap<UserId, Arc<User>>,
}

impl<'a> Scene<'a> {
    async fn of(reader: Reader<'a>, events: &[&Arc<Event>]) -> Result<Self, Refusal> {
        let mut people: HashMap<GroupId, Vec<UserId>> = HashMap::new();
        for event in events {
            let Some(group) = &event.group else { continue };
            let named = people.entry(group.clone()).or_insert_with(|| vec![reader.user.clone()]);
            for user in facts([&***event]).iter().flat_map(people_of) {
                if !named.contains(user) {
                    named.push(user.clone());
                }
            }
        }
        let groups = reader.app.realm.groups.as_ref();
        let app = Actor::app();
        let ids: Vec<GroupId> = people.keys().cloned().collect();
        let found = groups.ask(&app, FindGroups { groups: ids }).await?.0.into_iter().flatten();
        let found: HashMap<GroupId, Arc<Group>> = found.map(|group| (group.id.clone(), group)).collect();
        let mut members = HashMap::new();
        let mut everybody: Vec<UserId> = Vec::new();
        for (group, users) in people {
            if found.contains_key(&group) {
                let query = MembersNamed { group: group.clone(), users: users.clone() };
                if let Ok(named) = groups.ask(&app, query).await {
                    let named = named.members.into_iter().flatten();
                    members.extend(named.map(|member| ((group.clone(), member.user.clone()), member)));
                }
            }
            everybody.extend(users);
        }
        everybody.sort_unstable();
        everybody.dedup();
        let accounts = groups.ask(&app, FindUsers { ids: everybody, folded: false }).await?.0;
        let users = accounts.into_iter().flatten().map(|user| (user.id.clone(), user)).collect();
        Ok(Self { reader, groups: found, members, users })
    }

    /// The changes of a fact.
    fn changes(&self, fact: &Fact<'_>) -> Vec<EventChange> {
        let event = fact.event;
        let Some(group) = event.group.as_ref() else { return Vec::new() };
        // clients are not notified about groups without hosting
        if self.groups.get(group).is_some_and(|group| !group.governed) {
            return Vec::new();
        }
        let actor = event.actor.behind();
        match &fact.what {
            What::Created { profile, owner } => {
                let info = self.created(event, group, profile, *owner);
                let data = ChannelEventData {
                    opt_user_info: owner.map(|owner| self.joined(group, owner, Role::Owner, event)),
                    channel_info: Some(info),
                    ..ChannelEventData::default()
                };
                let operator_id = owner.map(ToString::to_string);
                vec![EventChange { operator_id, ..change(event, change::OPERATION, 0, &data) }]
            }
            What::Dismissed { owner, were } => {
                let opt_user_info = actor.map(|by| {
                    let mut shown = self.gone(*were, by);
                    // events from versions without stored memberships have only the id
                    if let Some(ext) = shown.ext.as_mut().filter(|_| Some(by) == *owner) {
                        ext.role = Some(role::number(Role::Owner).into());
                    }
                    shown
                });
                let data = ChannelEventData { opt_user_info, ..ChannelEventData::default() };
                vec![change(event, change::OPERATION, 4, &data)]
            }
            What::Operation(operation) => vec![self.operation(event, group, operation)],
            What::Profile(parts) => vec![self.profile(event, group, parts)],
            What::Member(user) => {
                let data = ChannelEventData {
                    opt_user_info: Some(self.operator(group, actor)),
                    user_infos: vec![self.user(group, user)],
                    ..ChannelEventData::default()
                };
                vec![change(event, change::PROFILE, 1, &data)]
            }
            What::Application(request) => self.request(event, group, request),
            What::Remark(text) => {
                let secondary_id = (!text.is_empty()).then(|| (*text).to_owned());
                let sub = if text.is_empty() { 3 } else { 2 };
                vec![EventChange { secondary_id, event_data: None, ..bare(event, change::PROFILE, sub) }]
            }
            What::Follows { added, removed } => {
                let ids = |users: &[UserId]| users.iter().map(ToString::to_string).collect::<Vec<_>>();
                let shown = [(1, ids(added)), (2, ids(removed))];
                let shown = shown.into_iter().filter(|(_, users)| !users.is_empty());
                shown.map(|(sub, ext_ids)| EventChange { ext_ids, ..bare(event, change::FOLLOWS, sub) }).collect()
            }
            // fetched as messages, and receipts in a file of their own
            What::Sent(_)
            | What::Passed(_)
            | What::Recalled(_)
            | What::Edited(_)
            | What::Extended(_)
            | What::Read { .. } => Vec::new(),
        }
    }

    fn operation(&self, event: &Event, group: &GroupId, operation: &Operation<'_>) -> EventChange {
        let Operation { kind, by, by_former, users, were } = operation;
        let user_infos = users.iter().map(|user| match kind {
            Kind::Joined => self.joined(group, user, Role::Member, event),
            Kind::Kicked | Kind::Quit => self.gone(were.iter().copied(), user),
            Kind::ManagersAdded => self.with_role(group, user, Role::Admin),
            Kind::ManagersRemoved => self.with_role(group, user, Role::Member),
            Kind::Transferred => self.with_role(group, user, Role::Owner),
        });
        let operator = |by| if *by_former { self.gone(were.iter().copied(), by) } else { self.user(group, by) };
        let data = ChannelEventData {
            opt_user_info: by.map(operator),
            user_infos: user_infos.collect(),
            ..ChannelEventData::default()
        };
        EventChange {
            operator_id: by.map(ToString::to_string),
            ..change(event, change::OPERATION, *kind as i32, &data)
        }
    }

    // --- users -----------------------------------------------------------------------------------------------

    fn user(&self, group: &GroupId, user: &UserId) -> ChannelsUserInfo {
        let member = self.members.get(&(group.clone(), user.clone()));
        show::user(user, member.map(|member| &**member), self.users.get(user).map(|user| &**user))
    }

    /// The operator; the SDK requires a user, so the app's server has an id of its own.
    fn operator(&self, group: &GroupId, by: Option<&UserId>) -> ChannelsUserInfo {
        match by {
            Some(by) => self.user(group, by),
            None => ChannelsUserInfo { user_id: Some(system()), ..ChannelsUserInfo::default() },
        }
    }

    /// A user as they joined.
    fn joined(&self, group: &GroupId, user: &UserId, role: Role, event: &Event) -> ChannelsUserInfo {
        let mut shown = self.with_role(group, user, role);
        if let Some(ext) = &mut shown.ext {
            ext.join_time = ext.join_time.or(Some(millis(event.at.0)));
        }
        shown
    }

    fn with_role(&self, group: &GroupId, user: &UserId, role: Role) -> ChannelsUserInfo {
        let mut shown = self.user(group, user);
        let number = i32::from(role::number(role));
        let ext = shown.ext.get_or_insert_with(|| ChannelsUserExtInfo {
            channel_nick_name: Some(String::new()),
            additional: Some(String::new()),
            ..ChannelsUserExtInfo::default()
        });
        ext.role = Some(number);
        shown
    }

    /// A user who left with this event, with their last state; an ordinary member in events from versions that did not
    /// store it.
    fn gone<'f>(&self, were: impl IntoIterator<Item = &'f FormerMember>, user: &UserId) -> ChannelsUserInfo {
        let former = were.into_iter().find(|former| former.user == *user);
        let ext = ChannelsUserExtInfo {
            role: Some(role::number(former.map_or(Role::Member, |former| former.role)).into()),
            join_time: Some(former.map_or(0, |former| millis(former.joined.0))),
            channel_nick_name: Some(former.map_or_else(String::new, |former| former.card.clone())),
            additional: Some(former.map_or_else(String::new, |former| former.extra.clone())),
            remark_name: None,
        };
        ChannelsUserInfo { ext: Some(ext), ..show::user(user, None, self.users.get(user).map(|user| &**user)) }
    }

    // --- groups --------------------------------------------------------------------------------------------

    /// A group as it was created: with its owner alone.
    fn created(&self, event: &Event, id: &GroupId, profile: &Profile, owner: Option<&UserId>) -> ChannelsJoinedInfo {
        let shown = self.groups.get(id).map_or_else(
            || ChannelsJoinedInfo {
                target_id: Some(id.to_string()),
                setting_profile: vec![
                    ProfileInfo::new("name", &profile.name),
                    ProfileInfo::new("portraitUrl", &profile.avatar),
                    ProfileInfo::new("introduction", &profile.introduction),
                ],
                ..ChannelsJoinedInfo::default()
            },
            |group| show::group(group),
        );
        let owner = owner.map(ToString::to_string);
        ChannelsJoinedInfo {
            base_info: Some(ChannelBaseInfo {
                creator_id: owner.clone(),
                owner_id: owner,
                create_time: Some(millis(event.at.0)),
                member_count: Some(1),
            }),
            user_info: Some(ChannelsUserExtInfo {
                role: Some(role::number(Role::Owner).into()),
                join_time: Some(millis(event.at.0)),
                ..ChannelsUserExtInfo::default()
            }),
            ..shown
        }
    }

    /// The changed fields only: any other field would reach applications as `null`.
    fn profile(&self, event: &Event, group: &GroupId, parts: &[Part<'_>]) -> EventChange {
        let mut changed = ChannelsJoinedInfo { target_id: Some(group.to_string()), ..ChannelsJoinedInfo::default() };
        for part in parts {
            add_changes(&mut changed, part);
        }
        let data = ChannelEventData {
            opt_user_info: Some(self.operator(group, event.actor.behind())),
            channel_info: Some(changed),
            channel_full_info: self.groups.get(group).map(|group| show::group(group)),
            ..ChannelEventData::default()
        };
        change(event, change::PROFILE, 0, &data)
    }

    // --- requests ------------------------------------------------------------------------------------------

    fn request(&self, event: &Event, group: &GroupId, request: &Request) -> Vec<EventChange> {
        if !is_recipient(event, request, self.reader.user) {
            return Vec::new();
        }
        let direction = Direction::of(request, self.reader.user);
        let user = |id: &UserId| self.user(group, id);
        let info = show::request(request, direction, event.at, user);
        vec![change(event, change::APPLICATION, 0, &ChannelApplyInfo { status_info: vec![info] })]
    }
}

/// All users that a fact names.
fn people_of<'e>(fact: &Fact<'e>) -> Vec<&'e UserId> {
    let mut people: Vec<&UserId> = fact.event.actor.behind().into_iter().collect();
    match &fact.what {
        What::Created { owner, .. } => people.extend(*owner),
        What::Operation(operation) => {
            people.extend(operation.by);
            people.extend(&operation.users);
        }
        What::Member(user) => people.push(user),
        What::Application(request) => {
            people.push(&request.user);
            people.extend(&request.inviter);
            people.extend(request.verdict.as_ref().and_then(|verdict| verdict.by.as_ref()));
        }
        What::Dismissed { .. }
        | What::Profile(_)
        | What::Remark(_)
        | What::Follows { .. }
        | What::Sent(_)
        | What::Passed(_)
        | What::Recalled(_)
        | What::Edited(_)
        | What::Extended(_)
        | What::Read { .. } => {}
    }
    people
}

/// Adds the changes of one part.
fn add_changes(changed: &mut ChannelsJoinedInfo, part: &Part<'_>) {
    let settings = &mut changed.setting_profile;
    match part {
        Part::Texts(change) => {
            for (key, text) in
                [("name", &change.name), ("portraitUrl", &change.avatar), ("introduction", &change.introduction)]
            {
                settings.extend(text.iter().map(|text| ProfileInfo::new(key, text)));
            }
            let fields = change.fields.iter().filter(|(key, _)| limits::is_ext_key(key));
            changed.ext_profile.extend(fields.map(|(key, value)| ProfileInfo::new(key, value)));
        }
        Part::Announcement(text) => settings.push(ProfileInfo::new("announcement", *text)),
        Part::Permissions { before, after } => {
            let before: Vec<_> = show::permissions(*before).collect();
            let after = show::permissions(*after).filter(|pair| !before.contains(pair));
            settings.extend(after.map(|(key, number)| ProfileInfo::new(key, number.to_string())));
        }
    }
}

/// The fields that every change has.
pub(super) fn bare(event: &Event, kind: i32, sub: i32) -> EventChange {
    EventChange {
        business_id: event.group.as_ref().map(ToString::to_string),
        channel_type: Some(GROUP),
        time: Some(millis(event.at.0)),
        change_type: Some(kind),
        sub_change_type: Some(sub),
        operator_id: event.actor.behind().map(ToString::to_string),
        ..EventChange::default()
    }
}

/// A change with its data.
fn change(event: &Event, kind: i32, sub: i32, data: &impl Message) -> EventChange {
    EventChange { event_data: Some(data.encode_to_vec()), ..bare(event, kind, sub) }
}
