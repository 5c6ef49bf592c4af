//! `tencent_im_rs` (crates.io): every call on accounts and groups that works as named.
//!
//! Three do not: its list of members asks for `get_group_member`, its mute for `get_joined_group_list` and its list of
//! attributes for `get_group_att`, as the SDK spells them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tencent_im_rs::api::v4::TencentHelper;
use tencent_im_rs::api::v4::common::{
    ApplyJoinOption, Group, GroupCounter, GroupCounterMode, GroupType, KeyValueLower, Member, MemberRole, Msg, MsgBody,
    MsgContent,
};
use tencent_im_rs::api::v4::group_open_http_svc as groups;
use tencent_im_rs::api::v4::im_open_login_svc as accounts;
use tencent_im_rs::api::v4::open_im as messages;
use tencent_im_rs::user_sig::hmac_sha256::TencentSig;

/// Reports a successful response, and returns it as JSON.
macro_rules! does {
    ($step:expr, $call:expr) => {{
        let answer = ask!($step, $call);
        assert_eq!((&answer["ActionStatus"], &answer["ErrorCode"]), (&json!("OK"), &json!(0)), "{}: {answer}", $step);
        answer
    }};
}

/// Reports any response, and returns it as JSON.
macro_rules! ask {
    ($step:expr, $call:expr) => {{
        let answer = $call.await.unwrap_or_else(|error| panic!("{}: {error}", $step));
        let answer = serde_json::to_value(answer).expect("what has been read can be written");
        println!("{}", json!({"step": $step, "value": &answer}));
        answer
    }};
}

fn setting(key: &str) -> String {
    std::env::var(key).unwrap_or_else(|_| panic!("{key} is not set; \"conclave env\" prints it"))
}

/// Waits until the calling test has made its checks.
fn pause(point: &str) {
    println!("{}", json!({ "pause": point }));
    let read = std::io::stdin().read_line(&mut String::new()).expect("a line");
    assert!(read > 0, "nobody met the script at {point}");
}

fn helper() -> TencentHelper {
    let app = setting("TENCENT_SDKAPPID").parse().expect("a number");
    let admin = setting("TENCENT_ADMIN");
    let sig = TencentSig::new(app, setting("TENCENT_SECRET_KEY"));
    let sig = sig.generate_user_sig(admin.clone(), 86_400).expect("a signature");
    // the SDK adds the scheme itself
    let url = setting("TENCENT_API_URL");
    let domain = url.strip_prefix("https://").unwrap_or_else(|| panic!("{url} is not encrypted"));
    TencentHelper::new(domain.to_owned(), app, admin, sig)
}

fn member(account: &str) -> Member {
    let mut member = Member::new();
    member.set_member_account(Some(account));
    member
}

fn text(words: &str) -> Vec<MsgBody> {
    vec![MsgBody::new(MsgContent::str_text(), MsgContent::content_text(words))]
}

fn pairs(list: &Value, key: &str, value: &str) -> Vec<(String, Value)> {
    let list = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    list.iter().map(|one| (one[key].as_str().expect("a key").to_owned(), one[value].clone())).collect()
}

async fn people(helper: &mut TencentHelper) {
    let mut sea = accounts::account_import::AccountImportRequest::new("sea");
    sea.set_nick(Some("大海")).set_face_url(Some("http://pictures.example.com/1.png"));
    does!("import", accounts::account_import::api_account_import(helper, sea));
    let many = accounts::multi_account_import::MultiAccountImportRequest::new(vec!["sky", "sun", "rain", "fog"]);
    let many = does!("import many", accounts::multi_account_import::api_multiaccount_import(helper, many));
    assert_eq!(many["FailAccounts"], json!([]));
    let gone = vec![accounts::account_delete::DeleteItem::new("fog")];
    let gone = accounts::account_delete::AccountDeleteRequest::new(gone);
    does!("delete", accounts::account_delete::api_account_delete(helper, gone));
    let check = ["sea", "fog"].map(accounts::account_check::CheckItem::new).into();
    let check = accounts::account_check::AccountCheckRequest::new(check);
    let found = does!("check", accounts::account_check::api_account_check(helper, check));
    let found = pairs(&found["ResultItem"], "UserID", "AccountStatus");
    assert_eq!(found, [("sea".to_owned(), json!("Imported")), ("fog".to_owned(), json!("NotImported"))]);
    does!("kick", accounts::kick::api_kick(helper, accounts::kick::KickRequest::new("rain")));
}

