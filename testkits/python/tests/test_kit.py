"""The kit against a gateway of its own: CONCLAVE_BINARY names the binary."""

import datetime
import signal
import socket
import subprocess
import sys

import pytest

from conclave_testkit import ControlError, join, start, start_or_join

UTC = datetime.timezone.utc


@pytest.fixture
def create(conclave_realm):
    """Creates a group through RongCloud's API."""
    return lambda group: conclave_realm.rong.call("/group/create.json", {"userId": "ann", "groupId": group, "groupName": group})


def members(realm, group):
    return [user["id"] for user in realm.rong.call("/group/user/query.json", {"groupId": group})["users"]]


def refused(code, call, *args, **options):
    with pytest.raises(ControlError) as caught:
        call(*args, **options)
    assert caught.value.code == code
    assert caught.value.message in str(caught.value)
    return caught.value


def test_a_realm_belongs_to_one_test(conclave_gateway):
    with conclave_gateway.new_realm(limits={"groups_per_user": 1}) as realm:
        assert realm.vendors == ["agora", "tencent", "rong"]
        assert conclave_gateway.realm(realm.name).settings == realm.settings
    error = refused("no_such_realm", conclave_gateway.realm, realm.name)
    assert error.status == 404 and realm.name in error.message
    with pytest.raises(ZeroDivisionError), conclave_gateway.new_realm(name="mine"):
        1 / 0
    refused("no_such_realm", conclave_gateway.realm, "mine")
    with conclave_gateway.new_realm(vendors=["rong"], journal=False) as realm:
        assert (realm.agora, realm.tencent) == (None, None)
        refused("no_journal", realm.journal.query)
    assert "nobody" in refused("bad_request", conclave_gateway.create_realm, vendors=["nobody"]).message


class TestWithOptions:
    @pytest.fixture
    def conclave_realm_options(self):
        return {"vendors": ["tencent"]}

    def test_realms_have_the_options_of_their_class(self, conclave_realm):
        assert conclave_realm.vendors == ["tencent"]


def test_the_credentials_of_each_vendor_are_accepted(conclave_realm):
    agora, tencent, rong = conclave_realm.agora, conclave_realm.tencent, conclave_realm.rong
    assert rong.user_token("ann")
    agora.register_user("ben")
    assert agora.user_token("cat") and agora.user_token("ben")
    group = {"Owner_Account": "ann", "Type": "Public", "GroupId": "g", "Name": "G", "MemberList": [{"Member_Account": "ben"}]}
    assert tencent.call("v4/group_open_http_svc/create_group", group)["ErrorCode"] == 0
    assert members(conclave_realm, "g") == ["ann", "ben"]
    # valid by the realm's clock, which is years ahead
    conclave_realm.clock.advance(days=1000)
    info = tencent.call("v4/group_open_http_svc/get_group_info", {"GroupIdList": ["g"]})
    assert info["GroupInfo"][0]["Name"] == "G"


def test_data_can_be_reset_restored_exported_and_seeded(conclave_realm, conclave_gateway, create, tmp_path):
    snapshots = conclave_realm.snapshots
    create("a")
    assert snapshots.take("one group")["name"] == "one group"
    refused("snapshot_exists", snapshots.take, "one group")
    snapshots.take("one group", replace=True)
    create("b")
    conclave_realm.reset_group("a")
    refused("no_such_group", conclave_realm.reset_group, "a")
    snapshots.restore("one group")
    assert members(conclave_realm, "a") == ["ann"]
    assert [snapshot["name"] for snapshot in snapshots.list()] == ["one group"]
    snapshots.delete("one group")
    file = tmp_path / "realm.jsonl"
    conclave_realm.export_to(file)
    with conclave_gateway.new_realm() as other:
        other.seed_from(file)
        assert members(other, "a") == ["ann"]
        assert other.export() == conclave_realm.export()
    conclave_realm.reset()
    assert conclave_realm.export().strip() == '{"version":1}'
    refused("bad_seed", conclave_realm.seed, "nonsense")


def test_the_clock_moves_as_a_test_says(conclave_realm):
    clock = conclave_realm.clock
    assert not clock.get()["controlled"]
    noon = datetime.datetime(2040, 1, 31, 12, tzinfo=UTC)
    frozen = clock.freeze("2040-01-31T12:00:00Z")
    assert frozen["frozen"] and clock.now() == noon
    clock.advance(hours=1, seconds=1)
    assert clock.now() == noon + datetime.timedelta(hours=1, seconds=1)
    clock.advance(datetime.timedelta(days=1))
    clock.set(datetime.datetime(2041, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime.datetime(2041, 1, 1, tzinfo=UTC)
    refused("clock_backwards", clock.set, 0)
    assert clock.scale(60)["pace"] == 60
    assert not clock.resume()["frozen"]


def test_faults_count_and_the_journal_is_waited_for(conclave_realm, conclave_gateway, create):
    journal, faults = conclave_realm.journal, conclave_realm.faults
    fault = faults.add(on="call", vendor="rong", operation="group/create", first=1, effect={"error": "1008"})
    with pytest.raises(RuntimeError, match="1008"):
        create("g")
    mark = journal.mark()
    create("g")
    [entry] = journal.requested("group/create", after=mark)
    assert (entry["vendor"], entry["status"]) == ("rong", 200)
    assert (fault.matched, fault.hits) == (2, 1)
    fault.delete()
    refused("no_such_fault", fault.delete)
    with pytest.raises(LookupError):
        fault.hits
    faults.clear()
    assert faults.list() == []
    assert [entry["status"] for entry in journal.query(error="1008")] == [429]
    assert "0 of 1" in refused("timed_out", journal.pushed, "ann", timeout=0.02).message
    refused("no_such_operation", faults.add, on="call", vendor="rong", operation="nothing", effect={"drop": True})
    assert any(error["code"] == "1008" for error in conclave_gateway.errors("rong"))
    assert conclave_realm.sessions.list() == []
    assert conclave_realm.sessions.disconnect(user="ann") == 0


def test_a_gateway_that_runs_already_is_joined_and_not_stopped(conclave_gateway, monkeypatch):
    monkeypatch.setenv("CONCLAVE_CONTROL", conclave_gateway.url)
    with start_or_join() as joined:
        assert joined.url == conclave_gateway.url
    assert join(conclave_gateway.url.removeprefix("http://")).realms()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match=f"control API at http://127.0.0.1:{port} does not answer"):
        join(f"127.0.0.1:{port}")


def test_a_start_that_fails_says_why():
    with pytest.raises(FileNotFoundError, match="set CONCLAVE_BINARY"):
        start("/nowhere/conclave")
    with pytest.raises(RuntimeError, match="--nonsense"):
        start(args=["--nonsense"])


def test_the_gateway_ends_with_the_process_that_started_it_however_that_ends():
    script = "import conclave_testkit, time; print(conclave_testkit.start().url, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        url = child.stdout.readline().strip()
        assert join(url).realms()
        child.send_signal(signal.SIGKILL)
    # until nothing answers: the limit of the run ends this
    while True:
        try:
            join(url)
        except ConnectionError:
            break
