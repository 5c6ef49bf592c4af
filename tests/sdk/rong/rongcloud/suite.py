"""rongcloud 2.0.1 (PyPI): every call on users, groups and group messages that the gateway serves."""

import json
import warnings

from rongcloud import RongCloud
from rongcloud.base import RongCloudBase
from reporting import equal, pause, setting, report

# the only place where this SDK takes a host
RongCloudBase.api_host = setting("RONG_API")
warnings.simplefilter("ignore")

cloud = RongCloud(setting("RONG_APPKEY"), setting("RONG_APPSECRET"))
users, groups, messages = cloud.User, cloud.Group, cloud.Message


def does(step, answer):
    assert answer.ok
    equal(report(step, answer.result), {"code": 200})


def members(group):
    return [user["id"] for user in groups.queryUser(group).result["users"]]


for user in ("sea", "sky", "sun"):
    value = report(f"token of {user}", users.getToken(user, f"Name of {user}", "http://pictures.example.com/1.png").get())
    equal((value["code"], value["userId"]), (200, user))
does("refresh", users.refresh("sea", "The sea & more", "http://pictures.example.com/2.png"))

does("create", groups.create(["sea", "sky"], "water", "水 + Wasser"))
equal(members("water"), ["sea", "sky"])
does("join", groups.join(["sun"], "water", "Water"))
does("quit", groups.quit("sky", "water"))
does("sync", groups.sync("sky", [("fire", "Fire"), ("water", "Water")]))
does("rename", groups.refresh("water", "Water & 100%"))
equal(report("members", groups.queryUser("water").get())["users"], [{"id": "sea"}, {"id": "sun"}, {"id": "sky"}])

does("gag", groups.addGagUser("sun", "water", "1"))
gagged = report("gagged", groups.lisGagUser("water").get())
equal([user["userId"] for user in gagged["users"]], ["sun"])
does("no gag", groups.rollBackGagUser(["sun"], "water"))
equal(groups.lisGagUser("water").get()["users"], [])

content = json.dumps({"content": "hello, 水 & co", "extra": "more"})
sent = messages.publishGroup("sea", ["water", "fire"], "RC:TxtMsg", content, "pushed", '{"pushData":"hello"}', "1", "1", "0")
equal(report("send", sent.get())["code"], 200)

refused = groups.addGagUser("sun", "water", "43201")
equal((refused.ok, report("a gag that is too long", refused.get())["code"]), (False, 1002))

pause("built")
does("dismiss", groups.dismiss("sea", "fire"))
