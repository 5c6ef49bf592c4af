"""What the scripts for Python share: they report a line of JSON for each step, and can wait to be met."""

import json
import os
import sys


def report(step, value):
    """Reports what a step came to, and gives it back."""
    print(json.dumps({"step": step, "value": value}), flush=True)
    return value


def pause(point):
    """Waits until whoever runs the script has looked around."""
    print(json.dumps({"pause": point}), flush=True)
    if not sys.stdin.readline():
        raise SystemExit(f"nobody met the script at {point}")


def setting(key):
    """A setting the gateway prints for its clients."""
    return os.environ[key]


def equal(found, wanted):
    """Asserts, and shows both when they differ."""
    assert found == wanted, f"\nfound  {found!r}\nwanted {wanted!r}"
