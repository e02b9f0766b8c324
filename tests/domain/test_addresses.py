"""Where an account's platform is looked for: its own settings first, else the known address, and nowhere else."""

from __future__ import annotations

import pytest

from channels.kinds import ADDRESSES, CHANNELS
from hub.wiring import addresses_of


@pytest.mark.parametrize("kind", sorted(ADDRESSES))
def test_an_account_without_an_address_goes_to_the_platforms_own_and_one_with_goes_there_alone(kind: str) -> None:
    assert addresses_of({"channel": kind, "settings": {}}) == [ADDRESSES[kind]["base_url"]]
    assert addresses_of({"channel": kind, "settings": {"base_url": ""}}) == [ADDRESSES[kind]["base_url"]]
    here = {"base_url": "http://127.0.0.1:8012", "domain": "www.yunchuan.example"}
    assert addresses_of({"channel": kind, "settings": here}) == ["http://127.0.0.1:8012"]


def test_a_platforms_known_address_is_encrypted_and_belongs_to_a_channel() -> None:
    assert set(ADDRESSES) <= set(CHANNELS)
    assert all(url.startswith("https://") for urls in ADDRESSES.values() for url in urls.values())


def test_a_website_has_no_address_but_its_own() -> None:
    assert addresses_of({"channel": "site", "settings": {}}) == []
