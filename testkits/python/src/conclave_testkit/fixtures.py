"""The fixtures of pytest: `conclave_gateway`, one for all tests, and `conclave_realm`, one for each."""

import pytest

from .gateway import start_or_join


@pytest.fixture(scope="session")
def conclave_gateway():
    """The gateway of this run: the one at CONCLAVE_CONTROL if that is set, one that is started if not."""
    with start_or_join() as gateway:
        yield gateway


@pytest.fixture
def conclave_realm_options():
    """What realms are created with, as keywords of `Gateway.create_realm`: override it in a module or a class."""
    return {}


@pytest.fixture
def conclave_realm(conclave_gateway, conclave_realm_options):
    """A realm for one test: with accounts, groups and credentials of its own, deleted afterwards."""
    with conclave_gateway.new_realm(**conclave_realm_options) as realm:
        yield realm
