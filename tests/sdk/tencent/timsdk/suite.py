"""timsdk (PyPI): every call on accounts and groups that the gateway serves. Its UserSigs come from tls-sig-api-v2."""

import time

from reporting import equal, pause, setting, report
from timsdk import TimClient

client = TimClient(int(setting("TENCENT_SDKAPPID")), setting("TENCENT_SECRET_KEY"), setting("TENCENT_ADMIN"))
accounts, groups = client.im_open_login_svc, client.group_open_http_svc


def does(step, answer):
    """Reports a successful response, and returns it."""
    report(step, answer)
    equal((answer["ActionStatus"], answer["ErrorCode"]), ("OK", 0))
    return answer


def refused(step, answer, code):
    report(step, answer)
    equal((answer["ActionStatus"], answer["ErrorCode"]), ("FAIL", code))


def roles(group, *users):
    answer = groups.get_role_in_group(group, list(users))
    return {user["Member_Account"]: user["Role"] for user in answer["UserIdList"]}


def info(group):
    return groups.get_group_info([group])["GroupInfo"][0]


def text(message):
    return [{"MsgType": "TIMTextElem", "MsgContent": {"Text": message}}]


def people():
    does("import", accounts.account_import("sea", nick="大海", face_url="http://pictures.example.com/1.png"))
    equal(does("import many", accounts.im_open_login_svc(["sky", "sun", "rain", "fog"]))["FailAccounts"], [])
    found = does("check", accounts.account_check(["sea", "wind"]))["ResultItem"]
    equal({item["UserID"]: item["AccountStatus"] for item in found}, {"sea": "Imported", "wind": "NotImported"})
    deleted = does("delete", accounts.account_delete(["fog"]))["ResultItem"]
    equal([(item["UserID"], item["ResultCode"]) for item in deleted], [("fog", 0)])
    equal(accounts.account_check(["fog"])["ResultItem"][0]["AccountStatus"], "NotImported")
    does("kick", accounts.kick("rain"))


def membership():
    group = does("create", groups.create_group(
        "Wetter", owner_account="sea", member_list=[{"Member_Account": "sky"}], introduction="all kinds",
        notification="rain", face_url="http://pictures.example.com/2.png", max_member_count=50,
        apply_join_option=groups.JOIN_OPTION_FREE_ACCESS))["GroupId"]
    added = does("add", groups.add_group_member(group, [{"Member_Account": "sun"}, {"Member_Account": "rain"}]))
    equal([(member["Member_Account"], member["Result"]) for member in added["MemberList"]], [("sun", 1), ("rain", 1)])
    again = groups.add_group_member(group, [{"Member_Account": "sun"}])["MemberList"]
    equal(again, [{"Member_Account": "sun", "Result": 2}])
    members = does("members", groups.get_group_member_info(group))
    equal((members["MemberNum"], [member["Member_Account"] for member in members["MemberList"]]),
          (4, ["sea", "sky", "sun", "rain"]))
    page = does("a page of members", groups.get_group_member_info(group, limit=2, offset=1, member_info_filter=["Role"]))
    equal([member["Member_Account"] for member in page["MemberList"]], ["sky", "sun"])
    does("remove", groups.delete_group_member(group, ["rain"], reason="too wet"))
    equal(roles(group, "sea", "sky", "rain"), {"sea": "Owner", "sky": "Member", "rain": "NotMember"})
    does("a role and a name", groups.modify_group_member_info(group, "sky", role=groups.ROLE_ADMIN, name_card="Sky"))
    equal(roles(group, "sky"), {"sky": "Admin"})
    does("quiet", groups.modify_group_member_info(group, "sun", msg_flag=groups.MSG_FLAG_DISCARD))
    found = {member["Member_Account"]: member for member in groups.get_group_member_info(group)["MemberList"]}
    equal((found["sky"]["NameCard"], found["sun"]["MsgFlag"]), ("Sky", "Discard"))
    does("hand over", groups.change_group_owner(group, "sun"))
    equal(roles(group, "sea", "sun"), {"sea": "Member", "sun": "Owner"})
    does("hand back", groups.change_group_owner(group, "sea"))
    joined = does("groups of a user", groups.get_joined_group_list("sky", limit=10, with_no_active_groups=1))
    equal([one["GroupId"] for one in joined["GroupIdList"]], [group])
    return group


