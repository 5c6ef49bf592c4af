"""rongcloud 2.0.1 (PyPI): what is newer than this SDK, by the call that all its other calls are made of.

`call_api` takes the path and the fields of any endpoint; it is how an app of this SDK reaches hosted groups, push
aliases and the expiry of tokens.
"""

import json
import time
import warnings

from rongcloud import RongCloud
from rongcloud.base import RongCloudBase
from reporting import equal, pause, setting, report

# the only place where this SDK takes a host
RongCloudBase.api_host = setting("RONG_API")
warnings.simplefilter("ignore")

cloud = RongCloud(setting("RONG_APPKEY"), setting("RONG_APPSECRET"))
DONE = {"code": 200}


def ask(path, **fields):
    """The answer to a call that succeeds."""
    response = cloud.Group.call_api(action=f"/{path}.json", params=fields)
    assert response.ok, f"{path}: {response.text}"
    return response.json()


def does(step, path, **fields):
    equal(report(step, ask(path, **fields)), DONE)


def refused(step, path, code, **fields):
    equal(report(step, cloud.Group.call_api(action=f"/{path}.json", params=fields).json())["code"], code)


def roles(group):
    """Everybody's role: 1 a member, 2 a manager, 3 the owner."""
    return {member["userId"]: member["role"] for member in ask("entrust/group/member/query", groupId=group)["members"]}


def profile(group):
    (found,) = ask("entrust/group/profile/query", groupIds=[group])["profiles"]
    return found


def joined(user):
    return {group["groupId"]: group for group in ask("entrust/joined/group/query", userId=user)["groups"]}


def life():
    for user in ("sea", "sky", "sun", "rain", "hail"):
        equal(cloud.User.getToken(user, f"Name of {user}", "http://pictures.example.com/1.png").get()["code"], 200)
    first = {"introduction": "all kinds of weather", "announcement": "rain & 雨",
             "portraitUrl": "http://example.com/g.png"}
    does("create", "entrust/group/create", groupId="weather", name="Wetter", owner="sea", userIds=["sky", "sun"],
         groupProfile=json.dumps(first), permissions=json.dumps({"joinPerm": 1, "removePerm": 1}))
    equal(roles("weather"), {"sea": 3, "sky": 1, "sun": 1})
    refused("create again", "entrust/group/create", 25409, groupId="weather", name="Again", owner="sea")
    changed = {"name": "Weather", "introduction": "all of it"}
    does("change", "entrust/group/profile/update", groupId="weather", groupProfile=json.dumps(changed),
         permissions=json.dumps({"joinPerm": 3}))
    found = profile("weather")
    equal((found["groupName"], found["owner"], found["memberCount"]), ("Weather", "sea", 3))
    equal(json.loads(found["groupProfile"]), {**first, "introduction": "all of it"})
    equal({key: json.loads(found["permissions"])[key] for key in ("joinPerm", "removePerm")},
          {"joinPerm": 3, "removePerm": 1})

    # a group without an owner becomes one with an owner
    equal(cloud.Group.create(["hail", "rain"], "fire", "Fire").result, DONE)
    does("take in", "entrust/group/import", groupId="fire", name="Fire & smoke", owner="hail")
    equal(roles("fire"), {"hail": 3, "rain": 1})
    equal(profile("fire")["groupName"], "Fire & smoke")
    listed = report("all groups", ask("entrust/group/query", size=10, order=0))["groups"]
    equal([(group["groupId"], group["owner"]) for group in listed], [("weather", "sea"), ("fire", "hail")])


