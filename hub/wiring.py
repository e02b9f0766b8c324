"""The one place where real things are made: keys, stores, sessions, clocks, channels, pools, the processes' desks."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from channels.contract import Channel
from channels.http import Caller, PlatformPolicy
from channels.kinds import ADDRESSES, CHANNELS
from channels.kinds import connect as connect_kind
from channels.notice.mail import MailSender, server_from
from hub import settings as settings_room
from hub.access.proofs import Argon2Proofs
from hub.clock import Clock, PacedClock, SystemClock
from hub.desk import dictionary, hinting, topics
from hub.desk.accounts import credentials_of
from hub.desk.custody import custody_of
from hub.desk.desk import Desk
from hub.desk.dictionary import WordsInForce
from hub.desk.governing import StoredPolicies
from hub.desk.model import InForce, condition
from hub.desk.quotas import StoredMeter
from hub.desk.reading_pool import ReadingPool
from hub.desk.staffing import add_user
from hub.domain.errors import Misconfigured
from hub.domain.passwords import checked_password
from hub.domain.people import Role, program
from hub.failpoints import Failpoints
from hub.identifiers import RandomIdentifiers
from hub.sealing import Sealer, key_from_file, make_key_file, parse_key
from hub.settings import Settings
from hub.site import serving as site_serving
from hub.site.routes import Site
from hub.store import schema
from hub.store.base import Document, Store, Unreachable
from hub.store.files import FilesInFolder
from hub.store.heads import HeadsFile
from hub.store.mongo import MongoStore
from hub.store.sqlite import SqliteStore
from hub.store.tables import SITE_TABLES

CLOCK = SystemClock()
CHANNEL_KINDS = tuple(CHANNELS)
OWN = ("site", "app")  # channels that lead to a site of ours
DEMO_KEY = "demo.key"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


# ---- keys


def master_key(settings: Settings) -> bytes:
    """The installation's secret key: given, in a file, or (demonstrations only) one of its own beside the data."""
    if settings["HUB_SECRET_KEY"]:
        return parse_key(settings["HUB_SECRET_KEY"])
    if settings["HUB_SECRET_KEY_FILE"]:
        return key_from_file(Path(settings["HUB_SECRET_KEY_FILE"]), outside=settings.data / "desk")
    own = settings.data / DEMO_KEY
    if own.exists():
        return key_from_file(own, outside=settings.data / "desk")
    raise Misconfigured(
        "没有主密钥。正式环境请设置 HUB_SECRET_KEY_FILE（权限 0600，放在数据文件夹之外）；演练请加 --rehearsal。"
    )


def sealer_of(settings: Settings) -> Sealer:
    return Sealer(master_key(settings), suite=settings["HUB_SUITE"])


def content_key(settings: Settings) -> str:
    """The content API's signing key as `whsec_…`: the one that is set, or one that follows from the secret key."""
    given = settings["HUB_CONTENT_KEY"]
    if given:
        return given
    made = sealer_of(settings).mac(b"content api", purpose="content-api")
    return "whsec_" + base64.b64encode(made).decode()


def rehearsal_key(settings: Settings) -> str:
    """The rehearsal platforms' control key: the one that is set, or one that follows from the secret key."""
    given = settings["HUB_REHEARSAL_KEY"]
    return given or sealer_of(settings).mac(b"rehearsal", purpose="rehearsal").hex()[:32]


# ---- time


def clock_of(settings: Settings, *, demo: bool = True) -> Clock:
    """The machine's clock; a demonstration's may run faster; Misconfigured where production would."""
    pace = settings["HUB_PACE"]
    if not pace:
        return CLOCK
    if not demo:
        raise Misconfigured("正式环境只用真实时间，请去掉 HUB_PACE。")
    try:
        return PacedClock.of(pace)
    except ValueError:
        raise Misconfigured("HUB_PACE 的写法是 倍数@起点=所示时刻，倍数为 1 到 1000。") from None


