//! Events -> what the SDK calls event changes.

use std::collections::HashMap;
use std::sync::Arc;

use conclave_core::event::{Actor, Event, Former, Happening, Joining, Leaving};
use conclave_core::model::{Group, GroupId, Member, Request, Role, User, UserId};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{FindGroups, FindUsers, MembersNamed};
use conclave_core::refusal::Refusal;
use prost::Message;

use super::{Entry, Reader, is_same_change};
use crate::dialect::permissions::Permissions;
use crate::dialect::{limits, role};
use crate::socket::call::{millis, system};
use crate::socket::group::applications::is_aware;
use crate::socket::show::{self, Direction};
use crate::socket::wire::{
    ChannelApplyInfo, ChannelBaseInfo, ChannelEventData, ChannelsJoinedInfo, ChannelsUserExtInfo, ChannelsUserInfo,
    EventChange, GROUP, ProfileInfo,
};

/// What an event is about.
mod change {
    pub(super) const OPERATION: i32 = 11;
    pub(super) const PROFILE: i32 = 12;
    pub(super) const APPLICATION: i32 = 13;
    pub(super) const FOLLOWS: i32 = 14;
}

/// The changes of a page, as this reader hears them.
pub(crate) async fn changes(reader: Reader<'_>, entries: &[Entry]) -> Result<Vec<EventChange>, Refusal> {
    let events: Vec<&Arc<Event>> = entries.iter().map(|(event, _)| event).collect();
    let scene = Scene::of(reader, &events).await?;
    let mut told = Vec::with_capacity(events.len());
    for run in events.chunk_by(|last, event| is_same_change(last, event)) {
        told.extend(scene.tell(run));
    }
    Ok(told)
}

/// Whether a user hears what became of a request.
pub(crate) fn hears(event: &Event, request: &Request, reader: &UserId) -> bool {
    let received = Direction::of(request, reader) == Direction::InvitationReceived;
    event.audience.users.contains(reader) && (!received || is_aware(request))
}

