"""What holds for every test: no property is judged by the clock, for a busy machine is not a wrong product."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Folder -> its files in the order in which they are handed out to processes; what is not named comes last. The longest
# come first, the shortest fill the gaps. Of the browser's the first needs a city in which nobody has done anything yet,
# and the views follow the road, which leaves them one that has been lived in.
ORDER: Mapping[str, Sequence[str]] = {
    "browser": (
        "test_demonstration_went_out", "test_mission", "test_road", "test_quarter", "test_views", "test_writing",
    ),
    "crash": ("test_publishing_chaos", "test_household", "test_dead_man", "test_household_refusals"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of such a folder into its order, and leave all others where they are."""
    for folder in ORDER:
        places = [place for place, item in enumerate(items) if item.path.parent.name == folder]
        for place, item in zip(places, sorted((items[place] for place in places), key=_turn), strict=True):
            items[place] = item


def _turn(item: pytest.Item) -> int:
    order = ORDER[item.path.parent.name]
    return order.index(item.path.stem) if item.path.stem in order else len(order)


def pytest_collection_finish() -> None:
    """What was imported lasts until the end; the collector need not walk through all of it again and again."""
    gc.collect()
    gc.freeze()
