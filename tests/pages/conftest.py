"""The running desk and the one Chromium as fixtures for every test of this folder: desk_room.py and chromium.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.pages.chromium import launched
from tests.pages.desk_room import room

__all__ = ["browser", "room"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as found:
        yield found