/// All that telling looks at, as it is now: the events say what changed, not everything around it.
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
            for user in people_of(event) {
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

    /// The changes one event comes to, or several that were made in one go.
    fn tell(&self, run: &[&Arc<Event>]) -> Vec<EventChange> {
        let Some((event, group)) = run.first().and_then(|event| Some((*event, event.group.as_ref()?))) else {
            return Vec::new();
        };
        // what happens to groups without hosting, clients are not told
        if self.groups.get(group).is_some_and(|group| !group.governed) {
            return Vec::new();
        }
        let operation = |number: i32, by: Option<&UserId>, users: Vec<ChannelsUserInfo>| {
            // who goes by themself is no member any more
            let left = match &event.what {
                Happening::MembersLeft { users, .. } => users.iter().any(|user| Some(user) == by),
                Happening::OwnerChanged { from, left, .. } => *left && from.as_ref() == by,
                _ => false,
            };
            let shown = |by| if left { self.gone(event, by) } else { self.user(group, by) };
            let data =
                ChannelEventData { opt_user_info: by.map(shown), user_infos: users, ..ChannelEventData::default() };
            vec![EventChange {
                operator_id: by.map(ToString::to_string),
                ..change(event, change::OPERATION, number, &data)
            }]
        };
        let actor = event.actor.behind();
        match &event.what {
            Happening::GroupCreated { owner, .. } => {
                let info = self.created(event, group);
                let data = ChannelEventData {
                    opt_user_info: owner.as_ref().map(|owner| self.joined(group, owner, Role::Owner, event)),
                    channel_info: Some(info),
                    ..ChannelEventData::default()
                };
                let operator_id = owner.as_ref().map(ToString::to_string);
                vec![EventChange { operator_id, ..change(event, change::OPERATION, 0, &data) }]
            }
            Happening::MembersJoined { users, how, .. } => {
                let by = match how {
                    Joining::Asked { approved_by: Some(by) } | Joining::Invited { by: Some(by), .. } => Some(by),
                    Joining::Asked { approved_by: None } => users.first(),
                    _ => actor,
                };
                let joined = users.iter().map(|user| self.joined(group, user, Role::Member, event));
                operation(1, by, joined.collect())
            }
            Happening::MembersLeft { users, how, .. } => {
                let gone = users.iter().map(|user| self.gone(event, user)).collect();
                match how {
                    Leaving::Removed | Leaving::Blocked => operation(2, actor, gone),
                    Leaving::Left | Leaving::AccountDeleted => operation(3, actor, gone),
                }
            }
            Happening::GroupDisbanded { owner, .. } => {
                let opt_user_info = actor.map(|by| {
                    let mut shown = self.gone(event, by);
                    // events of before memberships were kept say whose it was
                    if let Some(ext) = shown.ext.as_mut().filter(|_| Some(by) == owner.as_ref()) {
                        ext.role = Some(role::number(Role::Owner).into());
                    }
                    shown
                });
                let data = ChannelEventData { opt_user_info, ..ChannelEventData::default() };
                vec![change(event, change::OPERATION, 4, &data)]
            }
            Happening::AdminsAdded(users) => operation(5, actor, self.all_with(group, users, Role::Admin)),
            Happening::AdminsRemoved(users) => operation(6, actor, self.all_with(group, users, Role::Member)),
            Happening::OwnerChanged { from, to: Some(to), .. } => {
                let new = vec![self.with_role(group, to, Role::Owner)];
                operation(7, actor.and(from.as_ref()), new)
            }
            Happening::ProfileChanged(_) | Happening::AnnouncementChanged(_) | Happening::PolicyChanged { .. } => {
                self.profile(group, run)
            }
            Happening::MemberChanged { user, .. } => {
                let data = ChannelEventData {
                    opt_user_info: Some(self.operator(group, actor)),
                    user_infos: vec![self.user(group, user)],
                    ..ChannelEventData::default()
                };
                vec![change(event, change::PROFILE, 1, &data)]
            }
            Happening::RequestChanged(request) => self.request(event, group, request),
            Happening::RemarkChanged { text, .. } => {
                let secondary_id = (!text.is_empty()).then(|| text.clone());
                let sub = if text.is_empty() { 3 } else { 2 };
                vec![EventChange { secondary_id, event_data: None, ..bare(event, change::PROFILE, sub) }]
            }
            Happening::FollowsChanged { added, removed, .. } => {
                let ids = |users: &[UserId]| users.iter().map(ToString::to_string).collect::<Vec<_>>();
                let told = [(1, ids(added)), (2, ids(removed))];
                let told = told.into_iter().filter(|(_, users)| !users.is_empty());
                told.map(|(sub, ext_ids)| EventChange { ext_ids, ..bare(event, change::FOLLOWS, sub) }).collect()
            }
            _ => Vec::new(),
        }
    }

    // --- people --------------------------------------------------------------------------------------------

    fn user(&self, group: &GroupId, user: &UserId) -> ChannelsUserInfo {
        let member = self.members.get(&(group.clone(), user.clone()));
        show::user(user, member.map(|member| &**member), self.users.get(user).map(|user| &**user))
    }

    /// The SDK needs somebody; what the app's server did, nobody did.
    fn operator(&self, group: &GroupId, by: Option<&UserId>) -> ChannelsUserInfo {
        match by {
            Some(by) => self.user(group, by),
            None => ChannelsUserInfo { user_id: Some(system()), ..ChannelsUserInfo::default() },
        }
    }

    /// Somebody as they came in.
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

    fn all_with(&self, group: &GroupId, users: &[UserId], role: Role) -> Vec<ChannelsUserInfo> {
        users.iter().map(|user| self.with_role(group, user, role)).collect()
    }

    /// Somebody who went with this event, as they were; events of before that was kept know an ordinary member.
    fn gone(&self, event: &Event, user: &UserId) -> ChannelsUserInfo {
        let former = former(&event.what).find(|former| former.user == *user);
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

    /// A group as it was made: with its owner alone.
    fn created(&self, event: &Event, id: &GroupId) -> ChannelsJoinedInfo {
        let Happening::GroupCreated { profile, owner, .. } = &event.what else { return ChannelsJoinedInfo::default() };
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
        let owner = owner.as_ref().map(ToString::to_string);
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

    /// What changed, without what did not: whatever else is in it reaches applications as `null`.
    fn profile(&self, group: &GroupId, run: &[&Arc<Event>]) -> Vec<EventChange> {
        let Some(event) = run.last() else { return Vec::new() };
        let mut changed = ChannelsJoinedInfo { target_id: Some(group.to_string()), ..ChannelsJoinedInfo::default() };
        for event in run {
            add_changes(&mut changed, &event.what);
        }
        let data = ChannelEventData {
            opt_user_info: Some(self.operator(group, event.actor.behind())),
            channel_info: Some(changed),
            channel_full_info: self.groups.get(group).map(|group| show::group(group)),
            ..ChannelEventData::default()
        };
        vec![change(event, change::PROFILE, 0, &data)]
    }

    // --- requests ------------------------------------------------------------------------------------------

    fn request(&self, event: &Event, group: &GroupId, request: &Request) -> Vec<EventChange> {
        if !hears(event, request, self.reader.user) {
            return Vec::new();
        }
        let direction = Direction::of(request, self.reader.user);
        let user = |id: &UserId| self.user(group, id);
        let info = show::request(request, direction, event.at, user);
        vec![change(event, change::APPLICATION, 0, &ChannelApplyInfo { status_info: vec![info] })]
    }
}

/// Those whose memberships ended with it.
fn former(what: &Happening) -> impl Iterator<Item = &Former> {
    let (many, one) = match what {
        Happening::MembersLeft { were, .. } | Happening::GroupDisbanded { were, .. } => (were.as_slice(), None),
        Happening::OwnerChanged { was, .. } => (&[][..], was.as_ref()),
        _ => (&[][..], None),
    };
    many.iter().chain(one)
}

/// Everybody an event names.
fn people_of(event: &Event) -> Vec<&UserId> {
    let mut people: Vec<&UserId> = event.actor.behind().into_iter().collect();
    match &event.what {
        Happening::GroupCreated { owner, .. } => people.extend(owner),
        Happening::MembersJoined { users, how, .. } => {
            people.extend(users);
            match how {
                Joining::Asked { approved_by: by } | Joining::Invited { by, .. } => people.extend(by),
                _ => {}
            }
        }
        Happening::MembersLeft { users, .. } | Happening::AdminsAdded(users) | Happening::AdminsRemoved(users) => {
            people.extend(users);
        }
        Happening::OwnerChanged { from, to, .. } => people.extend(from.iter().chain(to)),
        Happening::MemberChanged { user, .. } => people.push(user),
        Happening::RequestChanged(request) => {
            people.push(&request.user);
            people.extend(&request.inviter);
            people.extend(request.verdict.as_ref().and_then(|verdict| verdict.by.as_ref()));
        }
        _ => {}
    }
    people
}

/// Adds what one event changed.
fn add_changes(changed: &mut ChannelsJoinedInfo, what: &Happening) {
    let settings = &mut changed.setting_profile;
    match what {
        Happening::ProfileChanged(change) => {
            for (key, text) in
                [("name", &change.name), ("portraitUrl", &change.avatar), ("introduction", &change.introduction)]
            {
                settings.extend(text.iter().map(|text| ProfileInfo::new(key, text)));
            }
            let fields = change.fields.iter().filter(|(key, _)| limits::is_ext_key(key));
            changed.ext_profile.extend(fields.map(|(key, value)| ProfileInfo::new(key, value)));
        }
        Happening::AnnouncementChanged(text) => settings.push(ProfileInfo::new("announcement", text)),
        Happening::PolicyChanged { before, after } => {
            let before: Vec<_> = show::permissions(Permissions::of(before)).collect();
            let after = show::permissions(Permissions::of(after)).filter(|pair| !before.contains(pair));
            settings.extend(after.map(|(key, number)| ProfileInfo::new(key, number.to_string())));
        }
        _ => {}
    }
}

/// What every change says.
fn bare(event: &Event, kind: i32, sub: i32) -> EventChange {
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

/// A change with what it is about.
fn change(event: &Event, kind: i32, sub: i32, data: &impl Message) -> EventChange {
    EventChange { event_data: Some(data.encode_to_vec()), ..bare(event, kind, sub) }
}