async fn roles(helper: &mut TencentHelper, step: &str, group: &str, users: &[&str]) -> Value {
    let request = groups::get_role_in_group::GetRoleInGroupRequest::new(group, users.to_vec());
    let answer = does!(step, groups::get_role_in_group::api_get_role_in_group(helper, request));
    pairs(&answer["UserIdList"], "Member_Account", "Role").into_iter().collect::<serde_json::Map<_, _>>().into()
}

async fn membership(helper: &mut TencentHelper) -> String {
    let mut new = Group::new();
    new.set_group_type(Some(GroupType::Public)).set_name(Some("Wetter")).set_owner_account(Some("sea"));
    new.set_introduction(Some("all kinds")).set_notification(Some("rain")).set_max_member_count(Some(50));
    new.set_apply_join_option(Some(ApplyJoinOption::FreeAccess)).set_member_list(Some(vec![member("sky")]));
    let made = does!("create", groups::create_group::api_create_group(helper, new));
    let group = made["GroupId"].as_str().expect("an id").to_owned();

    let more = vec![member("sun"), member("rain"), member("sky")];
    let more = groups::add_group_member::AddGroupMemberRequest::new(&group, more);
    let added = does!("add", groups::add_group_member::api_add_group_member(helper, more));
    let added = pairs(&added["MemberList"], "Member_Account", "Result");
    let wanted = [("sun", 1), ("rain", 1), ("sky", 2)];
    assert_eq!(added, wanted.map(|(user, result)| (user.to_owned(), json!(result))));
    let less = groups::delete_group_member::DeleteGroupMemberRequest::new(group.as_str(), vec!["rain"]);
    does!("remove", groups::delete_group_member::api_delete_group_member(helper, less));

    let mut sky = groups::modify_group_member_info::ModifyGroupMemberInfoRequest::new(group.as_str(), "sky");
    sky.set_role(Some("Admin")).set_name_card(Some("Sky above"));
    does!("a role", groups::modify_group_member_info::api_modify_group_member_info(helper, sky));
    let found = roles(helper, "roles", &group, &["sea", "sky", "sun", "rain"]).await;
    assert_eq!(found, json!({"sea": "Owner", "sky": "Admin", "sun": "Member", "rain": "NotMember"}));

    for (step, owner) in [("hand over", "sun"), ("hand back", "sea")] {
        let owner = groups::change_group_owner::ChangeGroupOwnerRequest::new(group.as_str(), owner);
        does!(step, groups::change_group_owner::api_change_group_owner(helper, owner));
    }
    let found = roles(helper, "roles after that", &group, &["sea", "sun"]).await;
    assert_eq!(found, json!({"sea": "Owner", "sun": "Member"}));
    let joined = groups::get_joined_group_list::GetJoinedGroupListRequest::new("sky");
    let joined = does!("joined", groups::get_joined_group_list::api_get_joined_group_list(helper, joined));
    assert_eq!((&joined["TotalCount"], &joined["GroupIdList"][0]["GroupId"]), (&json!(1), &json!(group)));
    group
}

async fn profile(helper: &mut TencentHelper, group: &str) {
    let mut change = Group::new();
    change.set_group_id(Some(group)).set_name(Some("Weather")).set_introduction(Some("all of it"));
    change.set_mute_all_member(Some("On"));
    does!("modify", groups::modify_group_base_info::api_modify_group_base_info(helper, change));
    let info = groups::get_group_info::GetGroupInfoRequest::new(vec![group]);
    let info = does!("info", groups::get_group_info::api_get_group_info(helper, info));
    let info = &info["GroupInfo"][0];
    let wanted =
        [("Name", "Weather"), ("Introduction", "all of it"), ("Notification", "rain"), ("MuteAllMember", "On")];
    for (key, value) in wanted {
        assert_eq!(info[key], value, "{key}");
    }
    let mut change = Group::new();
    change.set_group_id(Some(group)).set_mute_all_member(Some("Off"));
    does!("let speak", groups::modify_group_base_info::api_modify_group_base_info(helper, change));
    let mut all = groups::get_appid_group_list::GetAppIdGroupListRequest::new();
    all.set_limit(Some(10)).set_group_type(Some(GroupType::Public));
    let all = does!("all groups", groups::get_appid_group_list::api_get_appid_group_list(helper, all));
    assert_eq!((&all["TotalCount"], &all["GroupIdList"][0]["GroupId"]), (&json!(1), &json!(group)));
}

