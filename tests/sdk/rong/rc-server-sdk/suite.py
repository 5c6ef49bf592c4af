"""rc-server-sdk (PyPI): every call on users, groups and group messages that the gateway serves."""

import json
import time

from rongcloud.rongcloud import RongCloud
from reporting import equal, pause, setting, report

cloud = RongCloud(setting("RONG_APPKEY"), setting("RONG_APPSECRET"), setting("RONG_API"))
users, groups, messages = cloud.get_user(), cloud.get_group(), cloud.get_message().get_group()
gag, ban = groups.get_user().get_gag(), groups.get_user().get_ban()
whitelist = ban.get_whitelist()

DONE = {"code": 200}


def does(step, answer):
    equal(report(step, answer), DONE)


def members(group):
    return [user["id"] for user in groups.query(group)["users"]]


def people():
    for user in ("sea", "sky", "sun"):
        value = report(f"register {user}", users.register(user, f"Name of {user}", "http://pictures.example.com/1.png"))
        equal((value["code"], value["userId"]), (200, user))
        assert len(value["token"]) > 20
    does("update", users.update("sea", "The sea", "http://pictures.example.com/2.png"))
    equal(report("online", users.check_online("sea")), {"code": 200, "status": "0"})
    info = report("query a user", users.query("sea"))
    equal((info["userName"], info["userPortrait"]), ("The sea", "http://pictures.example.com/2.png"))


def membership():
    does("create", groups.create(["sea", "sky"], "water", "水 in the desert"))
    equal(members("water"), ["sea", "sky"])
    does("join", groups.join(["sun", "sky"], "water", "Water"))
    equal(report("query", groups.query("water"))["users"], [{"id": "sea"}, {"id": "sky"}, {"id": "sun"}])
    does("update the group", groups.update("water", "Water: all of it"))
    does("quit", groups.quit(["sky", "sun"], "water"))
    equal(members("water"), ["sea"])
    does("sync", groups.sync("sky", [("water", "Water: all of it"), ("fire", "Fire")]))
    equal(report("query through user", groups.get_user().query("water"))["users"], [{"id": "sea"}, {"id": "sky"}])
    joined = report("groups of a user", groups.query_user_group("sky"))
    equal(sorted((group["id"], group["name"]) for group in joined["groups"]),
          [("fire", "Fire"), ("water", "Water: all of it")])


def moderation():
    does("gag", gag.add(["sea", "sky"], "water", 60))
    equal(sorted(user["userId"] for user in report("gagged", gag.query("water"))["users"]), ["sea", "sky"])
    does("no gag", gag.remove("sea", "water"))
    equal([user["userId"] for user in gag.query("water")["users"]], ["sky"])
    does("gag everywhere", gag.add("sea", None, 0))
    equal([user["userId"] for user in report("gagged everywhere", gag.query(None))["users"]], ["sea"])
    does("gag nowhere", gag.remove("sea", None))
    equal(gag.query(None)["users"], [])

    does("ban", ban.add(["water", "fire"]))
    does("no ban", ban.remove("fire"))
    found = report("banned", ban.query(["water", "fire"]))
    equal({group["groupId"]: group["stat"] for group in found["groupinfo"]}, {"water": 1, "fire": 0})

    does("allow", whitelist.add(["sea", "sky"], "water"))
    does("disallow", whitelist.remove("sky", "water"))
    equal(report("allowed", whitelist.query("water"))["userIds"], ["sea"])


def speech():
    # this SDK puts the content in quotes of its own, and leaves everything else as it is
    content = {"content": "你好 & 100%", "extra": "a+b"}
    equal(report("send", messages.send("sea", "water", "RC:TxtMsg", content, push_content="hello"))["code"], 200)
    said = messages.send("sea", "water", "RC:TxtMsg", {"content": "no"})["messageUIDs"][0]["messageUID"]
    does("recall", messages.recall("sea", "water", said, int(time.time() * 1000)))
    direct = messages.send_direction("sea", "water", ["sky"], "RC:TxtMsg", content, is_include_sender=1)
    equal(report("send to one", direct)["code"], 200)
    equal(report("send a state", messages.send_status_message("sea", ["water"], "app:typing", content))["code"], 200)


def refusals():
    # where the status is not a success, this SDK gives the answer back unread
    refused = json.loads(groups.create(["sea", "b" * 64], "ba d", "Bad"))
    assert report("a broken group id", refused)["code"] != 200
    equal(json.loads(gag.add("sea", "nowhere" * 8, 0))["code"], 1002)


people()
membership()
moderation()
speech()
refusals()
pause("built")
does("dismiss", groups.dismiss("sky", "fire"))
equal(groups.query("fire")["users"], [])
