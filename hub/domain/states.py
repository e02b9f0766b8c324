"""状态一览: docs/states.md out of the state tables of this folder; the tables themselves live with their documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hub.domain import alert, answer, case, content, moves

_HEAD = """# States

Made by `python -m hub map --write` from the state tables in `hub/domain`; a test fails when it is stale. A move that
does not stand here does not happen: each is one compare-and-set that names the state it found. What a person presses
in each state is in the [handbook](handbook.md).
"""
_PUBLICATION = """## 发布 publication, and 更正 and 撤稿 (operation)
`hub/domain/moves.py`. An operation is kept in the same ledger by the same moves. 人 is a person with the right, 程序
one of the hub's own duties. `held` is certainly not public; `unknown` perhaps is, and only two roads lead from it to
another send: a person's word and then a release, or a platform whose "not there" is trusted, asked twice.
"""
_CONTENT = """## 稿件 content
`hub/domain/content.py`. An edit voids the approvals: they were given to another hash.
"""
_ALERT = """## 预警 alert
`hub/domain/alert.py`. A move marked ● needs a sentence. Levels of an issue: {levels}; 观察 tells nobody.
"""
_CASE = """## 工单 case
`hub/domain/case.py`. A move marked ● needs a sentence, ◎ one that the citizen reads. 举报 and 信访 are seen by named
handlers alone and never merged.
"""
_ANSWER = """## 答复 answer
`hub/domain/answer.py`. An edit voids the approval, which another person gave to exactly that text. Each citizen of the
case gets one delivery (送达), which moves in the ledger as a publication does.
"""
_WHO = {moves.PERSON: "人", moves.PROGRAM: "程序"}


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def _words(words: Mapping[str, str]) -> str:
    return _table(("state", "状态"), ((f"`{state}`", said) for state, said in words.items()))


def _content() -> str:
    rows = [(f"`{move.state}`", f"`{move.event}`", f"`{move.to}`", f"`{move.act}`") for move in content.MOVES]
    return "\n".join([_CONTENT, _words(content.STATES), _table(("state", "event", "then", "right"), rows)])


def _publication() -> str:
    rows = [
        (f"`{step.state}`", f"`{step.event}`", f"`{step.then}`", _WHO[step.who], step.words) for step in moves.MOVES
    ]
    steps = _table(("state", "event", "then", "who", "说明"), rows)
    outcomes = _table(("outcome", "含义"), ((f"`{name}`", said) for name, said in moves.OUTCOME_WORDS.items()))
    return "\n".join([_PUBLICATION, _words(moves.STATE_WORDS), steps, "How one attempt ends:\n", outcomes])


def _alert() -> str:
    rows = []
    for move in alert.MOVES.values():
        before = "、".join(f"`{state}`" for state in alert.STATE_NAMES if state in move.before)
        rows.append((f"`{move.act}` {move.name}", before, f"`{move.after}`", "●" if move.remark else ""))
    levels = "、".join(f"`{level}` {alert.LEVEL_NAMES[level]}" for level in alert.LEVELS)
    moved = _table(("move", "from", "then", "sentence"), rows)
    return "\n".join([_ALERT.format(levels=levels), _words(alert.STATE_NAMES), moved])


def _case() -> str:
    citizen = case.CITIZEN_WORDS
    words = _table(
        ("state", "状态", "群众读到"), ((f"`{state}`", said, citizen[state]) for state, said in case.STATES.items())
    )
    rows = []
    for move in case.MOVES.values():
        before = "、".join(f"`{state}`" for state in case.STATES if state in move.before)
        mark = "◎" if move.told else "●" if move.remark else ""
        rows.append((f"`{move.act}` {move.name}", before, f"`{move.after}`", f"`{move.right}`", mark))
    return "\n".join([_CASE, words, _table(("move", "from", "then", "right", "sentence"), rows)])


def _answer() -> str:
    rows = [(f"`{move.state}`", f"`{move.event}`", f"`{move.to}`", f"`{move.act}`") for move in answer.MOVES]
    moved = _table(("state", "event", "then", "right"), rows)
    ways = _table(("way", "送达方式，依次"), ((f"`{name}`", said) for name, said in answer.WAYS.items()))
    return "\n".join([_ANSWER, _words(answer.STATES), moved, ways])


def describe() -> str:
    """docs/states.md: every state with its Chinese word, and every legal move."""
    return "\n".join([_HEAD, _content(), _publication(), _alert(), _case(), _answer()])