def members():
    into = report("join", ask("entrust/group/join", groupId="weather", userIds=["rain", "hail"]))
    equal((into["name"], into["memberCount"]), ("Weather", 5))
    does("quit", "entrust/group/quit", groupId="weather", userIds=["sun"])
    does("kick", "entrust/group/member/kick", groupId="weather", userIds=["hail"])
    equal(roles("weather"), {"sea": 3, "sky": 1, "rain": 1})
    refused("the owner quits", "entrust/group/quit", 25417, groupId="weather", userIds=["sea"])

    does("name a member", "entrust/group/member/set", groupId="weather", userId="sky", nickname="Sky above", extra="blue")
    named = report("some members", ask("entrust/group/member/specific/query", groupId="weather", userIds=["sky", "hail"]))
    equal([(one["userId"], one["nickname"], one["extra"]) for one in named["members"]], [("sky", "Sky above", "blue")])
    page = ask("entrust/group/member/query", groupId="weather", size=2, order=0)
    rest = ask("entrust/group/member/query", groupId="weather", size=2, order=0, pageToken=page["pageToken"])
    equal([[one["userId"] for one in part["members"]] for part in (page, rest)], [["sea", "sky"], ["rain"]])
    equal((page["totalCount"], rest.get("pageToken", "")), (3, ""))

    equal(ask("entrust/group/join", groupId="fire", userIds=["sun"])["memberCount"], 3)
    equal(joined("rain").keys(), {"weather", "fire"})
    does("kick out of all", "entrust/group/member/kick/all", userId="rain")
    equal(joined("rain"), {})
    equal(roles("fire"), {"hail": 3, "sun": 1})


def managers():
    added = report("appoint", ask("entrust/group/manager/add", groupId="weather", userIds=["sky", "hail"]))
    equal((added["code"], added["userIds"]), (200, ["hail"]))
    equal(roles("weather"), {"sea": 3, "sky": 2})
    equal(joined("sky")["weather"]["role"], 2)
    does("hand over", "entrust/group/transfer/owner", groupId="weather", newOwner="sky")
    equal(roles("weather"), {"sea": 1, "sky": 3})
    does("hand back", "entrust/group/transfer/owner", groupId="weather", newOwner="sea")
    ask("entrust/group/join", groupId="weather", userIds=["sun", "rain"])
    does("appoint more", "entrust/group/manager/add", groupId="weather", userIds=["sky", "rain"])
    does("dismiss a manager", "entrust/group/manager/remove", groupId="weather", userIds=["rain"])
    equal(roles("weather"), {"sea": 3, "sky": 2, "sun": 1, "rain": 1})
    refused("appoint the owner", "entrust/group/manager/add", 25425, groupId="weather", userIds=["sea"])


def views():
    """What a user keeps of a group for themselves."""
    mine = {"groupId": "weather", "userId": "sky"}
    does("follow", "entrust/group/member/follow", **mine, followUserIds=["sea", "sun"])
    does("follow less", "entrust/group/member/unfollow", **mine, followUserIds=["sun"])
    followed = report("followed", ask("entrust/group/member/followed/get", **mine))
    equal([one["userId"] for one in followed["members"]], ["sea"])
    does("alias", "entrust/group/remarkname/set", **mine, remarkName="Happy & 快乐")
    equal(report("the alias", ask("entrust/group/remarkname/query", **mine))["remarkName"], "Happy & 快乐")
    equal(joined("sky")["weather"]["remarkName"], "Happy & 快乐")
    does("no alias", "entrust/group/remarkname/delete", **mine)
    equal(ask("entrust/group/remarkname/query", **mine).get("remarkName", ""), "")

    does("push alias", "group/remarks/set", **mine, remark="备注 & more")
    equal(report("the push alias", ask("group/remarks/get", **mine))["remark"], "备注 & more")
    does("no push alias", "group/remarks/del", **mine)
    equal(ask("group/remarks/get", **mine).get("remark", ""), "")


def tokens():
    report("old token", cloud.User.getToken("sea", "Sea", "").get()["token"])
    time.sleep(0.01)
    does("expire", "user/token/expire", userId="sea", time=int(time.time() * 1000))
    time.sleep(0.01)
    report("new token", cloud.User.getToken("sea", "Sea", "").get()["token"])


life()
members()
managers()
views()
tokens()
pause("built")
does("end", "entrust/group/dismiss", groupId="fire")
equal(joined("hail"), {})
