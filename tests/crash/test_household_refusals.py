"""What does not fit is refused with one clear sentence and status 2; a living household is never disturbed by it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import settings as settings_room
from hub import wiring
from hub.settings import Settings
from hub.store import schema
from tests.browser.household import ROOT, Household, free_ports, household

pytestmark = pytest.mark.crash

KEY = "5e" * 32


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with household(tmp_path_factory.mktemp("house"), "--empty") as found:
        yield found


@pytest.fixture
def cold(tmp_path: Path) -> Household:
    """A household that nobody has started."""
    return Household(tmp_path / "cold", free_ports(3), (), {"HUB_SECRET_KEY": KEY})


def settings_of(house: Household) -> Settings:
    return settings_room.read(house.environment, "desk")


def refused(house: Household, *words: str) -> str:
    """The one sentence with which these words are refused."""
    ended = house.run(*words)
    assert ended.returncode == 2, (ended.returncode, ended.stdout, ended.stderr)
    said = ended.stderr.strip()
    assert said and "\n" not in said and "Traceback" not in said, said
    assert said.endswith("。"), said
    return said


def serve(house: Household, *words: str) -> list[str]:
    return ["serve", *words, "--port", str(house.ports[0]), "--public-port", str(house.ports[1])]


# ---- beside a living household


def test_a_second_desk_on_the_same_folder_is_refused(house: Household) -> None:
    port = free_ports(1)[0]
    assert "已有一个采编端" in refused(house, "serve", "--role", "desk", "--port", str(port))


def test_a_second_site_on_the_same_folder_is_refused(house: Household) -> None:
    port = free_ports(1)[0]
    environment = {
        **house.environment, "HUB_SITE_DATA": str(house.data / "site"), "HUB_CONTENT_KEY": "whsec_" + "QUJD" * 8,
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", "hub", "serve", "--role", "site", "--public-port", str(port)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2 and "已有一个公众网" in ended.stderr, ended.stderr


def test_a_further_worker_on_the_same_folder_is_welcome(house: Household) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve", "--role", "worker"],
        cwd=ROOT, env=house.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert worker.stderr is not None
        assert b"at work" in worker.stderr.readline()
        time.sleep(1)
        assert worker.poll() is None
    finally:
        worker.terminate()
        worker.communicate(timeout=20)


def test_a_taken_port_is_said_with_the_option_that_helps(house: Household) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = refused(house, "serve", "--rehearsal", "--port", str(taken.getsockname()[1]))
    assert "已被占用" in said and "--port" in said


def test_the_desk_alone_says_a_taken_port_too(cold: Household) -> None:
    asyncio.run(wiring.birth(settings_of(cold), "demo"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = refused(cold, "serve", "--role", "desk", "--port", str(taken.getsockname()[1]))
    assert "已被占用" in said


def test_the_household_lives_on_after_every_refusal(house: Household) -> None:
    assert set(house.children()) >= {"site", "desk", "worker", "rehearsal"}
    assert "Traceback" not in house.said()


# ---- data that does not fit


def test_data_of_production_are_not_rehearsed_with(cold: Household) -> None:
    asyncio.run(wiring.birth(settings_of(cold), "production"))
    said = refused(cold, *serve(cold, "--rehearsal"))
    assert "正式环境" in said and "HUB_DATA" in said
    assert "正式环境" in refused(cold, "demo")


def test_no_data_and_no_rehearsal_names_both_ways_to_begin(cold: Household) -> None:
    said = refused(cold, *serve(cold))
    assert "init --production" in said and "--rehearsal" in said


@pytest.mark.parametrize("version,word", [(0, "migrate"), (schema.SCHEMA + 1, "新版")])
def test_another_schema_is_refused_with_what_to_do(cold: Household, version: int, word: str) -> None:
    settings = settings_of(cold)

    async def age() -> None:
        await wiring.birth(settings, "demo")
        async with wiring.opened(wiring.store_of(settings)) as store:
            await store.change(schema.TABLE, {"_id": schema.ID}, {"$set": {"version": version}})

    asyncio.run(age())
    assert word in refused(cold, "serve", "--role", "desk", "--port", str(cold.ports[0]))
    assert word in refused(cold, "serve", "--role", "worker")
    assert word in refused(cold, *serve(cold, "--rehearsal"))


def test_a_store_that_cannot_be_read_is_said_in_one_sentence(cold: Household) -> None:
    asyncio.run(wiring.birth(settings_of(cold), "demo"))
    for name in ("hub.db-wal", "hub.db-shm"):
        (cold.data / "desk" / name).unlink(missing_ok=True)
    (cold.data / "desk" / "hub.db").write_bytes(b"this is no database at all, " * 400)
    assert "存储" in refused(cold, "serve", "--role", "desk", "--port", str(cold.ports[0]))
    assert "存储" in refused(cold, "serve", "--role", "worker")
    assert "存储" in refused(cold, *serve(cold, "--rehearsal"))


def test_a_data_folder_that_is_a_file_is_said_in_one_sentence(cold: Household) -> None:
    cold.folder.mkdir(parents=True, exist_ok=True)
    cold.data.write_text("no folder")
    assert "数据文件夹" in refused(cold, *serve(cold, "--rehearsal"))


# ---- settings that do not fit


def test_a_demonstration_is_never_open_to_other_machines(cold: Household) -> None:
    asyncio.run(wiring.birth(settings_of(cold), "demo"))
    cold.settings = {**cold.settings, "HUB_HOST": "0.0.0.0"}  # noqa: S104 - refused is what is tested
    assert "HUB_HOST" in refused(cold, "serve", "--role", "desk", "--port", str(cold.ports[0]))


def test_a_setting_that_nobody_knows_is_named(cold: Household) -> None:
    cold.folder.mkdir(parents=True, exist_ok=True)
    config = cold.folder / "hub.toml"
    config.write_text('HUB_DATTA = "elsewhere"\n', "utf-8")
    cold.settings = {**cold.settings, "HUB_CONFIG": str(config)}
    assert "HUB_DATTA" in refused(cold, *serve(cold, "--rehearsal"))


def test_a_port_that_is_no_number_is_named(cold: Household) -> None:
    cold.settings = {**cold.settings, "HUB_REHEARSAL_PORT": "many"}
    assert "HUB_REHEARSAL_PORT" in refused(cold, *serve(cold, "--rehearsal"))


def test_a_key_that_is_too_short_is_refused(cold: Household) -> None:
    cold.settings = {**cold.settings, "HUB_SECRET_KEY": "abcd"}
    refused(cold, *serve(cold, "--rehearsal"))


def test_a_site_without_its_content_key_is_refused(cold: Household) -> None:
    assert "HUB_CONTENT_KEY" in refused(cold, "serve", "--role", "site", "--public-port", str(cold.ports[1]))
