"""The container files say what the documents say: services apart, each with its own settings, and only what ships."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml

from hub import settings
from tests.house.house import ROOMS, ROOT

OURS = ("desk", "worker", "site")


@cache
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


def secrets_of(name: str) -> set[str]:
    given = service(name).get("secrets", [])
    return {each if isinstance(each, str) else each["source"] for each in given}


def folders_of(name: str) -> set[str]:
    return {str(each).partition(":")[0] for each in service(name).get("volumes", [])}


def test_the_compose_file_names_the_services_of_the_house() -> None:
    assert set(OURS) | {"proxy", "mongo1", "mongo2", "mongo3"} <= set(compose()["services"])
    for name in OURS:
        assert service(name)["command"][:3] == ["serve", "--role", name]


@pytest.mark.parametrize("name", OURS)
def test_each_service_is_given_only_settings_of_its_own_role(name: str) -> None:
    role = "site" if name == "site" else "desk"
    for given in service(name)["environment"]:
        assert given in settings.BY_NAME, given
        assert settings.BY_NAME[given].role in (role, "both"), given
        assert not settings.BY_NAME[given].demo_only, given


def test_the_site_shares_neither_secret_nor_folder_nor_network_with_the_desk() -> None:
    for other in ("desk", "worker"):
        assert not secrets_of("site") & secrets_of(other)
        assert not folders_of("site") & folders_of(other)
    assert "hub_key" in secrets_of("desk") and "hub_key" not in secrets_of("site")
    assert service("site")["networks"] == ["outer"]
    assert service("desk")["networks"] == ["inner"]


def test_no_secret_is_written_into_the_file() -> None:
    for name in OURS:
        for given, value in service(name)["environment"].items():
            assert not settings.BY_NAME[given].secret or "@" not in str(value), given
            assert "whsec_" not in str(value), given
    assert all(str(each["file"]).startswith("./secrets/") for each in compose()["secrets"].values())


def test_every_secret_that_is_mounted_is_read_by_somebody() -> None:
    for name in OURS:
        paths = {str(value) for value in service(name)["environment"].values()}
        for each in service(name).get("secrets", []):
            target = f"/run/secrets/{each}" if isinstance(each, str) else each["target"]
            assert target in paths, f"{name} mounts {target} and no setting names it"


def test_what_is_named_is_defined() -> None:
    known = {"secrets": set(compose()["secrets"]), "networks": set(compose()["networks"])}
    for name, each in compose()["services"].items():
        assert secrets_of(name) <= known["secrets"], name
        assert set(each.get("networks", [])) <= known["networks"], name
        for folder in folders_of(name):
            assert folder.startswith("./") or folder in compose()["volumes"], folder
        for needed in each.get("depends_on", []):
            assert needed in compose()["services"], needed


def test_only_the_proxy_is_reached_from_outside_and_the_store_only_from_inside() -> None:
    assert [name for name, each in compose()["services"].items() if "ports" in each] == ["proxy"]
    assert compose()["networks"]["inner"]["internal"] is True
    for name in ("mongo1", "mongo2", "mongo3"):
        assert service(name)["networks"] == ["inner"]
        assert "--replSet" in service(name)["command"]


def test_our_services_run_without_rights_they_do_not_need() -> None:
    for name in OURS:
        assert service(name)["read_only"] is True
        assert service(name)["cap_drop"] == ["ALL"]


def test_the_proxy_keeps_the_inner_addresses_of_the_site_shut() -> None:
    caddy = (ROOT / "docs" / "Caddyfile").read_text("utf-8")
    assert re.search(r"@inner path [^\n]*/content/\*", caddy) and "respond @inner 404" in caddy
    for name, port in (("site", 8001), ("desk", 8000)):
        assert f"reverse_proxy {name}:{port}" in caddy


def test_the_site_is_asked_after_its_own_health() -> None:
    asked = " ".join(service("site")["healthcheck"]["test"])
    assert "doctor" not in asked  # the doctor asks the desk's store, which the site must not have
    assert "/health" in asked


# ---- the image


def copied() -> list[str]:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    return [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]


def test_the_image_copies_only_what_ships() -> None:
    assert set(copied()) == {"requirements.txt", *ROOMS}
    for name in copied():
        assert (ROOT / name).exists(), name


def test_the_image_installs_locked_libraries_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "--require-hashes" in text
    assert re.search(r"^USER (?!root)", text, re.M)
    assert "requirements-dev" not in text


def test_what_must_not_reach_the_builder_is_left_out() -> None:
    left_out = set((ROOT / ".dockerignore").read_text("utf-8").split())
    assert {".git", ".venv", "var", "tests", "artefacts", "secrets", "node_modules"} <= left_out
