"""The running desk as a fixture for every test of this folder; what it is lives in tests/pages/desk_room.py."""

from tests.pages.desk_room import room

__all__ = ["room"]
