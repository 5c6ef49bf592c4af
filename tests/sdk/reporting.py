"""Shared by the Python scripts: they print a line of JSON for each step, and can wait for the test."""

import json
import os
import sys


def report(step, value):
    """Prints the result of a step, and returns it."""
    print(json.dumps({"step": step, "value": value}), flush=True)
    return value


def pause(point):
    """Waits until the test has checked the state so far."""
    print(json.dumps({"pause": point}), flush=True)
    if not sys.stdin.readline():
        raise SystemExit(f"the test ended at {point}")


def setting(key):
    """A setting the gateway prints for its clients."""
    return os.environ[key]


def equal(found, wanted):
    """Asserts, and shows both when they differ."""
    assert found == wanted, f"\nfound  {found!r}\nwanted {wanted!r}"
