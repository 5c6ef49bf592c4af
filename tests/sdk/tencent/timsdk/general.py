"""timsdk (PyPI): what this SDK has no call of its own for, by the client that all its calls are made of.

`get_client().post` takes the path and the body of any command, adds the app, the administrator and the signature, and
reads the answer.
"""

from reporting import equal, pause, setting, report
from timsdk import TimClient

client = TimClient(int(setting("TENCENT_SDKAPPID")), setting("TENCENT_SECRET_KEY"), setting("TENCENT_ADMIN"))
accounts, groups = client.im_open_login_svc, client.group_open_http_svc


def ask(command, **body):
    return groups.get_client().post(command, data=body)


def does(step, command, **body):
    """Reports a successful response, and returns it."""
    answer = report(step, ask(command, **body))
    equal((answer["ActionStatus"], answer["ErrorCode"]), ("OK", 0))
    return answer


def refused(step, code, command, **body):
    answer = report(step, ask(command, **body))
    equal((answer["ActionStatus"], answer["ErrorCode"]), ("FAIL", code))


def attributes(group):
    answer = ask("group_open_attr_http_svc/get_group_attr", GroupId=group)
    return {pair["key"]: pair["value"] for pair in answer["GroupAttrAry"]}


accounts.im_open_login_svc(["sea", "sky", "sun"])
group = groups.create_group("Weather", owner_account="sea", member_list=[{"Member_Account": "sky"}])["GroupId"]
groups.modify_group_member_info(group, "sky", role=groups.ROLE_ADMIN, name_card="Sky above")
named = does("some members", "group_open_http_svc/get_specified_group_member_info", GroupId=group,
             Member_List_Account=["sky", "sun", "sea"], MemberInfoFilter=["Role", "NameCard"])["MemberList"]
equal(named, [{"Member_Account": "sky", "Role": "Admin", "NameCard": "Sky above"},
              {"Member_Account": "sea", "Role": "Owner", "NameCard": ""}])

pairs = [{"key": key, "value": f"the {key}"} for key in ("wind", "sky", "rain")]
does("set attributes", "group_open_http_svc/set_group_attr", GroupId=group, GroupAttr=pairs)
equal(attributes(group), {"wind": "the wind", "sky": "the sky", "rain": "the rain"})
does("delete attributes", "group_open_http_svc/delete_group_attr", GroupId=group,
     GroupAttr=[{"key": "wind"}, {"key": "rain"}])
does("attributes", "group_open_attr_http_svc/get_group_attr", GroupId=group)
equal(attributes(group), {"sky": "the sky"})
refused("delete what is not there", 10050, "group_open_http_svc/delete_group_attr", GroupId=group,
        GroupAttr=[{"key": "snow"}])
equal(attributes(group), {"sky": "the sky"})

text = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "read this and vote"}}]
said = ask("group_open_http_svc/send_group_msg", GroupId=group, From_Account="sea", Random=1, MsgBody=text,
           NeedReadReceipt=1, SupportMessageExtension=1)["MsgSeq"]
does("read", "group_open_http_svc/group_msg_receipt", GroupId=group, From_Account="sky", MsgSeqList=[{"MsgSeq": said}])
counts = does("receipts", "group_open_http_svc/get_group_msg_receipt", GroupId=group, MsgSeqList=[{"MsgSeq": said}])
equal(counts["GroupMsgReceiptList"], [{"MsgSeq": said, "Code": 0, "ReadNum": 1, "UnreadNum": 0}])
readers = does("readers", "group_open_http_svc/get_group_msg_receipt_detail", GroupId=group, MsgSeq=said, Filter=0,
               Cursor="", Count=10)
equal((readers["ReadList"], readers["IsFinished"]), ([{"Read_Account": "sky"}], 1))
refused("read by a stranger", 10007, "group_open_http_svc/group_msg_receipt", GroupId=group, From_Account="sun",
        MsgSeqList=[{"MsgSeq": said}])

votes = [{"Key": "sky", "Value": "yes", "Seq": 0}]
written = does("vote", "openim_msg_ext_http_svc/group_set_key_values", GroupId=group, MsgSeq=said, OperateType=1,
               ExtensionList=votes)
