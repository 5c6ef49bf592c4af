"""ease-restapi (PyPI): what is newer than this SDK, by the four functions that all its calls are made of.

`get`, `post`, `put` and `delete` take a URL, a body and the credentials, and read the answer.
"""

import json
import time

from ease_restapi import config, service
from ease_restapi.service.base import delete, get, post, put
from reporting import equal, pause, setting, report

config.HOST_SERVER = setting("AGORA_API_URL")
config.APP_ORG, config.APP_NAME = setting("AGORA_APPKEY").split("#")

APP = f"{config.HOST_SERVER}/{config.APP_ORG}/{config.APP_NAME}"
auth = service.AppClientAuth(setting("AGORA_CLIENT_ID"), setting("AGORA_CLIENT_SECRET"))


def does(step, answer):
    """Reports a successful response, and returns its data."""
    success, body = answer
    assert success, f"{step}: {body}"
    return report(step, body).get("data")


def refused(step, answer, error):
    success, body = answer
    assert not success, f"{step}: {body}"
    equal(report(step, json.loads(body))["error"], error)


def details(group):
    return service.details_group(auth, group)[1]["data"][0]


def muted():
    return sorted(one["user"] for one in get(f"{GROUP}/mute", auth)[1]["data"])


def allowed():
    return sorted(get(f"{GROUP}/white/users", auth)[1]["data"])


def attributes(user):
    return get(f"{METADATA}/user/{user}", auth)[1]["data"]


def people():
    many = [{"username": user, "password": "secret"} for user in ("sea", "sky", "sun", "rain")]
    assert service.create_users(auth, many)[0]
    does("ban a user", post(f"{APP}/users/rain/deactivate", {}, auth))
    equal(service.pickup_user(auth, "rain")[1]["entities"][0]["activated"], False)
    refused("who is banned gets no token", post(f"{APP}/token", {
        "grant_type": "password", "username": "rain", "password": "secret"}), "invalid_grant")
    does("unban a user", post(f"{APP}/users/rain/activate", {}, auth))
    equal(service.pickup_user(auth, "rain")[1]["entities"][0]["activated"], True)
    equal(does("disconnect", post(f"{APP}/users/sea/disconnect", {}, auth)), {"result": True})


def groups():
    equal(does("count", get(f"{APP}/chatgroups/count", auth)), 2)
    joined = does("join several", post(f"{APP}/users/sun/joined_chatgroups", {"id_list": [group, other]}, auth))
    equal({one["id"]: one["result"] for one in joined}, {group: True, other: True})
    equal(does("is joined", get(f"{GROUP}/user/sun/is_joined", auth)), True)
    equal(does("is not joined", get(f"{GROUP}/user/rain/is_joined", auth)), False)
    does("disable", post(f"{APP}/chatgroups/{other}/disable", {}, auth))
    equal(details(other)["disabled"], True)
    refused("nobody joins", service.user_join_group(auth, other, "rain"), "forbidden_op")
    does("enable", post(f"{APP}/chatgroups/{other}/enable", {}, auth))
    equal(details(other)["disabled"], False)


def members():
    does("attributes", put(f"{METADATA}/user/sky", {"metaData": {"nick": "Sky above", "place": "north"}}, auth))
    equal(does("a member's attributes", get(f"{METADATA}/user/sky", auth)), {"nick": "Sky above", "place": "north"})
    batch = [{"username": "sea", "metadata": {"nick": "Sea"}}, {"username": "sky", "metadata": {"place": ""}}]
    does("attributes of several", put(f"{METADATA}/users/batch", batch, auth))
    equal(attributes("sky"), {"nick": "Sky above"})
    some = does("several members' attributes", post(f"{METADATA}/get", {
        "targets": ["sea", "sky"], "properties": ["nick"]}, auth))
    equal(some, {"sea": {"nick": "Sea"}, "sky": {"nick": "Sky above"}})

    post(f"{GROUP}/mute", {"usernames": ["sky", "sun"], "mute_duration": 60000}, auth)
    equal(muted(), ["sky", "sun"])
    does("unmute all members", delete(f"{GROUP}/mute?role=member", auth))
    equal(muted(), [])
    post(f"{GROUP}/mute", {"usernames": ["sun"], "mute_duration": 60000}, auth)
    does("allow", post(f"{GROUP}/white/users/sky", {}, auth))
    assert "sky" in allowed()

    sun = service.AppAdminAccountAuth("sun", "secret")
    assert post(f"{GROUP}/shield", {}, sun)[0]
    equal(does("who shields", get(f"{GROUP}/shield", auth)), ["sun"])


def messages():
    body = {"from": "sea", "to": [group], "type": "txt", "body": {"msg": "hello & 晴"}, "ext": {"k": "v"}}
    assert does("say", post(f"{APP}/messages/chatgroups", body, auth))[group]
    assert does("say to some", post(f"{APP}/messages/chatgroups/users", {**body, "users": ["sky"]}, auth))[group]
    hour = time.strftime("%Y%m%d%H", time.gmtime(time.time() - 7200))
    refused("an hour of silence", get(f"{APP}/chatmessages/{hour}", auth), "storage_object_not_found")
    report("group", group)
    report("other", other)
    pause("said")


def presence():
    found = does("roles", get(f"{GROUP}/roles", auth))
    equal({one["username"]: (one["role"], one["online"]) for one in found},
          {"sea": ("owner", False), "sky": ("member", False), "sun": ("member", True)})
    success, counted = get(f"{APP}/presence/online/{group}/type/1", auth)
    assert success, counted
    equal(report("online", counted)["result"], 1)


people()
made = [service.create_group(auth, service.build_group_data(name, "-", "sea", True, False, ["sky"]))
        for name in ("Weather", "Other")]
group, other = [answer["data"]["groupid"] for _, answer in made]
GROUP = f"{APP}/chatgroups/{group}"
METADATA = f"{APP}/metadata/chatgroup/{group}"
groups()
members()
messages()
presence()
