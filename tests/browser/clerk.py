"""A clerk without a browser, for tests: signs in and sends the desk's own forms; what came back is told as it is."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.browser.household import PASSWORD, Household

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True)
class Said:
    """An answer: status 0 where none came (the process was killed, the connection cut)."""

    status: int
    place: str = ""
    text: str = ""

    @property
    def done(self) -> bool:
        """Whether the desk said that it is done."""
        return self.status == 303 and "done=" in self.place


class Clerk:
    """One person's session over plain forms, as a browser without script sends them."""

    def __init__(self, house: Household, login: str) -> None:
        self.house, self.login = house, login
        self.cookie = ""
        self.csrf = ""

    def ask(self, method: str, path: str, fields: Mapping[str, str | Sequence[str]] | None = None) -> Said:
        connection = http.client.HTTPConnection("127.0.0.1", self.house.ports[0], timeout=20)
        headers = {"Cookie": self.cookie, "Origin": self.house.desk_url} if self.cookie else {
            "Origin": self.house.desk_url
        }  # fmt: skip
        body = None
        if fields is not None:
            body = urlencode({"csrf": self.csrf, **fields}, doseq=True).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return Said(0)
        finally:
            connection.close()
        if given := answer.getheader("Set-Cookie"):
            self.cookie = given.partition(";")[0]
        if found := _CSRF.search(text):
            self.csrf = found[1]
        return Said(answer.status, answer.getheader("Location") or "", text)

    def get(self, path: str) -> Said:
        return self.ask("GET", path)

    def send(self, path: str, **fields: str | Sequence[str]) -> Said:
        """One form; names with a full stop are written with two underscores."""
        return self.ask("POST", path, {name.replace("__", "."): value for name, value in fields.items()})

    def sign_in(self) -> None:
        """Until the desk lets them in: right after the start the demonstration's users are still on their way."""
        for _ in range(60):
            said = self.send("/session", login=self.login, password=PASSWORD, next="/me")
            if said.status == 303 and "/login" not in said.place:
                assert self.get("/me").status == 200 and self.csrf
                return
            self.cookie = ""
            time.sleep(0.5)
        raise AssertionError(f"{self.login} cannot sign in\n{self.house.said()[-2000:]}")
