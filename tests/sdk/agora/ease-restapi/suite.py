"""ease-restapi (PyPI): every call on tokens, users, groups and messages that the gateway serves."""

import json

from ease_restapi import config, service
from reporting import equal, pause, setting, report

config.HOST_SERVER = setting("AGORA_API_URL")
config.APP_ORG, config.APP_NAME = setting("AGORA_APPKEY").split("#")

auth = service.AppClientAuth(setting("AGORA_CLIENT_ID"), setting("AGORA_CLIENT_SECRET"))


def does(step, answer):
    """Reports a successful response, and returns its body."""
    success, body = answer
    assert success, f"{step}: {body}"
    return report(step, body)


def refused(step, answer):
    success, body = answer
    assert not success, f"{step}: {body}"
    return report(step, json.loads(body))


def roles(group):
    success, body = service.pickup_group_users(auth, group)
    assert success, body
    return sorted((role, user) for member in body["data"] for role, user in member.items())


def people():
    opened = does("open registration", service.create_user_open("Sea", "secret"))
    equal(opened["entities"][0]["username"], "sea")
    does("register", service.create_user_credit(auth, "sky", "secret"))
    many = does("register many", service.create_users(auth, [
        {"username": "sun", "password": "1"}, {"username": "rain", "password": "2"},
        {"username": "hail", "password": "3"}, {"username": "fog", "password": "4"}]))
    equal([user["username"] for user in many["entities"]], ["sun", "rain", "hail", "fog"])
    equal(does("a user", service.pickup_user(auth, "sea"))["entities"][0]["username"], "sea")
    does("nickname", service.modify_nickname(auth, "sea", "The sea & more"))
    equal(service.pickup_user(auth, "sea")[1]["entities"][0]["nickname"], "The sea & more")
    does("password", service.passwd_user(auth, "sea", "secret2"))
    user = service.AppAdminAccountAuth("sea", "secret2")
    assert user.get_token()
    refused("a wrong password", service.ease_user.post(user.url, {
        "grant_type": "password", "username": "sea", "password": "secret"}))

    first = does("users", service.pickup_users(auth, limit=4))
    equal(first["count"], 4)
    rest = does("more users", service.pickup_users(auth, limit=4, cursor=first["cursor"]))
    equal((rest["count"], "cursor" in rest), (2, False))
    found = {user["username"] for page in (first, rest) for user in page["entities"]}
    equal(found, {"sea", "sky", "sun", "rain", "hail", "fog"})

    equal(does("no more fog", service.delete_user(auth, "fog"))["entities"][0]["username"], "fog")
    equal(refused("no fog", service.pickup_user(auth, "fog"))["error"], "service_resource_not_found")


def membership():
    data = service.build_group_data("Wetter", "all kinds of weather", "sea", True, False, ["sky"])
    group = does("create", service.create_group(auth, data))["data"]["groupid"]
    equal(roles(group), [("member", "sky"), ("owner", "sea")])
    does("join", service.user_join_group(auth, group, "sun"))
    does("join many", service.add_group_users(auth, group, ["rain", "hail"]))
    equal([user for _, user in roles(group)], ["hail", "rain", "sky", "sun", "sea"])
    does("kick", service.user_kick_group(auth, group, "hail"))
    changed = service.modify_group(auth, group, groupname="Weather", description="all of it", maxusers=300)
    equal(does("modify", changed)["data"], {"groupname": True, "description": True, "maxusers": True})

    other = does("create another", service.create_group(auth, service.build_group_data("Sky", "-", "sky", False)))
    other = other["data"]["groupid"]
    details = does("details", service.details_group(auth, f"{group},{other}"))["data"]
    equal([(one["id"], one["name"], one["description"], one["public"]) for one in details],
          [(group, "Weather", "all of it", True), (other, "Sky", "-", False)])
    equal(details[0]["maxusers"], 300)
    equal({one["groupid"] for one in does("groups", service.pickup_groups(auth))["data"]}, {group, other})
    joined = does("groups of a user", service.pickup_user_group(auth, "sky"))["data"]
    equal({one["groupid"] for one in joined}, {group, other})
    return group, other


def speech(group):
    words = service.build_message_data("hello & 晴", [group], "chatgroups", "sea", kind="greeting")
    equal(does("say", service.send_txt_message(auth, words))["data"], {group: "success"})
    picture = service.MessageImgData("http://pictures.example.com/1.png", "1.png", "s", [group], "chatgroups", "sky")
    equal(does("show", service.send_img_message(auth, picture()))["data"], {group: "success"})


def refusals(group):
    again = refused("twice", service.user_join_group(auth, group, "sky"))
    equal(again["error"], "forbidden_op")
    equal(refused("a stranger", service.user_kick_group(auth, group, "hail"))["error"], "forbidden_op")
    gone = refused("no group", service.details_group(auth, "1"))
    equal(gone["error"], "resource_not_found")
    wrong = service.AppClientAuth(setting("AGORA_CLIENT_ID"), "wrong")
    equal(refused("no token", service.pickup_groups(wrong))["error"], "unauthorized")


people()
group, other = membership()
speech(group)
refusals(group)
report("group", group)
report("other", other)
pause("built")
deleted = does("delete", service.delete_group(auth, other))["data"]
equal((deleted["success"], deleted["groupid"]), (True, other))
chosen = service.delete_users(auth, ql="created > 1", limit=1)
equal(refused("delete users by a query", chosen)["error"], "illegal_argument")
gone = does("delete users", service.delete_users(auth, limit=1))["entities"]
equal(len(gone), 1)
refused("one user less", service.pickup_user(auth, gone[0]["username"]))