# ---- stores


def store_of(settings: Settings) -> Store:
    """The desk's store: MongoDB where its address is set, else the embedded one in the data folder."""
    if settings["HUB_MONGO_URL"]:
        return MongoStore(settings["HUB_MONGO_URL"], "govhub", driver=settings["HUB_MONGO_DRIVER"])
    return SqliteStore(settings.data / "desk" / "hub.db")


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    """The store, open; Misconfigured with a sentence where it cannot be opened."""
    try:
        await store.open()
    except (Unreachable, OSError) as error:
        raise Misconfigured("存储打不开。请检查数据文件夹的权限和磁盘，或 MongoDB 的地址。") from error
    try:
        yield store
    finally:
        await store.close()


def made_folder(folder: Path) -> Path:
    """The folder, there; Misconfigured where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise Misconfigured(f"数据文件夹 {folder} 建不了。请检查路径和权限，或另设 HUB_DATA。") from None
    return folder


def hold_folder(folder: Path, what: str) -> TextIO:
    """This process alone serves this folder, until it ends; Misconfigured where another does."""
    made_folder(folder)
    handle = open(folder / "serving.lock", "w")  # noqa: SIM115 - held until the process ends
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise Misconfigured(f"已有一个{what}在用文件夹 {folder}。请先停掉它，或换一个数据文件夹。") from None
    return handle


async def birth(settings: Settings, mark: str) -> None:
    """A new data folder with its schema and its mark, demo or production, for ever."""
    for name in ("desk", "site"):
        made_folder(settings.data / name)
    if mark == "demo" and not (settings["HUB_SECRET_KEY"] or settings["HUB_SECRET_KEY_FILE"]):
        with suppress(FileExistsError):
            make_key_file(settings.data / DEMO_KEY)
    async with opened(store_of(settings)) as store:
        await schema.mark(store, mark, CLOCK.now())


async def mark_of(settings: Settings) -> str | None:
    """demo, production, or None where nothing has been begun yet."""
    if not settings["HUB_MONGO_URL"] and not (settings.data / "desk" / "hub.db").exists():
        return None
    async with opened(store_of(settings)) as store:
        return await schema.mark_of(store)


# ---- desks


def addresses_of(account: Document) -> list[str]:
    """Where this account's platform listens: its own settings, else the platform's known address."""
    given = {name: value for name, value in account["settings"].items() if value}
    known = {**ADDRESSES.get(account["channel"], {}), **given}
    return [str(value) for name, value in known.items() if name.endswith("_url")]


def check_place(account: Document, urls: Sequence[str], *, demo: bool) -> None:
    """Misconfigured where a demonstration would reach the world, or production a rehearsal. A site of ours, and the
    app that it serves, may stand on the same machine."""
    for url in urls:
        local = urlsplit(url).hostname in LOOPBACK
        if demo and not local:
            raise Misconfigured("演练环境不能连接真实平台。请用演练平台的地址。")
        if not demo and (account.get("rehearsal") or (local and account["channel"] not in OWN)):
            raise Misconfigured("正式环境不能使用演练平台的账号。")


def _channel_of(desk: Callable[[], Desk], caller: Caller, clock: Clock) -> Callable[[Document], Channel]:
    """Accounts to channels; a demonstration reaches nothing but this machine, production everything else."""

    def connect(account: Document) -> Channel:
        here = desk()
        urls = addresses_of(account)
        check_place(account, urls, demo=here.demo)
        transport = (
            caller.transport(PlatformPolicy.of(*urls)) if urls else caller.transport(PlatformPolicy(frozenset()))
        )
        meter = StoredMeter(here, str(account["_id"]))
        custody = custody_of(here, account)
        return connect_kind(account, credentials_of(here, account), transport, clock.now, meter, custody)

    kept: dict[str, tuple[Document, Channel]] = {}

    def keep(account: Document) -> Channel:
        """One channel, and so one session, per account as long as its settings stand."""
        facts = {name: account.get(name) for name in ("settings", "credentials", "profile", "channel")}
        known = kept.get(account["_id"])
        if known is None or known[0] != facts:
            kept[account["_id"]] = (facts, connect(account))
        return kept[account["_id"]][1]

    return keep


@asynccontextmanager
async def open_desk(settings: Settings, *, role: str = "desk", readers: int = 0) -> AsyncIterator[Desk]:
    """The desk of this process, over the store in force; `readers` processes read texts (workers only)."""
    sealer = sealer_of(settings)
    async with opened(store_of(settings)) as store:
        await schema.check(store)
        demo = await schema.mark_of(store) == "demo"
        clock = clock_of(settings, demo=demo)
        reads_with, routes_with, caller = InForce(), topics.TopicsInForce(), Caller()
        knows, reader = WordsInForce(None if demo else ""), program("reader")
        hints_with = hinting.HintsInForce()
        pool = ReadingPool(
            readers or 1,
            model=lambda: reads_with.look(reader, desk),
            topics=lambda: routes_with.look(reader, desk),
            words=lambda: knows.look(reader, desk),
            hints=lambda: hints_with.look(reader, desk),
        )
        failpoints = Failpoints(settings["HUB_FAILPOINT"] if demo else "")
        owner = f"{role}:{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        desk = Desk(
            store=store,
            files=FilesInFolder(settings.data / "desk" / "files"),
            clock=clock,
            ids=RandomIdentifiers(clock),
            sealer=sealer,
            connect=_channel_of(lambda: desk, caller, clock),
            read=pool.read,
            policies=StoredPolicies(store, clock),
            failpoints=failpoints,
            owner=owner,
            demo=demo,
            proofs=Argon2Proofs() if role != "worker" else None,
            mail=_mail_of(settings),
            heads=HeadsFile(settings.data / "heads" / "audit.jsonl"),
        )
        try:
            yield desk
        finally:
            pool.close()
            await caller.close()


def run_at_desk(
    environment: Mapping[str, str], work: Callable[..., Coroutine[Any, Any, int]], arguments: object
) -> int:
    """Run one command over an open desk."""

    async def run() -> int:
        async with open_desk(settings_room.read(environment, "desk"), role="console") as desk:
            return await work(arguments, desk)

    return asyncio.run(run())


async def check_desk(settings: Settings, host: str) -> None:
    """Misconfigured where this store does not fit this program, or a demonstration would be open to others."""
    async with opened(store_of(settings)) as store:
        await schema.check(store)
        if await schema.mark_of(store) == "demo" and host not in LOOPBACK:
            raise Misconfigured("演练环境有人人知道的用户，只能在本机打开。请把 HUB_HOST 改回 127.0.0.1。")


def _mail_of(settings: Settings) -> MailSender | None:
    """The office's mail server, where one is set."""
    if not settings["HUB_MAIL_SERVER"]:
        return None
    user, password = settings["HUB_MAIL_USER"], settings["HUB_MAIL_PASSWORD"]
    try:
        server = server_from(settings["HUB_MAIL_SERVER"], settings["HUB_MAIL_FROM"], user=user, password=password)
    except ValueError:
        raise Misconfigured("邮件服务器的写法是 主机:端口，并要填发件地址 HUB_MAIL_FROM。") from None
    return MailSender(server, base=settings["HUB_DESK_URL"])


