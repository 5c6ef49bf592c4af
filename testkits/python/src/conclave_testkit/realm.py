"""A realm: its credentials, data, clock, faults and journal."""

import datetime
import pathlib

from .control import given, path
from .vendors import Agora, Rong, Tencent


class Realm:
    """A realm of a gateway.

    `settings` has everything that clients are configured with, under the names that `conclave env` prints. `agora`, `tencent` and
    `rong` are None where the realm has no app at the vendor.
    """

    def __init__(self, control, view):
        self.control = control
        self.name = view["name"]
        self.vendors = view["vendors"]
        self.settings = view.get("settings") or {}
        self.agora = Agora(self) if "agora" in self.vendors and self.settings else None
        self.tencent = Tencent(self) if "tencent" in self.vendors and self.settings else None
        self.rong = Rong(self) if "rong" in self.vendors and self.settings else None
        self.clock = Clock(self)
        self.faults = Faults(self)
        self.journal = Journal(self)
        self.snapshots = Snapshots(self)
        self.sessions = Sessions(self)

    def call(self, method, parts, body=None):
        """Calls the control API below this realm."""
        return self.control.call(method, path("realms", self.name, *parts), body)

    def reset(self):
        """Deletes all data; credentials stay."""
        self.call("POST", ["reset"])

    def reset_group(self, group):
        """Deletes a group as if it had never existed."""
        self.call("POST", ["groups", group, "reset"])

    def export(self):
        """All data, as JSON Lines."""
        return self.call("GET", ["export"])

    def export_to(self, file):
        """Writes all data into a file."""
        pathlib.Path(file).write_text(self.export(), encoding="utf-8")

    def seed(self, lines):
        """Replaces all data by exported ones, also by those of another realm."""
        return self.call("POST", ["seed"], lines)

    def seed_from(self, file):
        """Replaces all data by those of a file."""
        return self.seed(pathlib.Path(file).read_bytes())

    def delete(self):
        """Deletes the realm and disconnects its clients."""
        self.control.call("DELETE", path("realms", self.name))


def _time(at):
    if at is None:
        return {}
    if isinstance(at, str):
        return {"at": at}
    if isinstance(at, datetime.datetime):
        return {"at_ms": round(at.timestamp() * 1000)}
    return {"at_ms": at}


class Clock:
    """The clock of a realm. It only moves forward. Times are datetimes, milliseconds since 1970, or RFC 3339."""

    def __init__(self, realm):
        self._realm = realm

    def get(self):
        """The time, and whether and how it was changed."""
        return self._realm.call("GET", ["clock"])

    def now(self):
        """The time, as a datetime."""
        return datetime.datetime.fromtimestamp(self.get()["now_ms"] / 1000, datetime.timezone.utc)

    def freeze(self, at=None):
        """Stops the clock, now or at a time."""
        return self._realm.call("POST", ["clock", "freeze"], _time(at))

    def set(self, at):
        """Moves the clock to a time."""
        return self._realm.call("POST", ["clock", "set"], _time(at))

    def advance(self, duration=None, **units):
        """Moves the clock forward: `advance(minutes=10)`, or by a timedelta. Returns when everything that is due has happened."""
        duration = duration or datetime.timedelta(**units)
        return self._realm.call("POST", ["clock", "advance"], {"by_ms": round(duration / datetime.timedelta(milliseconds=1))})

    def scale(self, pace):
        """Lets so many milliseconds pass in one."""
        return self._realm.call("POST", ["clock", "scale"], {"pace": pace})

    def resume(self):
        """Lets the clock run at its usual pace."""
        return self._realm.call("POST", ["clock", "resume"])


class Faults:
    """The fault rules of a realm."""

    def __init__(self, realm):
        self._realm = realm

    def add(self, **rule):
        """Adds a rule, with the fields of docs/control.md: `add(on="call", vendor="rong", first=1, effect={"error": "1008"})`."""
        return Fault(self._realm, self._realm.call("POST", ["faults"], rule)["id"])

    def list(self):
        """All rules, with their counts."""
        return self._realm.call("GET", ["faults"])["faults"]

    def clear(self):
        """Deletes all rules."""
        self._realm.call("DELETE", ["faults"])


class Fault:
    """One fault rule."""

    def __init__(self, realm, number):
        self._realm = realm
        self.id = number

    def _rule(self):
        for rule in Faults(self._realm).list():
            if rule["id"] == self.id:
                return rule
        raise LookupError(f"fault {self.id} was deleted")

    @property
    def matched(self):
        """How often it matched."""
        return self._rule()["matched"]

    @property
    def hits(self):
        """How often it applied."""
        return self._rule()["hits"]

    def delete(self):
        """Deletes it."""
        self._realm.call("DELETE", ["faults", str(self.id)])


class Journal:
    """What a realm was asked, and what it sent.

    Filters are keywords: kind, vendor, operation, user, group, error, and `after` for entries after a number.
    """

    def __init__(self, realm):
        self._realm = realm

    def begin(self, entries=None):
        """Begins to keep it, from the start."""
        self._realm.call("POST", ["journal"], given(entries=entries))

    def end(self):
        """Stops keeping it."""
        self._realm.call("DELETE", ["journal"])

    def query(self, **filters):
        """The entries that match, oldest first."""
        return self._realm.call("POST", ["journal", "query"], filters)["entries"]

    def mark(self):
        """The number of the last entry: with `after` only later entries match."""
        return self._realm.call("POST", ["journal", "query"], {})["last"]

    def wait(self, count=None, timeout=None, **filters):
        """Waits until so many entries match, and returns them. Five seconds at most, unless another time is given."""
        body = given(filter=filters, count=count, timeout_ms=None if timeout is None else round(timeout * 1000))
        return self._realm.call("POST", ["journal", "wait"], body)["entries"]

    def pushed(self, user, **more):
        """Waits until a user has been sent an event."""
        return self.wait(kind="push", user=user, **more)

    def requested(self, operation, **more):
        """Waits until an operation has been requested over HTTP."""
        return self.wait(kind="request", operation=operation, **more)

    def called(self, operation, **more):
        """Waits until an operation has been called over a client protocol."""
        return self.wait(kind="call", operation=operation, **more)

    def notified(self, **more):
        """Waits until the app's server has been notified."""
        return self.wait(kind="webhook", **more)


class Snapshots:
    """The snapshots of a realm's data."""

    def __init__(self, realm):
        self._realm = realm

    def take(self, name, replace=None):
        """Keeps all data under a name."""
        return self._realm.call("POST", ["snapshots", name], given(replace=replace))

    def restore(self, name):
        """Makes the data what they were."""
        return self._realm.call("POST", ["snapshots", name, "restore"])

    def list(self):
        """All snapshots."""
        return self._realm.call("GET", ["snapshots"])["snapshots"]

    def delete(self, name):
        """Deletes one."""
        self._realm.call("DELETE", ["snapshots", name])


class Sessions:
    """The connected users of a realm."""

    def __init__(self, realm):
        self._realm = realm

    def list(self):
        """All sessions."""
        return self._realm.call("GET", ["sessions"])["sessions"]

    def disconnect(self, user=None, vendor=None, session=None, reason=None):
        """Ends those of a user, a vendor, or one; returns how many."""
        which = given(user=user, vendor=vendor, session=session, reason=reason)
        return self._realm.call("POST", ["sessions", "disconnect"], which)["disconnected"]
