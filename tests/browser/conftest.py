"""One household and one Chromium for all tests of this folder; what they are lives in household.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.household import CHROMIUM, WITHOUT, Household, chromium, household


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    if not CHROMIUM.exists():
        pytest.skip(WITHOUT)
    with household(tmp_path_factory.mktemp("household")) as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found
