"""A gateway: a process of its own that ends with the test process, or one that runs already."""

import collections
import contextlib
import os
import queue
import re
import subprocess
import sysconfig
import threading
import time

from .control import Control, given, path
from .realm import Realm

CONTROL = "127.0.0.1:9091"
# seconds
START, STOP = 30, 10
# lines of the log that are kept for error messages
LOG_LINES = 200


def start(binary=None, args=(), env=None, timeout=START):
    """Starts a gateway on free ports with its data in memory. It ends with `stop()`, and with this process.

    The binary is that of CONCLAVE_BINARY, of the package conclave-gateway, or conclave on the PATH, unless another one is given.
    """
    command = binary or os.environ.get("CONCLAVE_BINARY") or _packaged() or "conclave"
    own = {key: value for key, value in os.environ.items() if not key.startswith("CONCLAVE_")}
    options = ["--memory", "--listen", "127.0.0.1:0", "--admin", "off", "--control", "127.0.0.1:0", "--until-stdin-closes"]
    try:
        process = subprocess.Popen(
            [command, *options, *args], env={**own, **(env or {})}, text=True, encoding="utf-8", errors="replace",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError as error:
        hint = "set CONCLAVE_BINARY to the conclave binary, or add its folder to PATH"
        raise FileNotFoundError(f"{command} did not start: {error.strerror}; {hint}") from error
    log = collections.deque(maxlen=LOG_LINES)
    printed = queue.Queue()
    # both are read to their ends, so that the gateway never waits for a reader
    errors = threading.Thread(target=log.extend, args=(process.stderr,), daemon=True)
    errors.start()
    threading.Thread(target=_read, args=(process.stdout, printed), daemon=True).start()
    url, until = None, time.monotonic() + timeout
    while True:
        try:
            line = printed.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            why = f"it printed no control address within {timeout} seconds"
            break
        if line is None:
            why = f"it ended with {process.wait()}"
            break
        if found := re.match(r" +control +(http://\S+)/v1/realms$", line):
            url = found[1]
        if url and line.startswith("  data"):
            return Gateway(Control(url), process, log)
    process.kill()
    process.wait()
    errors.join(STOP)
    raise RuntimeError(f"{command} did not start: {why}\n{''.join(log)}")


def _packaged():
    """The binary of the package conclave-gateway, where that is installed in this environment."""
    command = os.path.join(sysconfig.get_path("scripts"), "conclave")
    return command if os.path.exists(command) else None


def _read(stream, lines):
    for line in stream:
        lines.put(line)
    lines.put(None)


def join(control=None, token=None):
    """Joins a gateway that runs already, at CONCLAVE_CONTROL or 127.0.0.1:9091 unless another address is given."""
    url = control or os.environ.get("CONCLAVE_CONTROL") or CONTROL
    gateway = Gateway(Control(url, token or os.environ.get("CONCLAVE_CONTROL_TOKEN")))
    gateway.realms()
    return gateway


def start_or_join(**options):
    """Joins the gateway at CONCLAVE_CONTROL if that is set; starts one if not."""
    return join() if os.environ.get("CONCLAVE_CONTROL") else start(**options)


class Gateway:
    """A gateway with a control API."""

    def __init__(self, control, process=None, log=()):
        self.control = control
        self._process = process
        self._log = log

    @property
    def url(self):
        """The address of its control API."""
        return self.control.url

    @property
    def log(self):
        """The last lines that a gateway which was started here has logged."""
        return list(self._log)

    def create_realm(self, name=None, vendors=None, sections=None, limits=None, journal=True):
        """Creates a realm with accounts, groups and credentials of its own. Its journal is kept unless `journal` is false."""
        body = given(name=name, vendors=vendors, sections=sections, limits=limits)
        realm = Realm(self.control, self.control.call("POST", path("realms"), body))
        if journal:
            realm.journal.begin()
        return realm

    @contextlib.contextmanager
    def new_realm(self, **options):
        """A realm that is deleted at the end of a with block."""
        realm = self.create_realm(**options)
        try:
            yield realm
        finally:
            realm.delete()

    def realm(self, name):
        """A realm that exists."""
        return Realm(self.control, self.control.call("GET", path("realms", name)))

    def realms(self):
        """All realms."""
        return [Realm(self.control, realm) for realm in self.control.call("GET", path("realms"))["realms"]]

    def errors(self, vendor):
        """The errors of a vendor that faults can answer with."""
        return self.control.call("GET", path("vendors", vendor, "errors"))["errors"]

    def stop(self):
        """Stops the gateway if it was started here; one that was joined keeps running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdin.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