def profile(group):
    does("modify", groups.modify_group_base_info(
        group, name="Weather", introduction="all of it", notification="sunny", face_url="http://pictures.example.com/3",
        max_member_num=60, apply_join_option=groups.JOIN_OPTION_DISABLE_APPLY, shut_up_all_member="On"))
    found = info(group)
    wanted = {"Name": "Weather", "Introduction": "all of it", "Notification": "sunny", "MaxMemberNum": 60,
              "FaceUrl": "http://pictures.example.com/3", "ApplyJoinOption": "DisableApply", "Owner_Account": "sea"}
    equal({key: found[key] for key in wanted}, wanted)
    equal(found["MuteAllMember"], "On")
    does("let speak", groups.modify_group_base_info(group, shut_up_all_member="Off"))
    some = does("some of it", groups.get_group_info([group], {"GroupBaseInfoFilter": ["Name", "MemberNum"]}))
    equal({key: some["GroupInfo"][0][key] for key in ("Name", "MemberNum")}, {"Name": "Weather", "MemberNum": 3})
    assert "Introduction" not in some["GroupInfo"][0]
    equal([one["GroupId"] for one in does("all groups", groups.get_app_id_group_list())["GroupIdList"]], [group])


def speech(group):
    first = does("send", groups.send_group_msg(group, text("hello"), from_account="sea", msg_random=1))["MsgSeq"]
    does("send more", groups.send_group_msg(group, text("wet"), msg_random=2))
    last = groups.send_group_msg(group, text("dry"), msg_random=3)["MsgSeq"]
    history = does("history", groups.group_msg_get_simple(group, 2))["RspMsgList"]
    equal([message["MsgBody"][0]["MsgContent"]["Text"] for message in history], ["dry", "wet"])
    does("notice", groups.send_group_system_notification(group, "closing soon"))
    refused("notice in no group", groups.send_group_system_notification("nowhere", "closing soon"), 10015)
    equal(groups.group_msg_get_simple(group, 2)["RspMsgList"], history)
    older = groups.group_msg_get_simple(group, 20, first)["RspMsgList"]
    equal([message["MsgSeq"] for message in older][:1], [first])
    recalled = does("recall", groups.group_msg_recall(group, [{"MsgSeq": last}]))["RecallRetList"]
    equal([(one["MsgSeq"], one["RetCode"]) for one in recalled], [(last, 0)])
    does("forget a sender", groups.delete_group_msg_by_sender(group, setting("TENCENT_ADMIN")))
    left = groups.group_msg_get_simple(group, 20)["RspMsgList"]
    equal([message for message in left if message.get("MsgBody")], [])


def mutes(group):
    does("mute", groups.forbid_send_msg(group, ["sky", "sun"], 600))
    does("unmute", groups.forbid_send_msg(group, ["sky"], 0))
    muted = does("muted", groups.get_group_shut_uin(group))
    equal([one["Member_Account"] for one in muted["ShuttedUinList"]], ["sun"])


def migration():
    since = int(time.time()) - 86400
    does("import a group", groups.import_group(
        "Imported", owner_account="sea", group_id="imported", create_time=since, introduction="from elsewhere"))
    members = [{"Member_Account": "sun", "Role": "Member", "JoinTime": since + 60, "UnreadMsgNum": 1}]
    taken = does("import members", groups.import_group_member("imported", members))["MemberList"]
    equal(taken, [{"Member_Account": "sun", "Result": 1}])
    messages = [{"From_Account": "sun", "SendTime": since + 120, "Random": 7, "MsgBody": text("long ago")}]
    taken = does("import messages", groups.import_group_msg("imported", messages))["ImportMsgResult"]
    equal([one["Result"] for one in taken], [0])
    for unread, seen in ((0, 1), (1, 0)):
        does(f"{unread} unread", groups.set_unread_msg_num("imported", "sun", unread))
        found = {member["Member_Account"]: member for member in groups.get_group_member_info("imported")["MemberList"]}
        equal(found["sun"]["MsgSeq"], seen)
    history = groups.group_msg_get_simple("imported", 5)["RspMsgList"]
    equal([message["MsgTimeStamp"] for message in history], [since + 120])


def refusals(group):
    refused("no group", groups.destroy_group("nowhere"), 10015)
    refused("no account", groups.change_group_owner(group, "wind"), 10019)
    refused("an id that is taken", groups.import_group("Again", owner_account="sky", group_id="imported"), 10021)
    stranger = TimClient(int(setting("TENCENT_SDKAPPID")), "another key", setting("TENCENT_ADMIN"))
    refused("a wrong key", stranger.group_open_http_svc.get_app_id_group_list(), 70009)


people()
group = membership()
profile(group)
speech(group)
mutes(group)
migration()
refusals(group)
report("group", group)
pause("built")
does("destroy", groups.destroy_group(group))
refused("destroy again", groups.destroy_group(group), 10010)
equal([one["GroupId"] for one in groups.get_app_id_group_list()["GroupIdList"]], ["imported"])
