//! The core itself, without any vendor.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::event::{Actor, ProfileChange};
use conclave_core::model::{self, Circle, Policy, Profile};
use conclave_core::operation::{
    AddMembers, Cleanup, CreateGroup, Demote, Disband, NewMember, NewUser, OnBlocked, OnExisting, OnFull, OnMember,
    OnOutsider, OnUnknown, Promote, Quiet, RegisterUsers, RemoveMembers, Transfer, UpdateGroup,
};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::query::{GroupById, JoinedGroups, ListGroups, ListMembers};
use conclave_core::refusal::Refusal;

use super::{Refused, Role, Truth, VendorApi, Wanted};
use crate::world::{group as gid, user as uid};

/// Calls the core.
pub struct CoreApi(pub Arc<dyn Groups>);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.to_string())
    }
}

fn app() -> Actor {
    Actor::app()
}

#[async_trait]
impl VendorApi for CoreApi {
    fn name(&self) -> &'static str {
        "core"
    }

    async fn register(&self, users: &[&str]) -> Result<(), Refused> {
        let users = users.iter().map(|id| NewUser::of(uid(id))).collect();
        self.0.run(&app(), RegisterUsers { users, on_existing: OnExisting::Skip, folded: false }).await?;
        Ok(())
    }

    async fn create(&self, wanted: &Wanted) -> Result<String, Refused> {
        let policy = Policy { invite: Circle::Members, ..Policy::standard() };
        let mut create = CreateGroup::new(Some(uid(&wanted.owner)), policy);
        create.id = wanted.id.as_deref().map(gid);
        create.profile =
            Profile { name: wanted.name.clone(), introduction: wanted.introduction.clone(), ..Profile::default() };
        create.members = wanted.members.iter().map(|id| NewMember::now(uid(id))).collect();
        Ok(self.0.run(&app(), create).await?.group.id.to_string())
    }

    async fn rename(&self, group: &str, name: &str, introduction: &str) -> Result<(), Refused> {
        let profile = ProfileChange {
            name: Some(name.to_owned()),
            introduction: Some(introduction.to_owned()),
            ..ProfileChange::default()
        };
        Ok(self.0.run(&app(), UpdateGroup { profile, ..UpdateGroup::of(gid(group)) }).await?)
    }

    async fn add(&self, group: &str, users: &[&str]) -> Result<(), Refused> {
        let add = AddMembers {
            group: gid(group),
            members: users.iter().map(|id| NewMember::now(uid(id))).collect(),
            ask: false,
            message: String::new(),
            quiet: Quiet::Nobody,
            on_unknown: OnUnknown::Refuse,
            on_member: OnMember::Skip,
            on_blocked: OnBlocked::Refuse,
            on_full: OnFull::Refuse,
            most: None,
        };
        self.0.run(&app(), add).await?;
        Ok(())
    }

    async fn remove(&self, group: &str, users: &[&str]) -> Result<(), Refused> {
        let remove = RemoveMembers {
            group: gid(group),
            users: users.iter().map(|id| uid(id)).collect(),
            reason: String::new(),
            cleanup: Cleanup::default(),
            quiet: Quiet::Nobody,
            on_outsider: OnOutsider::Refuse,
            skip_owner: false,
        };
        self.0.run(&app(), remove).await?;
        Ok(())
    }

    async fn promote(&self, group: &str, user: &str) -> Result<(), Refused> {
        let promote =
            Promote { group: gid(group), users: vec![uid(user)], most: None, on_outsider: OnOutsider::Refuse };
        self.0.run(&app(), promote).await?;
        Ok(())
    }

    async fn demote(&self, group: &str, user: &str) -> Result<(), Refused> {
        Ok(self.0.run(&app(), Demote { group: gid(group), users: vec![uid(user)], skip_others: false }).await?)
    }

    async fn transfer(&self, group: &str, to: &str) -> Result<(), Refused> {
        Ok(self.0.run(&app(), Transfer { group: gid(group), to: uid(to), leave: None }).await?)
    }

    async fn disband(&self, group: &str) -> Result<(), Refused> {
        Ok(self.0.run(&app(), Disband { group: gid(group) }).await.map(drop)?)
    }

    async fn truth(&self, group: &str) -> Option<Truth> {
        let found = self.0.ask(&app(), GroupById { group: gid(group) }).await.ok()?;
        let page = self.0.ask(&app(), ListMembers::all(gid(group))).await.ok()?;
        let members = page.members.iter().map(|member| {
            let role = match member.role {
                model::Role::Member => Role::Member,
                model::Role::Admin => Role::Admin,
                model::Role::Owner => Role::Owner,
            };
            (member.user.to_string(), role)
        });
        Some(Truth {
            name: found.group.profile.name.clone(),
            introduction: found.group.profile.introduction.clone(),
            owner: found.group.owner.as_ref().map(ToString::to_string),
            members: members.collect(),
            count: found.group.members.into(),
        })
    }

    async fn joined(&self, user: &str) -> BTreeSet<String> {
        let page = self.0.ask(&app(), JoinedGroups::all(uid(user))).await.expect("joined groups");
        page.groups.iter().map(|(group, _)| group.id.to_string()).collect()
    }

    async fn listed(&self, page: usize) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut after = None;
        loop {
            let list = ListGroups { discoverable: false, after, skip: 0, limit: page, newest_first: true };
            let answer = self.0.ask(&app(), list).await.expect("groups");
            all.extend(answer.groups.iter().map(|group| group.id.to_string()));
            after = answer.next;
            if after.is_none() {
                return all;
            }
        }
    }
}
