"""Where an account's platform is looked for: its own settings first, else the known address, and nowhere else."""

from __future__ import annotations

import pytest

from channels.kinds import ADDRESSES, CHANNELS
from hub.domain.errors import Misconfigured
from hub.wiring import addresses_of, check_place


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


HERE, THERE = "http://127.0.0.1:8001", "https://api.platform.example"


@pytest.mark.parametrize("kind", sorted(CHANNELS))
def test_a_demonstration_reaches_this_machine_only_and_production_no_rehearsal(kind: str) -> None:
    account = {"channel": kind, "settings": {}}
    check_place(account, [HERE], demo=True)
    check_place(account, [THERE], demo=False)
    with pytest.raises(Misconfigured):
        check_place(account, [HERE, THERE], demo=True)
    with pytest.raises(Misconfigured):
        check_place({**account, "rehearsal": True}, [THERE], demo=False)
    if kind in ("site", "app"):
        check_place(account, [HERE], demo=False)
    else:
        with pytest.raises(Misconfigured):
            check_place(account, [HERE], demo=False)
