"""What every staff page needs around its own content: the rail, the bar, the person; templates are in hub.rendering.

A page's route makes one `Shell` and renders `name` with `desk=shell` and its own values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.domain.people import Role
from hub.rendering import Look, Renderer, shared_renderer

ROLE_WORDS: Mapping[Role, str] = {
    Role.EDITOR: "编辑",
    Role.REVIEWER: "审核",
    Role.MONITOR: "舆情监测",
    Role.HANDLER: "承办",
    Role.SYSADMIN: "系统管理员",
    Role.SECADMIN: "安全管理员",
    Role.AUDITOR: "审计员",
}


@dataclass(frozen=True)
class RailItem:
    """One entry of the rail; `count` is work waiting there, `alarm` says that some of it went wrong."""

    key: str
    label: str
    icon: str
    href: str
    count: int = 0
    alarm: bool = False


RAIL: tuple[RailItem, ...] = (
    RailItem("home", "首页", "home", "/"),
    RailItem("contents", "稿件", "draft", "/contents"),
    RailItem("reviews", "审校", "review", "/reviews"),
    RailItem("calendar", "日历", "calendar", "/calendar"),
    RailItem("publications", "发布", "send", "/publications"),
    RailItem("board", "舆情", "pulse", "/board"),
    RailItem("replies", "留言", "say", "/replies"),
    RailItem("cases", "工单", "inbox", "/cases"),
)
RAIL_SECOND: tuple[RailItem, ...] = (
    RailItem("columns", "公众网", "globe", "/services"),
    RailItem("audit", "审计", "shield", "/audit"),
    RailItem("settings", "设置", "settings", "/settings"),
)


@dataclass(frozen=True)
class Person:
    """Who is signed in, as the bar shows it."""

    name: str
    role: str

    @property
    def initial(self) -> str:
        return self.name[:1]


@dataclass(frozen=True)
class Shell:
    """Everything around a staff page. `narrow` gives the work the rail's width; `csrf` goes into every form."""

    office: str
    person: Person | None
    csrf: str
    current: str = ""
    rail: Sequence[RailItem] = RAIL
    rail_second: Sequence[RailItem] = RAIL_SECOND
    hours: str = ""
    unread: int = 0
    narrow: bool = False
    rehearsal: bool = False
    held: str = ""  # why everything is stopped (全部暂停), empty while it is not
    quiet: str = ""  # the quiet period that holds now, in words
    stopped: bool = False  # no worker lives: nothing goes out by itself
    search: str = ""
    path: str = "/"
    look: Look = field(default_factory=Look)
    toast: Mapping[str, Any] | None = None

    def at(self, key: str, **changes: Any) -> Shell:
        """The same shell on this entry of the rail."""
        return replace(self, current=key, **changes)

    def counted(self, counts: Mapping[str, int], alarms: Mapping[str, int]) -> Shell:
        """With the work waiting beside each entry; an alarm count takes the place of the plain one."""
        return replace(
            self,
            rail=tuple(_counted(item, counts, alarms) for item in self.rail),
            rail_second=tuple(_counted(item, counts, alarms) for item in self.rail_second),
        )

    def only(self, keys: frozenset[str]) -> Shell:
        """With those entries of the rail that this person may open."""
        return replace(
            self,
            rail=tuple(item for item in self.rail if item.key in keys),
            rail_second=tuple(item for item in self.rail_second if item.key in keys),
        )


def _counted(item: RailItem, counts: Mapping[str, int], alarms: Mapping[str, int]) -> RailItem:
    alarm = alarms.get(item.key, 0)
    return replace(item, count=alarm or counts.get(item.key, 0), alarm=bool(alarm))


def page(name: str, shell: Shell, /, *, renderer: Renderer | None = None, **values: Any) -> str:
    """A staff page as HTML."""
    return (renderer or shared_renderer()).render(name, desk=shell, **values)
