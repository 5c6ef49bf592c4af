//! Performs a step through the server APIs.

use conclave_tencent::SignedIn;
use conclave_tests::house::credentials::SDKAPPID;
use conclave_tests::house::{Three, tencent};
use conclave_tests::story::Refused;
use conclave_tests::world;
use http::Method;
use serde_json::{Value, json};

use super::Vendor::{Agora, Rong, Tencent};
use super::{Act, LIVE, Step};
use crate::views::{Group, Reading, in_path};

/// The problems found although the step succeeded, or the reason of its refusal.
type Done = Result<Vec<String>, String>;

fn done(result: Result<Value, Refused>) -> Done {
    match result {
        Ok(_) => Ok(Vec::new()),
        Err(Refused(why)) => Err(why),
    }
}

/// A duration in seconds, at most Tencent's longest.
fn seconds(wanted: u64) -> u64 {
    wanted.min(4_294_967_295)
}

impl Step {
    /// Performs it.
    pub async fn perform(&self, house: &Three, before: &Reading) -> Done {
        let Self { group, user, other, act, .. } = *self;
        let (through, path_id) = (Through(house), in_path(group));
        match act {
            Act::AgoraCreate { public, membersonly, allowinvites } => {
                let body = json!({
                    "groupid": group, "groupname": "n", "public": public, "membersonly": membersonly, "owner": user,
                    "allowinvites": allowinvites, "members": [other],
                });
                through.agora(Method::POST, "/chatgroups", body).await
            }
            Act::TencentCreate(kind) | Act::TencentImport(kind) => {
                let is_import = matches!(act, Act::TencentImport(_));
                let created = house.world.groups.now().seconds() - 50;
                let mut body = json!({"Type": kind, "Name": "n", "GroupId": group, "Owner_Account": user});
                if is_import {
                    body["CreateTime"] = json!(created);
                } else if kind != LIVE {
                    body["MemberList"] = json!([{"Member_Account": other}]);
                }
                if kind == "Community" {
                    body["SupportTopic"] = json!(1);
                }
                through.tencent(if is_import { "import_group" } else { "create_group" }, body).await
            }
            Act::RongCreate(join) => {
                let permissions = format!("{{\"joinPerm\":{join}}}");
                let form = format!("groupId={group}&name=n&owner={user}&userIds={other}&permissions={permissions}");
                through.rong("entrust/group/create", &form).await
            }
            Act::RongLegacyCreate => {
                through.rong("group/create", &format!("groupId={group}&groupName=n&userId={user},{other}")).await
            }
            Act::RongImport(join) => {
                let permissions = format!("{{\"joinPerm\":{join}}}");
                let form = format!("groupId={group}&name=n&owner={user}&permissions={permissions}");
                through.rong("entrust/group/import", &form).await
            }
            Act::RongSync => through.rong("group/sync", &format!("userId={user}&group[{group}]=n")).await,
            Act::Disband(Agora) => through.agora(Method::DELETE, &format!("/chatgroups/{path_id}"), Value::Null).await,
            Act::Disband(Tencent) => through.tencent("destroy_group", json!({"GroupId": group})).await,
            Act::Disband(Rong) => through.rong("group/dismiss", &format!("groupId={group}&userId={user}")).await,
            Act::Rename(Agora, number) => {
                let body = json!({"groupname": format!("n{number}")});
                through.agora(Method::PUT, &format!("/chatgroups/{path_id}"), body).await
            }
            Act::Rename(Tencent, number) => {
                let body = json!({"GroupId": group, "Name": format!("n{number}")});
                through.tencent("modify_group_base_info", body).await
            }
            Act::Rename(Rong, number) => {
                let profile = format!("{{\"name\":\"n{number}\"}}");
                let form = format!("groupId={group}&groupProfile={profile}");
                through.rong("entrust/group/profile/update", &form).await
            }
            Act::Announce(Agora, number) => {
                let body = json!({"announcement": format!("a{number}")});
                through.agora(Method::POST, &format!("/chatgroups/{path_id}/announcement"), body).await
            }
            Act::Announce(Tencent, number) => {
                let body = json!({"GroupId": group, "Notification": format!("a{number}")});
                through.tencent("modify_group_base_info", body).await
            }
            Act::Announce(Rong, number) => {
                let profile = format!("{{\"announcement\":\"a{number}\"}}");
                let form = format!("groupId={group}&groupProfile={profile}");
                through.rong("entrust/group/profile/update", &form).await
            }
            Act::TencentRenameAndAnnounce(number) => {
                let body =
                    json!({"GroupId": group, "Name": format!("b{number}"), "Notification": format!("c{number}")});
                through.tencent("modify_group_base_info", body).await
            }
            Act::Add(Agora) => {
                let path = format!("/chatgroups/{path_id}/users/{user}");
                through.agora(Method::POST, &path, Value::Null).await
            }
            Act::Add(Tencent) => {
                let body = json!({"GroupId": group, "MemberList": [{"Member_Account": user}]});
                through.tencent("add_group_member", body).await
            }
            Act::Add(Rong) => {
                let legacy = before.group(group).is_some_and(Group::is_legacy);
                let (path, key) = if legacy { ("group/join", "userId") } else { ("entrust/group/join", "userIds") };
                through.rong(path, &format!("groupId={group}&{key}={user}")).await
            }
            Act::TencentImportMember { seconds_ago } => {
                let joined = house.world.groups.now().seconds() - seconds_ago;
                let body = json!({"GroupId": group, "MemberList": [{"Member_Account": user, "JoinTime": joined}]});
                through.tencent("import_group_member", body).await
            }
            Act::Remove(Agora) => {
                let path = format!("/chatgroups/{path_id}/users/{user}");
                through.agora(Method::DELETE, &path, Value::Null).await
            }
            Act::Remove(Tencent) => {
                let body = json!({"GroupId": group, "MemberToDel_Account": [user]});
                through.tencent("delete_group_member", body).await
            }
            Act::Remove(Rong) => {
                through.rong("entrust/group/member/kick", &format!("groupId={group}&userIds={user}")).await
            }
            Act::Quit(Agora) => through.agora_user(user, Method::DELETE, &format!("/chatgroups/{path_id}/quit")).await,
            Act::Quit(_) => through.rong("entrust/group/quit", &format!("groupId={group}&userIds={user}")).await,
            Act::RongLegacyQuit => through.rong("group/quit", &format!("groupId={group}&userId={user}")).await,
            Act::Promote(Agora) => {
                let body = json!({"newadmin": user});
                through.agora(Method::POST, &format!("/chatgroups/{path_id}/admin"), body).await
            }
            Act::Demote(Agora) => {
                let path = format!("/chatgroups/{path_id}/admin/{user}");
                through.agora(Method::DELETE, &path, Value::Null).await
            }
            Act::Promote(Tencent) | Act::Demote(Tencent) => {
                let role = if matches!(act, Act::Promote(_)) { "Admin" } else { "Member" };
                let body = json!({"GroupId": group, "Member_Account": user, "Role": role});
                through.tencent("modify_group_member_info", body).await
            }
            Act::Promote(Rong) => {
                through.rong("entrust/group/manager/add", &format!("groupId={group}&userIds={user}")).await
            }
            Act::Demote(Rong) => {
                through.rong("entrust/group/manager/remove", &format!("groupId={group}&userIds={user}")).await
            }
            Act::Transfer(Agora) => {
                let body = json!({"newowner": user});
                through.agora(Method::PUT, &format!("/chatgroups/{path_id}"), body).await
            }
            Act::Transfer(Tencent) => {
                let body = json!({"GroupId": group, "NewOwner_Account": user});
                through.tencent("change_group_owner", body).await
            }
            Act::Transfer(Rong) => {
                through.rong("entrust/group/transfer/owner", &format!("groupId={group}&newOwner={user}")).await
            }
            Act::Mute(Agora, wanted) => {
                let millis = if wanted == u64::MAX { json!(-1) } else { json!(wanted * 1000) };
                let body = json!({"usernames": [user], "mute_duration": millis});
                through.agora(Method::POST, &format!("/chatgroups/{path_id}/mute"), body).await
            }
            Act::Mute(Tencent, wanted) => {
                let body = json!({"GroupId": group, "Members_Account": [user], "MuteTime": seconds(wanted)});
                through.tencent("forbid_send_msg", body).await
            }
            Act::Mute(Rong, wanted) => {
                let minutes = if wanted == u64::MAX { 0 } else { wanted.div_ceil(60) };
                let form = format!("groupId={group}&userId={user}&minute={minutes}");
                through.rong("group/user/gag/add", &form).await
            }
            Act::Unmute(Agora) => {
                let path = format!("/chatgroups/{path_id}/mute/{user}");
                let answer = house.agora.call(Method::DELETE, &path, None).await;
                let ended = answer.as_ref().is_ok_and(|answer| answer["data"][0]["result"] == true);
                let mut wrong = done(answer)?;
                let list = house.agora.call(Method::GET, &format!("/chatgroups/{path_id}/mute"), None).await;
                let still = list.is_ok_and(|list| lists(&list["data"], "user", user));
                if ended && still {
                    wrong.push(format!("Agora says that {user} is no longer muted, and still lists them"));
                }
                Ok(wrong)
            }
            Act::Unmute(Tencent) => {
                let body = json!({"GroupId": group, "Members_Account": [user], "MuteTime": 0});
                through.tencent("forbid_send_msg", body).await
            }
            Act::Unmute(Rong) => {
                through.rong("group/user/gag/rollback", &format!("groupId={group}&userId={user}")).await
            }
            Act::MuteAll(Agora, on) => {
                let method = if on { Method::POST } else { Method::DELETE };
                through.agora(method, &format!("/chatgroups/{path_id}/ban"), Value::Null).await
            }
            Act::MuteAll(Tencent, on) => {
                let body = json!({"GroupId": group, "MuteAllMember": if on { "On" } else { "Off" }});
                through.tencent("modify_group_base_info", body).await
            }
            Act::MuteAll(Rong, on) => {
                let path = if on { "group/ban/add" } else { "group/ban/rollback" };
                through.rong(path, &format!("groupId={group}")).await
            }
            Act::MuteEverywhere(true) => through.rong("group/user/gag/add", &format!("userId={user}&minute=0")).await,
            Act::MuteEverywhere(false) => through.rong("group/user/gag/rollback", &format!("userId={user}")).await,
            Act::Allow(Agora) => {
                let path = format!("/chatgroups/{path_id}/white/users/{user}");
                through.agora(Method::POST, &path, Value::Null).await
            }
            Act::Allow(_) => {
                through.rong("group/user/ban/whitelist/add", &format!("groupId={group}&userId={user}")).await
            }
            Act::Disallow(Agora) => {
                let path = format!("/chatgroups/{path_id}/white/users/{user}");
                through.agora(Method::DELETE, &path, Value::Null).await
            }
            Act::Disallow(_) => {
                through.rong("group/user/ban/whitelist/rollback", &format!("groupId={group}&userId={user}")).await
            }
            Act::Block(Agora) => {
                let path = format!("/chatgroups/{path_id}/blocks/users/{user}");
                through.agora(Method::POST, &path, Value::Null).await
            }
            Act::Block(_) => {
                let body = json!({"GroupId": group, "Members_Account": [user], "Duration": 600});
                through.tencent("ban_group_member", body).await
            }
            Act::Unblock(Agora) => {
                let path = format!("/chatgroups/{path_id}/blocks/users/{user}");
                let mut wrong = through.agora(Method::DELETE, &path, Value::Null).await?;
                let list = house.agora.call(Method::GET, &format!("/chatgroups/{path_id}/blocks/users"), None).await;
                if list.is_ok_and(|list| list["data"].as_array().unwrap().contains(&json!(user.to_lowercase()))) {
                    wrong.push(format!("Agora says that {user} is no longer blocked, and still lists them"));
                }
                Ok(wrong)
            }
            Act::Unblock(_) => {
                let body = json!({"GroupId": group, "Members_Account": [user]});
                through.tencent("unban_group_member", body).await
            }
            Act::AgoraFlags { public, membersonly, allowinvites } => {
                let mut body = json!({});
                for (name, value) in [("public", public), ("membersonly", membersonly), ("allowinvites", allowinvites)]
                {
                    if let Some(value) = value {
                        body[name] = json!(value);
                    }
                }
                through.agora(Method::PUT, &format!("/chatgroups/{path_id}"), body).await
            }
            Act::TencentOptions { apply, invite } => {
                let mut body = json!({"GroupId": group});
                for (name, value) in [("ApplyJoinOption", apply), ("InviteJoinOption", invite)] {
                    if let Some(value) = value {
                        body[name] = json!(value);
                    }
                }
                through.tencent("modify_group_base_info", body).await
            }
            Act::RongPermission(name, value) => {
                let form = format!("groupId={group}&permissions={{\"{name}\":{value}}}");
                through.rong("entrust/group/profile/update", &form).await
            }
            Act::Capacity(Agora, most) => {
                through.agora(Method::PUT, &format!("/chatgroups/{path_id}"), json!({"maxusers": most})).await
            }
            Act::Capacity(_, most) => {
                through.tencent("modify_group_base_info", json!({"GroupId": group, "MaxMemberNum": most})).await
            }
            Act::Apply => {
                let path = format!("/chatgroups/{path_id}/apply");
                let body = Some(json!({"message": "hi"}));
                done(house.agora.call_as(user, Method::POST, &path, body).await)
            }
            Act::Decide(accept) => {
                let path = format!("/chatgroups/{path_id}/apply_verify");
                let body = json!({"applicant": user, "verifyResult": accept});
                through.agora(Method::POST, &path, body).await
            }
            Act::DeleteAccount(Agora) => through.agora(Method::DELETE, &format!("/users/{user}"), Value::Null).await,
            Act::DeleteAccount(_) => {
                let body = json!({"DeleteItem": [{"UserID": user}]});
                let answer = house.tencent.call("im_open_login_svc/account_delete", &body).await;
                match answer {
                    Ok(answer) if answer["ResultItem"][0]["ResultCode"] == 0 => Ok(Vec::new()),
                    Ok(answer) => Err(answer.to_string()),
                    Err(Refused(why)) => Err(why),
                }
            }
            Act::Register => {
                let body = json!({"UserID": user});
                done(house.tencent.call("im_open_login_svc/account_import", &body).await)
            }
            Act::Say(Agora, number) => {
                let body = json!({
                    "from": user, "to": [group], "type": "txt", "body": {"msg": format!("said {number}")},
                });
                through.agora(Method::POST, "/messages/chatgroups", body).await
            }
            Act::Say(Tencent, number) => {
                let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": format!("said {number}")}}]);
                through.tencent("send_group_msg", json!({"GroupId": group, "Random": number, "MsgBody": said})).await
            }
            Act::Say(Rong, number) => {
                let content = format!("{{\"content\":\"said {number}\"}}");
                let form = format!("fromUserId={user}&toGroupId={group}&objectName=RC:TxtMsg&content={content}");
                through.rong("message/group/publish", &form).await
            }
            Act::SayAsMember => self.say_as_member(house, before).await,
            Act::SayAsClient => self.say_as_client(house, before).await,
            Act::TopicCreate(number) => {
                let topic = json!({"GroupId": group, "TopicId": topic(group, number), "TopicName": "t"});
                through.topic("create_topic", topic).await
            }
            Act::TopicDestroy(number) => {
                through.topic("destroy_topic", json!({"GroupId": group, "TopicIdList": [topic(group, number)]})).await
            }
            Act::SayInTopic(number) => {
                let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "in a topic"}}]);
                let random = house.world.groups.now().0;
                let body =
                    json!({"GroupId": group, "TopicId": topic(group, number), "Random": random, "MsgBody": said});
                through.tencent("send_group_msg", body).await
            }
            Act::Appoint(on) => {
                let body = json!({"GroupId": group, "CommandType": if on { 1 } else { 2 }, "Admin_Account": [user]});
                let answer = house.tencent.call("group_open_avchatroom_http_svc/modify_admin", &body).await;
                done(answer)
            }
            Act::TencentImportMessage => {
                let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "old"}}]);
                let at = house.world.groups.now().seconds();
                let list = json!([{"From_Account": user, "SendTime": at, "Random": 1, "MsgBody": said}]);
                through.tencent("import_group_msg", json!({"GroupId": group, "MsgList": list})).await
            }
            Act::Recall => {
                let last = before.group(group).map_or(1, Group::last_number);
                let body = json!({"GroupId": group, "MsgSeqList": [{"MsgSeq": last}]});
                through.tencent("group_msg_recall", body).await
            }
        }
    }

    /// The same for a user's own client, to which a group that it is not in is no group to speak in.
    async fn say_as_client(&self, house: &Three, before: &Reading) -> Done {
        let Self { group, user, .. } = *self;
        if !before.has_account(user) {
            return Err("no account".to_owned());
        }
        let clients = tencent(&house.world, conclave_tencent::Settings::default());
        let caller = SignedIn {
            user: world::user(user),
            device: Some("phone".to_owned()),
            pushed_after: None,
            root_url: std::sync::Arc::default(),
        };
        let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]);
        let body = json!({"GroupId": group, "Random": house.world.groups.now().0, "MsgBody": said}).to_string();
        let answer = clients.answer_user(SDKAPPID, caller, "group_open_http_svc.send_group_msg", body.as_bytes()).await;
        let answer: Value = serde_json::from_slice(&answer).expect("json");
        let Some(seen) = before.group(group) else { return Err(answer.to_string()) };
        let wanted = seen.speaking(user, true);
        if answer["ErrorCode"] != wanted {
            return Ok(vec![format!("{user}'s client speaks in {group}: {answer}, it should be {wanted}")]);
        }
        if wanted == 0 { Ok(Vec::new()) } else { Err(answer.to_string()) }
    }

    /// Whether a member may send messages follows from the lists read before.
    async fn say_as_member(&self, house: &Three, before: &Reading) -> Done {
        let Self { group, user, .. } = *self;
        let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]);
        let number = house.world.groups.now().0;
        let body = json!({"GroupId": group, "Random": number, "From_Account": user, "MsgBody": said});
        let answer = house.tencent.answer("send_group_msg", &body).await;
        let Some(seen) = before.group(group) else { return Err(answer.to_string()) };
        if seen.accepts_messages_of_non_members(user) {
            return if answer["ErrorCode"] == 0 { Ok(Vec::new()) } else { Err(answer.to_string()) };
        }
        let wanted = seen.speaking(user, before.has_account(user));
        if answer["ErrorCode"] != wanted {
            return Ok(vec![format!("{user} speaks in {group}: {answer}, by what is read it should be {wanted}")]);
        }
        if wanted == 0 { Ok(Vec::new()) } else { Err(answer.to_string()) }
    }
}