equal(written["ExtensionList"], [{"ErrorCode": 0, "Extension": {"Key": "sky", "Value": "yes", "Seq": 1}}])
again = does("vote too late", "openim_msg_ext_http_svc/group_set_key_values", GroupId=group, MsgSeq=said,
             OperateType=1, ExtensionList=[{"Key": "sky", "Value": "no", "Seq": 0}])
equal(again["ExtensionList"][0]["ErrorCode"], 23001)
found = does("votes", "openim_msg_ext_http_svc/group_get_key_values", GroupId=group, MsgSeq=said)
equal((found["ExtensionList"], found["LatestSeq"]), ([{"Key": "sky", "Value": "yes", "Seq": 1}], 1))

home = does("community", "group_open_http_svc/create_group", Type="Community", Name="Sky", Owner_Account="sea",
            SupportTopic=1)["GroupId"]
million = "million_group_open_http_svc"
news = does("topic", f"{million}/create_topic", GroupId=home, TopicName="News")["TopicId"]
old = does("old topic", "group_open_http_svc/import_topic", GroupId=home, TopicName="Old", Type="Community")["TopicId"]
does("rename", f"{million}/modify_topic", GroupId=home, TopicId=news, TopicName="Latest", MuteAllMember="On")
sent = does("speak in it", "group_open_http_svc/send_group_msg", GroupId=home, TopicId=news, Random=2, MsgBody=text)
equal(sent["MsgSeq"], 1)
ended = does("end one", f"{million}/destroy_topic", GroupId=home, TopicIdList=[old])["DestroyResultItem"]
equal([(one["TopicId"], one["ErrorCode"]) for one in ended], [(old, 0)])
left = does("topics", f"{million}/get_topic", GroupId=home)["TopicAndSelfInfo"]
wanted = {"TopicId": news, "TopicName": "Latest", "NextMsgSeq": 2, "ShutUpAllFlag": 1}
equal([{key: one["TopicInfo"][key] for key in wanted} for one in left], [wanted])
refused("speak in what has ended", 110003, "group_open_http_svc/send_group_msg", GroupId=home, TopicId=old, Random=3,
        MsgBody=text)

live = report("live", groups.create_group("Live", owner_account="sea", group_type="AVChatRoom")["GroupId"])
before = ask("group_open_avchatroom_http_svc/check_members", GroupId=live, Member_Account=["sun", "sky"])
equal(before["Member_Account"], [])
pause("alone")
room = "group_open_avchatroom_http_svc"
does("mark", f"{room}/modify_user_info", GroupId=live, CommandType=1,
     MemberList=[{"Member_Account": user, "Marks": [1000]} for user in ("sun", "sky")])
present = does("present", f"{room}/check_members", GroupId=live, Member_Account=["sun", "sky"])
equal(present["Member_Account"], ["sun"])
online = does("online", "openim/query_online_status", To_Account=["sun", "sky"])["QueryResult"]
equal({user["To_Account"]: user["Status"] for user in online}, {"sun": "Online", "sky": "Offline"})
counted = does("how many", "group_open_http_svc/get_online_member_num", GroupId=live)
equal(counted["OnlineMemberNum"], 1)
for step, mark in (("everybody", {}), ("marked", {"Mark": 1000})):
    page = does(step, f"{room}/get_members", GroupId=live, Timestamp=0, **mark)
    equal([one["Member_Account"] for one in page["MemberList"]], ["sun"])
    equal(page["NextTimestamp"], 0)
refused("no such mark", 10004, f"{room}/modify_user_info", GroupId=live, CommandType=1,
        MemberList=[{"Member_Account": "sun", "Marks": [7]}])

does("helpers", f"{room}/modify_admin", GroupId=live, CommandType=1, Admin_Account=["sun", "sky"])
pause("helped")
does("one helper less", f"{room}/modify_admin", GroupId=live, CommandType=2, Admin_Account=["sky"])
helpers = does("who helps", f"{room}/get_admin_list", GroupId=live)["Admin_List"]
equal([one["Admin_Account"] for one in helpers], ["sun"])
refused("too many helpers", 10005, f"{room}/modify_admin", GroupId=live, CommandType=1, Admin_Account=["sea"] * 6)