async fn bans(helper: &mut TencentHelper, group: &str) {
    let mut ban = groups::ban_group_member::BanGroupMemberRequest::new(group, vec!["rain".to_owned()], 600);
    ban.set_description(Some("too wet"));
    does!("ban", groups::ban_group_member::api_ban_group_member(helper, ban));
    let banned = groups::get_group_ban_member::GetGroupBanMemberRequest::new(group, 0);
    let banned = does!("banned", groups::get_group_ban_member::api_get_group_ban_member(helper, banned));
    assert_eq!(banned["BannedAccountList"][0]["Member_Account"], "rain");
    let back = groups::add_group_member::AddGroupMemberRequest::new(group, vec![member("rain")]);
    let back = ask!("add who is banned", groups::add_group_member::api_add_group_member(helper, back));
    assert_ne!(back["MemberList"][0]["Result"], 1, "who is banned does not come in: {back}");
    let unban = groups::unban_group_member::UnbanGroupMemberRequest::new(group, vec!["rain"]);
    does!("unban", groups::unban_group_member::api_unban_group_member(helper, unban));
    let banned = groups::get_group_ban_member::GetGroupBanMemberRequest::new(group, 0);
    let banned = does!("nobody banned", groups::get_group_ban_member::api_get_group_ban_member(helper, banned));
    assert_eq!(banned["BannedAccountList"], json!([]));

    // its mute does not work, but changing the member does
    let mut mute = groups::modify_group_member_info::ModifyGroupMemberInfoRequest::new(group, "sun");
    mute.set_mute_time(Some(600));
    does!("mute", groups::modify_group_member_info::api_modify_group_member_info(helper, mute));
    let muted = groups::get_group_muted_account::GetGroupMutedAccountRequest::new(group);
    let muted = does!("muted", groups::get_group_muted_account::api_get_group_muted_account(helper, muted));
    assert_eq!(muted["MutedAccountList"][0]["Member_Account"], "sun");
}

async fn speech(helper: &mut TencentHelper, group: &str) {
    let mut sent = Vec::new();
    for (random, (sender, words)) in (1..).zip([("sea", "hello"), ("sky", "wet"), ("sea", "dry")]) {
        let mut message = groups::send_group_msg::SendGroupMsgRequest::new(group, random, text(words));
        message.set_from_account(Some(sender));
        let answer = does!(format!("say {words}"), groups::send_group_msg::api_send_group_msg(helper, message));
        sent.push(answer["MsgSeq"].as_u64().expect("a number"));
    }
    let (first, last) = (u32::try_from(sent[0]).expect("a small number"), u32::try_from(sent[2]).expect("likewise"));
    let mut change = messages::modify_group_msg::ModifyGroupMsgRequest::new(group, first);
    change.set_msg_body(Some(text("hello again")));
    does!("change", messages::modify_group_msg::api_modify_group_msg(helper, change));
    let notice = groups::send_group_system_notification::SendGroupSystemNotificationRequest::new(group, "closing");
    does!("notice", groups::send_group_system_notification::api_send_group_system_notification(helper, notice));
    for (step, number, words) in [("air", 1, "all hear"), ("air more", 2, "hear again"), ("air again", 1, "all hear")] {
        let mut aired = groups::send_broadcast_msg::SendBroadcastMsgRequest::new(number, text(words));
        aired.set_from_account(Some("sea"));
        let aired = does!(step, groups::send_broadcast_msg::api_send_broadcast_msg(helper, aired));
        assert_eq!(aired["MsgSeq"], number, "the same once more has the number it had");
    }
    let recall = vec![groups::group_msg_recall::MsgRecall::new(last)];
    let recall = groups::group_msg_recall::GroupMsgRecallRequest::new(group, recall);
    does!("recall", groups::group_msg_recall::api_group_msg_recall(helper, recall));
    let forget = groups::delete_group_msg_by_sender::DeleteGroupMsgBySenderRequest::new(group, "sky");
    does!("forget a sender", groups::delete_group_msg_by_sender::api_delete_group_msg_by_sender(helper, forget));
    let history = groups::group_msg_get_simple::GroupMsgGetSimpleRequest::new(group, 20);
    let history = does!("history", groups::group_msg_get_simple::api_group_msg_get_simple(helper, history));
    let list = history["RspMsgList"].as_array().expect("a list");
    let said: Vec<&Value> = list.iter().filter_map(|one| one["MsgBody"][0]["MsgContent"].get("Text")).collect();
    assert_eq!(said, ["hello again"], "{history}");
}

