"""E-mail to staff by SMTP, with the four outcomes of a channel; what is written and to whom lives in the hub.

The one step that counts is the end of DATA: before it nothing was taken, so any fault there is a certain refusal; after
it, only the server's answer tells, and without an answer nobody can say. Source of the reply codes: RFC 5321, 4.2.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256

from channels.contract import Accepted, Outcome, Refused, Unknown, Who

TIME_LIMIT = 15.0  # seconds for each step of the dialogue
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True)
class MailServer:
    """Where e-mail goes out. `security`: starttls, tls, or none (loopback rehearsals only)."""

    host: str
    port: int
    sender: str
    sender_name: str = "政声"
    user: str = ""
    password: str = ""
    security: str = "starttls"


def server_from(place: str, sender: str, *, user: str = "", password: str = "") -> MailServer:
    """A server from `host:port` (587 where there is none); TLS from the first byte on 465, none on loopback only.

    Raises ValueError where it is no such place.
    """
    host, _, port = place.strip().rpartition(":") if ":" in place else (place.strip(), "", "587")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536 or sender.count("@") != 1:
        raise ValueError("a mail server is host:port, and its sender an address")
    security = "none" if host in LOOPBACK else "tls" if int(port) == 465 else "starttls"
    return MailServer(host, int(port), sender, user=user, password=password, security=security)


class MailSender:
    """Sends one letter a call, in a thread; `base` is the desk's own address, put before links that are paths."""

    def __init__(self, server: MailServer, *, base: str = "") -> None:
        if server.security == "none" and server.host not in LOOPBACK:
            raise ValueError("mail without TLS goes to loopback only")
        self._server = server
        self._base = base.rstrip("/")

    async def send(self, to: str, subject: str, text: str, link: str, key: str) -> Outcome:
        """One letter; `key` names it for ever, so that a second copy can be recognised by its Message-ID."""
        try:
            letter = compose(self._server, to, subject, f"{text}\n\n{self._base}{link}\n", key)
        except (ValueError, IndexError, MessageError):  # the standard library's address parser raises all three
            return Refused("address", "邮箱地址不对，请在用户设置里改正。", Who.ADMINISTRATOR)
        return await asyncio.to_thread(_deliver, self._server, to, letter, message_id(self._server, key))


def message_id(server: MailServer, key: str) -> str:
    """The same for the same key."""
    domain = server.sender.rpartition("@")[2] or "localhost"
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def compose(server: MailServer, to: str, subject: str, text: str, key: str) -> bytes:
    """The letter as it goes over the wire; raises ValueError where an address is none."""
    letter = EmailMessage(policy=SMTP.clone(max_line_length=76))
    letter["From"] = Address(server.sender_name, addr_spec=server.sender)
    letter["To"] = Address(addr_spec=to)
    letter["Subject"] = " ".join(subject.split())
    letter["Message-ID"] = message_id(server, key)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text, charset="utf-8", cte="base64")
    return letter.as_bytes()


def _deliver(server: MailServer, to: str, letter: bytes, id: str) -> Outcome:
    """The whole dialogue; blocking."""
    try:
        client = _connected(server)
    except smtplib.SMTPAuthenticationError:
        return Refused("auth", "邮件服务器不认这个账号或口令，请系统管理员检查。", Who.ADMINISTRATOR)
    except (smtplib.SMTPNotSupportedError, ssl.SSLError):
        return Refused("tls", "与邮件服务器建立加密连接失败，请系统管理员检查。", Who.ADMINISTRATOR)
    except (OSError, smtplib.SMTPException):
        return Refused("connect", "连不上邮件服务器，稍后自动重试。", Who.NOBODY, _AGAIN)
    try:
        return _envelope(client, server, to) or _data(client, letter, id)
    finally:
        client.close()


def _connected(server: MailServer) -> smtplib.SMTP:
    make: Callable[..., smtplib.SMTP] = smtplib.SMTP_SSL if server.security == "tls" else smtplib.SMTP
    safe = ssl.create_default_context()
    more = {"context": safe} if server.security == "tls" else {}
    client = make(server.host, server.port, timeout=TIME_LIMIT, local_hostname="localhost", **more)
    try:
        client.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            client.starttls(context=safe)
            client.ehlo()
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client


def _envelope(client: smtplib.SMTP, server: MailServer, to: str) -> Refused | None:
    """Sender, receiver and the word DATA: whatever happens here, nothing was taken."""
    try:
        code, _ = client.mail(server.sender)
        if code == 250:
            code, _ = client.rcpt(to)
        if code not in (250, 251):
            return _refusal(code)
        code, _ = client.docmd("DATA")
    except (OSError, smtplib.SMTPException):
        return Refused("connect", "邮件服务器中断了连接，没有收下；稍后自动重试。", Who.NOBODY, _AGAIN)
    return None if code == 354 else _refusal(code)


def _data(client: smtplib.SMTP, letter: bytes, id: str) -> Outcome:
    """The letter and its end; from the first byte on, silence means that nobody can say."""
    try:
        client.send(stuffed(letter))
        code, _ = client.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Unknown("信已交出，邮件服务器没有答复是否收下。", {"at": "data", "error": type(error).__name__})
    if code == 250:
        return Accepted(external_id=id)
    if 400 <= code < 600:
        return _refusal(code)
    return Unknown("邮件服务器的答复看不懂。", {"at": "data", "code": str(code)})


def stuffed(letter: bytes) -> bytes:
    """The letter as DATA wants it: CRLF, dots doubled at line starts, the closing dot (RFC 5321, 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", letter)
    doubled = re.sub(rb"(?m)^\.", b"..", lines)
    return (doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n") + b".\r\n"


def _refusal(code: int) -> Refused:
    """4xx passes by itself, 5xx does not; the server's own words may hold an address, so they stay here."""
    if 400 <= code < 500:
        return Refused(str(code), f"邮件服务器暂时不收（{code}），稍后自动重试。", Who.NOBODY, _AGAIN)
    return Refused(str(code), f"邮件服务器不收这封信（{code}）。请检查邮箱地址和发件设置。", Who.ADMINISTRATOR)