# ---- the site


def site_store(settings: Settings) -> Store:
    """The public site's own store, in its own folder."""
    return SqliteStore(made_folder(settings.data) / "site.db", SITE_TABLES)


def make_site(settings: Settings, store: Store) -> Site:
    """The site over its store."""
    mark = settings["HUB_SITE_MARK"]
    clock = clock_of(settings, demo=mark == "demo")
    files = FilesInFolder(settings.data / "files")
    base = settings["HUB_SITE_URL"] or "http://localhost:8001"
    return site_serving.make_site(settings, store, files, clock, RandomIdentifiers(clock), mark=mark, base_url=base)


# ---- births and looks


async def give_birth(settings: Settings, mark: str, people: Sequence[tuple[str, str, str]]) -> None:
    """A production store with its first administrators, each (login, name, password)."""
    master_key(settings)
    for login, name, password in people:
        checked_password(password, own=(login, name))
    await birth(settings, mark)
    async with open_desk(settings, role="console") as desk:
        for login, name, password in people:
            await add_user(program("console"), desk, login=login, name=name, roles=[Role(login)], password=password)


async def look_at_store(settings: Settings) -> list[tuple[str, str, str, str]]:
    """(what, state, said, advice) of everything in the store that a doctor looks at."""
    if await mark_of(settings) is None:
        raise Misconfigured("还没有数据。正式环境请先运行 python -m hub init --production；演练请运行 make run。")
    async with opened(store_of(settings)) as store:
        await schema.check(store)
        mark = {"demo": "演练", "production": "正式"}[str(await schema.mark_of(store))]
        now = CLOCK.now()
        beats = await store.find("beats", {}, sort=[("at", -1)], limit=1)
        age = (now - beats[0]["at"]).total_seconds() if beats else None
        worker = ("后台任务", "ok", f"{age:.0f} 秒前有心跳", "") if age is not None and age <= 30 else (
            "后台任务", "warn", "没有心跳，自动发布已停止", "请启动 python -m hub serve --role worker。"
        )  # fmt: skip
        accounts = await store.find("accounts", {}, sort=[("_id", 1)], limit=200)
        ill = [
            ("账号", "warn", f"{row['name']}：{(row.get('health') or {}).get('reason', '')}", "请在“账号”页处理。")
            for row in accounts
            if (row.get("health") or {}).get("state", "ok") != "ok"
        ]
        files = FilesInFolder(settings.data / "desk" / "files")
        named, trouble = await condition(store, files)
        advice = "在“情感模型”页可以换另一版。" if trouble else ""
        model = ("情感模型", "warn" if trouble else "ok", trouble or named, advice)
        named, trouble = await topics.condition(store, files)
        advice = "在“主题分类”页可以换另一张分类表或另一版模型。" if trouble else ""
        filing = ("主题分类", "warn" if trouble else "ok", trouble or named, advice)
        named, trouble = await dictionary.condition(store, files)
        advice = "在读的进程先照旧用原来的词，重启以后就没有了。" if trouble else ""
        words = ("词典", "warn" if trouble else "ok", trouble or named, advice)
        named, trouble = await hinting.condition(store, files)
        advice = "请从备份取回，或运行 python -m hub urgency train 重新训练。" if trouble else ""
        hints = ("紧急提示", "warn" if trouble else "ok", trouble or named, advice)
        return [("性质", "ok", f"{mark}环境", ""), worker, model, filing, words, hints, *ill]


def protection(settings: Settings) -> list[tuple[str, str]]:
    """(kind of data, how it is protected) for `doctor --crypto`."""
    suite = {"aesgcm": "AES-256-GCM 与 HMAC-SHA256", "sm4gcm": "SM4-GCM 与 HMAC-SM3"}[settings["HUB_SUITE"]]
    return [
        ("账号凭据", suite),
        ("群众个人信息与原话", suite),
        ("审计链", suite.rpartition("与 ")[2]),
        ("公众网来信", "X25519 与 AES-256-GCM（公众网只能封、不能开）"),
        ("口令", "argon2id"),
        ("内容接口", "HMAC-SHA256"),
    ]


async def migrate(settings: Settings, *, only_look: bool) -> list[str]:
    """The open upgrade steps in words; done unless only looked at."""
    async with opened(store_of(settings)) as store:
        numbers = await (schema.waiting(store) if only_look else schema.migrate(store))
    return [f"第 {number} 步" for number in numbers]