async fn attributes(helper: &mut TencentHelper, group: &str) {
    let pair = |key, value| KeyValueLower::new(key, value);
    let set = groups::set_group_attr::SetGroupAttrRequest::new(group, vec![pair("wind", "north"), pair("sky", "blue")]);
    does!("set attributes", groups::set_group_attr::api_set_group_attr(helper, set));
    let change = groups::modify_group_attr::ModifyGroupAttrRequest::new(group, vec![pair("wind", "south")]);
    does!("modify attributes", groups::modify_group_attr::api_modify_group_attr(helper, change));
    pause("attributes");
    let clear = groups::clear_group_attr::ClearGroupAttrRequest::new(group);
    does!("clear attributes", groups::clear_group_attr::api_clear_group_attr(helper, clear));

    let counters = vec![GroupCounter::new("drops", 10), GroupCounter::new("flakes", 3)];
    let mut counters = groups::update_group_counter::UpdateGroupCounterRequest::new(group, counters);
    counters.set_mode(Some(GroupCounterMode::Set));
    does!("set counters", groups::update_group_counter::api_update_group_counter(helper, counters));
    let more = vec![GroupCounter::new("drops", 5)];
    let mut more = groups::update_group_counter::UpdateGroupCounterRequest::new(group, more);
    more.set_mode(Some(GroupCounterMode::Increase));
    let more = does!("count up", groups::update_group_counter::api_update_group_counter(helper, more));
    assert_eq!(more["GroupCounter"], json!([{"Key": "drops", "Value": 15}]));
    let mut less = groups::delete_group_counter::DeleteGroupCounterRequest::new(group);
    less.set_group_counter_keys(Some(vec!["flakes"]));
    does!("delete a counter", groups::delete_group_counter::api_delete_group_counter(helper, less));
    let mut left = groups::get_group_counter::GetGroupCounterRequest::new(group);
    left.set_group_counter_keys(Some(vec!["drops"]));
    let left = does!("counters", groups::get_group_counter::api_get_group_counter(helper, left));
    assert_eq!(left["GroupCounter"], json!([{"Key": "drops", "Value": 15}]));
}

/// A room without connected users.
async fn live(helper: &mut TencentHelper) {
    let mut new = Group::new();
    new.set_group_type(Some(GroupType::AVChatRoom)).set_name(Some("Live")).set_owner_account(Some("sea"));
    let made = does!("create a live room", groups::create_group::api_create_group(helper, new));
    let room = groups::get_online_member_num::GetOnlineMemberNumRequest::new(made["GroupId"].as_str().expect("an id"));
    let online = does!("how many", groups::get_online_member_num::api_get_online_member_num(helper, room));
    assert_eq!(online["OnlineMemberNum"], 0);
}

async fn migration(helper: &mut TencentHelper) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let since = u32::try_from(now - 86_400).expect("seconds");
    let mut old = Group::new();
    old.set_group_type(Some(GroupType::Public)).set_group_id(Some("imported")).set_name(Some("Imported"));
    old.set_owner_account(Some("sea")).set_create_time(Some(since.into()));
    does!("import a group", groups::import_group::api_import_group(helper, old));
    let mut sun = groups::import_group_member::ImportGroupMember::new("sun");
    sun.set_role(Some(MemberRole::Admin)).set_join_time(Some(since + 60));
    let members = groups::import_group_member::ImportGroupMemberRequest::new("imported", vec![sun]);
    let taken = does!("import members", groups::import_group_member::api_import_group_member(helper, members));
    assert_eq!(taken["MemberList"][0]["Member_Account"], "sun");
    let mut message = Msg::new("sun", since + 120, text("long ago"));
    message.set_random(Some(7));
    let messages = groups::import_group_msg::ImportGroupMsgRequest::new("imported", vec![message]);
    does!("import messages", groups::import_group_msg::api_import_group_msg(helper, messages));
    let unread = groups::set_unread_msg_num::SetUnreadMsgNumRequest::new("imported", "sun", 1);
    does!("unread", groups::set_unread_msg_num::api_set_unread_msg_num(helper, unread));
    let found = roles(helper, "imported roles", "imported", &["sea", "sun"]).await;
    assert_eq!(found, json!({"sea": "Owner", "sun": "Admin"}));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let helper = &mut helper();
    people(helper).await;
    let group = membership(helper).await;
    profile(helper, &group).await;
    bans(helper, &group).await;
    speech(helper, &group).await;
    println!("{}", json!({"step": "group", "value": &group}));
    attributes(helper, &group).await;
    live(helper).await;
    migration(helper).await;
    let nowhere = groups::destroy_group::DestroyGroupRequest::new("nowhere");
    let nowhere = ask!("no group", groups::destroy_group::api_destroy_group(helper, nowhere));
    assert_eq!((&nowhere["ActionStatus"], &nowhere["ErrorCode"]), (&json!("FAIL"), &json!(10015)));
    pause("built");
    let end = groups::destroy_group::DestroyGroupRequest::new(&group);
    does!("destroy", groups::destroy_group::api_destroy_group(helper, end));
}
