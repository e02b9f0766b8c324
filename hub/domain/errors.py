"""Everything that can go wrong by somebody's act, as one tree; faults of platforms are outcomes, not errors.

HubError                 a sentence a person can act on
├── NotSignedIn          nobody is signed in, or the session has ended; sign in and come back
├── NotAllowed           the actor has no right to this; ask whoever keeps the roles
├── NotFound             there is no such thing, or it is not the actor's to see (told apart nowhere)
├── Conflict             someone was faster; read again, then decide again
│   └── Stale            the revision named is not the newest any more
├── Invalid              the input is not acceptable; carries what to change, field by field
├── TooMany              a limit in time was reached; wait and try again
└── Misconfigured        the installation is not right; an administrator must change a setting
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One field and the sentence that says what to write instead."""

    field: str
    message: str


class HubError(Exception):
    """The root; its text is Chinese, for the person who did it, and holds no personal data."""

    status = 500
    title = "系统出错"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotSignedIn(HubError):
    status = 401
    title = "请先登录"


class NotAllowed(HubError):
    status = 403
    title = "没有权限"


class NotFound(HubError):
    status = 404
    title = "没有找到"


class Conflict(HubError):
    status = 409
    title = "已被他人更新"


class Stale(Conflict):
    status = 412
    title = "版本已更新"


class Invalid(HubError):
    """Input that cannot be taken; `errors` names each field."""

    status = 422
    title = "内容需要修改"

    def __init__(self, message: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.errors = errors


class TooMany(HubError):
    """A limit in time; `retry_after` is in seconds."""

    status = 429
    title = "操作过于频繁"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Misconfigured(HubError):
    status = 500
    title = "配置有误"
