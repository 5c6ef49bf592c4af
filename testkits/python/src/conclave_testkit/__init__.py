"""A Conclave gateway for tests: started or joined, with a realm for each test."""

from .control import ControlError
from .gateway import Gateway, join, start, start_or_join
from .realm import Fault, Realm

__all__ = ["ControlError", "Fault", "Gateway", "Realm", "join", "start", "start_or_join"]
