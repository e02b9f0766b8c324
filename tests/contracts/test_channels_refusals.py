"""The silent refusal: only where a channel's data says that nothing is wrong and nobody can act."""

from __future__ import annotations

from channels.contract import Who
from channels.push.codes import CODES as PUSH
from channels.push.codes import NOBODY_THERE
from channels.weibo.codes import CODES as WEIBO
from channels.weibo.codes import Again


def test_a_number_for_nobody_says_when_to_try_again_but_for_a_push_that_reaches_no_phone() -> None:
    silent = {code.number for code in PUSH.values() if code.who is Who.NOBODY and code.after is None}
    assert silent == {NOBODY_THERE}
    assert not [code for code in WEIBO.values() if code.who is Who.NOBODY and code.after is None
                and code.again is not Again.DONE]  # fmt: skip