/// Calls through the three APIs.
struct Through<'h>(&'h Three);

impl Through<'_> {
    async fn agora(&self, method: Method, path: &str, body: Value) -> Done {
        done(self.0.agora.call(method, path, Some(body).filter(|body| !body.is_null())).await)
    }

    async fn agora_user(&self, user: &str, method: Method, path: &str) -> Done {
        done(self.0.agora.call_as(user, method, path, None).await)
    }

    async fn tencent(&self, command: &str, body: Value) -> Done {
        done(self.0.tencent.group(command, &body).await)
    }

    async fn topic(&self, command: &str, body: Value) -> Done {
        let command = format!("million_group_open_http_svc/{command}");
        match self.0.tencent.call(&command, &body).await {
            // each topic has an outcome of its own
            Ok(answer) if answer["DestroyResultItem"][0]["ResultCode"].as_u64() > Some(0) => Err(answer.to_string()),
            other => done(other),
        }
    }

    async fn rong(&self, path: &str, form: &str) -> Done {
        let answer = self.0.rong.answer(path, form).await;
        if answer["code"] == 200 { Ok(Vec::new()) } else { Err(answer.to_string()) }
    }
}

/// The id of a topic of this community.
fn topic(group: &str, number: u64) -> String {
    format!("{group}@TOPIC#_t{number}")
}

fn lists(rows: &Value, key: &str, user: &str) -> bool {
    let folded = user.to_lowercase();
    rows.as_array().is_some_and(|rows| rows.iter().any(|row| row[key] == folded))
}
