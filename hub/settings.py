"""Every setting as data: name, default, meaning, secret or not; read once at the start, from files and environment.

The desk and the workers read `hub.toml`, the site reads `site.toml` and never the other: each process is started with
only its own settings. An environment variable stands over the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.domain.errors import Misconfigured


@dataclass(frozen=True)
class Setting:
    """One setting. `role` says who may have it: `desk` (desk and workers), `site`, or `both`."""

    name: str
    default: str
    meaning: str
    role: str = "both"
    secret: bool = False
    demo_only: bool = False


SETTINGS = (
    Setting("HUB_DATA", "./var", "数据文件夹；采编端用其中的 desk，公众网用其中的 site", "desk"),
    Setting("HUB_SITE_DATA", "./var/site", "公众网自己的数据文件夹；它读不到采编端的", "site"),
    Setting("HUB_CONFIG", "hub.toml", "采编端与后台任务的配置文件", "desk"),
    Setting("HUB_SITE_CONFIG", "site.toml", "公众网的配置文件", "site"),
    Setting("HUB_MONGO_URL", "", "MongoDB 地址；不填则用内置存储", "desk", secret=True),
    Setting("HUB_MONGO_DRIVER", "motor", "MongoDB 驱动：motor 或 pymongo", "desk"),
    Setting(
        "HUB_SECRET_KEY", "", "主密钥（十六进制，不少于 32 字节）；正式环境必填此项或密钥文件", "desk", secret=True
    ),
    Setting("HUB_SECRET_KEY_FILE", "", "主密钥文件；权限 0600，且不得放在数据文件夹内", "desk"),
    Setting("HUB_SUITE", "aesgcm", "加密套件：aesgcm 或 sm4gcm", "desk"),
    Setting("HUB_PROXIES", "0", "前面有几层可信反向代理；决定采信哪个来访地址"),
    Setting("HUB_HOST", "127.0.0.1", "采编端监听的地址", "desk"),
    Setting("HUB_SITE_HOST", "127.0.0.1", "公众网监听的地址", "site"),
    Setting("HUB_DESK_URL", "", "采编端对外的地址，用于通知里的链接；不填则用本机地址", "desk"),
    Setting("HUB_SITE_URL", "", "公众网对外的地址，写入文章链接；不填则用本机地址"),
    Setting("HUB_SITE_API", "", "内容接口的地址；不填则与公众网地址相同", "desk"),
    Setting("HUB_CONTENT_KEY", "", "内容接口的签名密钥，轮换期可填两个，用逗号分开", "both", secret=True),
    Setting("HUB_SITE_SEAL_KEY", "", "中心的公钥：公众网用它封存群众来信", "site"),
    Setting("HUB_SITE_MARK", "production", "公众网的性质：production 或 demo；演练时自动填写", "site"),
    Setting("HUB_OFFICE", "", "单位名称，显示在采编端左上角；演练时为虚构的城市", "desk"),
    Setting("HUB_DISTRICTS", "", "本地的区县，用逗号分开，看板和留言按它分列；演练时为虚构的城市", "desk"),
    Setting("HUB_MAIL_SERVER", "", "发通知的邮件服务器，写法 主机:端口；不填则只用站内通知", "desk"),
    Setting("HUB_MAIL_FROM", "", "通知邮件的发件地址", "desk"),
    Setting("HUB_MAIL_USER", "", "邮件服务器的用户名；不需要登录则不填", "desk"),
    Setting("HUB_MAIL_PASSWORD", "", "邮件服务器的口令", "desk", secret=True),
    Setting("HUB_DEMO_PASSWORD", "", "演练用户的口令；不填则随机生成并只显示一次", "desk", secret=True, demo_only=True),
    Setting("HUB_REHEARSAL_KEY", "", "演练平台控制接口的钥匙", "desk", secret=True, demo_only=True),
    Setting("HUB_REHEARSAL_PORT", "8010", "演练微博的端口，其余演练平台依次加一", "desk", demo_only=True),
    Setting("HUB_PACE", "", "时间走得多快：倍数@起点=所示时刻，后两项为 1970 年起的秒数", "both", demo_only=True),
    Setting("HUB_FAILPOINT", "", "故障点，写法 名称:第几次:kill|raise|hang", "both", demo_only=True),
    Setting("HUB_TEST_MONGO_URL", "", "测试用的真实 MongoDB 地址", "desk", secret=True, demo_only=True),
)

BY_NAME = {setting.name: setting for setting in SETTINGS}
_MASK = "（已设置，不显示）"


@dataclass(frozen=True)
class Settings:
    """What is in force, and where each value came from: `default`, the file's name, or `environment`."""

    values: Mapping[str, str]
    sources: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def number(self, name: str) -> int:
        """The value as a whole number; Misconfigured where it is none."""
        try:
            return int(self.values[name])
        except ValueError:
            raise Misconfigured(f"设置 {name} 应是整数，现在是“{self.values[name]}”。请改正后重新启动。") from None

    @property
    def data(self) -> Path:
        """The folder of the embedded stores and files; the site knows only its own."""
        return Path(self.values["HUB_DATA" if "HUB_DATA" in self.values else "HUB_SITE_DATA"]).absolute()

    def shown(self) -> list[tuple[str, str, str]]:
        """(name, value, source) of each, secrets masked; for `doctor`."""
        rows = []
        for name, value in self.values.items():
            masked = _MASK if BY_NAME[name].secret and value else value
            rows.append((name, masked, self.sources[name]))
        return rows

    def environment(self, role: str) -> dict[str, str]:
        """The settings that a child process of this role is started with, and no others."""
        return {name: value for name, value in self.values.items() if value and BY_NAME[name].role in (role, "both")}


def _read_file(path: Path, role: str) -> dict[str, str]:
    """The file's own settings; an unknown name is an error, since it is nearly always a typing mistake."""
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"配置文件 {path.name} 读不了：{error}。请改正后重新启动。") from error
    for name in found:
        if name not in BY_NAME or BY_NAME[name].role not in (role, "both"):
            raise Misconfigured(f"配置文件 {path.name} 里的“{name}”不是这个进程的设置。可用的名称见 docs/settings.md。")
    return {name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in found.items()}


def read(environment: Mapping[str, str], role: str) -> Settings:
    """What is in force for a process of this role (`desk` for desk, workers and commands, `site` for the site)."""
    wanted = [setting for setting in SETTINGS if setting.role in (role, "both")]
    config = "HUB_SITE_CONFIG" if role == "site" else "HUB_CONFIG"
    path = Path(environment.get(config) or BY_NAME[config].default)
    from_file = _read_file(path, role)
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for setting in wanted:
        for source, place in (("environment", environment), (path.name, from_file)):
            if place.get(setting.name):
                values[setting.name], sources[setting.name] = place[setting.name], source
                break
        else:
            values[setting.name], sources[setting.name] = setting.default, "default"
    return Settings(values, sources)


def describe() -> str:
    """docs/settings.md: every setting with its meaning, for the person who installs."""
    lines = ["# Settings", "", "Made by `python -m hub map --write`; a test fails when it is stale.", ""]
    lines += ["| name | default | for | meaning |", "|---|---|---|---|"]
    for setting in SETTINGS:
        marks = "".join([" · secret" if setting.secret else "", " · demo and tests only" if setting.demo_only else ""])
        default = f"`{setting.default}`" if setting.default else "–"
        lines.append(f"| `{setting.name}` | {default} | {setting.role}{marks} | {setting.meaning} |")
    return "\n".join(lines) + "\n"
