"""Settings: each process its own, secrets masked, mistakes named in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.domain.errors import Misconfigured
from hub.settings import SETTINGS, read


def test_the_environment_stands_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text('HUB_OFFICE = "甲县新闻办"\nHUB_PROXIES = 2\n', "utf-8")
    settings = read({"HUB_CONFIG": str(file), "HUB_PROXIES": "1"}, "desk")
    assert (settings["HUB_OFFICE"], settings["HUB_PROXIES"], settings["HUB_SUITE"]) == ("甲县新闻办", "1", "aesgcm")
    assert (settings.sources["HUB_OFFICE"], settings.sources["HUB_PROXIES"]) == ("hub.toml", "environment")


def test_an_unknown_name_in_the_file_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text('HUB_OFICE = "错字"\n', "utf-8")
    with pytest.raises(Misconfigured, match="HUB_OFICE"):
        read({"HUB_CONFIG": str(file)}, "desk")


def test_a_file_that_is_no_toml_is_refused_with_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text("HUB_OFFICE = ", "utf-8")
    with pytest.raises(Misconfigured, match="读不了"):
        read({"HUB_CONFIG": str(file)}, "desk")


def test_a_number_that_is_none_is_refused_with_what_stands_there() -> None:
    with pytest.raises(Misconfigured, match="许多"):
        read({"HUB_PROXIES": "许多"}, "desk").number("HUB_PROXIES")


def test_the_site_gets_nothing_of_the_desks_key_store_or_folder() -> None:
    everything = {setting.name: f"value of {setting.name}" for setting in SETTINGS if "CONFIG" not in setting.name}
    given = read(everything, "desk").environment("site")
    for name in ("HUB_SECRET_KEY", "HUB_SECRET_KEY_FILE", "HUB_MONGO_URL", "HUB_DATA", "HUB_DEMO_PASSWORD"):
        assert name not in given
        assert f"value of {name}" not in given.values()
        assert name not in read(everything, "site").values


def test_secrets_are_shown_as_set_and_never_as_they_are() -> None:
    settings = read({"HUB_SECRET_KEY": "ab" * 32, "HUB_MONGO_URL": "mongodb://u:p@h"}, "desk")
    shown = {name: value for name, value, _ in settings.shown()}
    assert "ab" * 32 not in shown.values()
    assert "不显示" in shown["HUB_MONGO_URL"]
