"""Every verb of the desk says who acts and asks whether they may; pages go through verbs; failpoints are struck."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.failpoints import NAMES
from hub.store.tables import SITE_TABLES, TABLES, Table

ROOT = Path(__file__).resolve().parents[2]
DESK = ROOT / "hub" / "desk"

# Public functions of the desk that take no actor first, each with its reason.
NO_ACTOR_FIRST = {
    "alerting.reopen": "what follows an alert, under the right of the verb that moved or raised it",
    "alerting.unfinished": "the same",
    "auditing.chain": "the carrier's own step, under its right",
    "auditing.note": "puts an act of a verb into the audit; the verb has asked",
    "beating.is_publishing": "the site and every page ask it before anybody is known; it tells yes or no",
    "beating.last_beat": "the desk's own watch asks it, and each beat; it tells a moment",
    "callbacks.receive": "makes a document, or wakes a look that is due anyway; taking in has asked",
    "casing.change_case": "the one compare-and-set of cases: the verbs that change one have asked",
    "casing.new_number": "a number for the verb that opens; it has asked",
    "casing.terms_of_office": "figures that every verb needs, whoever acts",
    "caring.close_tasks": "what follows a look or a new authorisation, under the right of either",
    "caring.follow": "what follows a look at an account, under its right",
    "claiming.is_own": "a step of sending and settling, under their right",
    "custody.StoredCustody.token": "a step of a channel's call; the verb that calls has asked",
    "delivering.raw_of": "whom an answer goes to, for delivering and looking; each has asked",
    "ledger.is_taken_back": "a step of correcting, operating and sending; each has asked",
    "lapsing.lapsed_claims": "a step of settling, under its right",
    "dispatching.wake": "a step of dispatch, under its right",
    "governing.StoredPolicies.value": "figures that every verb needs, whoever acts",
    "ledger.claim": "the compare-and-sets of the ledger: the verbs that move have asked",
    "ledger.earliest_due": "a look for the dispatcher, under its right",
    "ledger.intend": "the same",
    "ledger.move": "the same",
    "ledger.rules_of": "figures that every verb needs, whoever acts",
    "locking.admit": "before anybody is known",
    "locking.forgive": "the same",
    "fitting.new_watch": "made when a worker starts; each of its ticks asks",
    "guarding.Guard.run": "calls its own look for ever, which asks",
    "hastening.hasten": "a step of settling, under its right",
    "handling.again": "fields of a case that begins once more; the verb has asked",
    "matching.match": "a step of grouping, under its right",
    "dictionary.pointer_of": "which dictionary is in force, for the verbs and the readers; each has asked",
    "dictionary.text_of": "its text, for the verbs and the readers; each has asked",
    "dictionary.words_of": "its words, for the verbs; each has asked",
    "model.condition": "a doctor's line; it tells one sentence",
    "dictionary.condition": "a doctor's line; it tells one sentence",
    "hinting.condition": "the same",
    "model.figures_of": "figures for the verbs that change the model; each has asked",
    "opening.finish_move": "what follows a merge, under the right of the verb that merged",
    "opening.recount": "what follows words that came into a case, under the right of the verb that brought them",
    "operating.file_tasks": "what follows an operation, under the right of the verb that moved it",
    "operating.finish": "the same",
    "obeying.add": "the durable row of a decision; the verb that decides, or the watch, has asked",
    "obeying.as_decision": "a step of the watch, under its right",
    "obeying.carry_out": "the same",
    "obeying.finish": "the same",
    "obeying.next_decision": "the same",
    "obeying.teach": "the same",
    "obeying.undecided": "the same",
    "paging.page": "one page of a query; the verb that lists has asked",
    "picturing.Drawing.draw": "bytes in, a picture out: nothing of the office",
    "picturing.Drawing.fit": "the same",
    "pointing.Pointer.change": "the one compare-and-set of a pointer: the verbs that change it have asked",
    "pointing.Pointer.claim": "a step of training, under its right",
    "pointing.Pointer.now": "a pointer for the verbs and the workers; each has asked",
    "pointing.Pointer.under_lease": "a step of training, under its right",
    "pointing.in_own_process": "runs a function of nlp: nothing of the office",
    "preflighting.foresee": "what is known of a post that is being planned; the verb that plans has asked",
    "quotas.StoredMeter.believe": "a step of a channel's call; the verb that calls has asked",
    "quotas.StoredMeter.clock": "the same",
    "quotas.StoredMeter.give_back": "the same",
    "quotas.StoredMeter.take": "the same",
    "quotas.ahead_of": "figures for the verbs that plan; each has asked",
    "quotas.left_of": "figures for the verbs that send and plan; each has asked",
    "quotas.spent": "the same",
    "publishing.quiet_notes": "what is said of times just given; the verb that gave them has asked",
    "raising.write": "a step of the watch, under its right",
    "reading._Round.lane": "a step of reading, which has asked",
    "reading_pool._Process.read": "texts in, analyses out: nothing of the office",
    "reading_pool._Process.start": "the same",
    "reading_pool.ReadingPool.read": "texts in, analyses out: nothing of the office",
    "recording.record": "makes a document and stores nothing; taking it in has asked",
    "remembering.keep": "a step of the watch, under its right",
    "remembering.recall": "the same",
    "reviewing.levels_of": "how many approvals a column needs, whoever asks",
    "reviewing.reviews_of": "verdicts for the rules of review; the verb that shows them has asked",
    "sending.carry_out": "a step of dispatch and operate, under their right",
    "settling.staged_again": "what was sent, put together again; the settler has asked",
    "signing_in.actor_of_token": "this is what makes an actor",
    "signing_in.begin_enrolment": "one's own session, not an actor yet",
    "signing_in.checked_again": "the same",
    "signing_in.confirm": "the same",
    "signing_in.end": "the same",
    "signing_in.finish_enrolment": "the same",
    "signing_in.limits_of": "figures that signing in needs",
    "signing_in.resume": "this is what makes an actor",
    "signing_in.second": "one's own session, not an actor yet",
    "signing_in.sign_in": "nobody is known yet",
    "signing_in.sign_out": "one's own session",
    "staffing.everybody": "whom to tell; nobody is shown",
    "staffing.change_own_password": "one's own session, not an actor yet",
    "summing.counts_of": "a step of summing up, under the deliverer's right",
    "summing.sum_quietly": "what follows deliveries that moved, under the right of the verb that moved them",
    "summing.sum_up": "the same",
    "topics.condition": "a doctor's line; it tells one sentence",
    "topics.tree_of": "names to choose from, for the verbs and the worker; each has asked",
    "tailing.Tail.listening": "wakes pages, which then read what they may see",
    "tailing.Tail.look": "the same",
    "tailing.Tail.run": "the same",
    "variants.missing_pictures": "facts of a text that is to be sent; the verb has asked",
    "variants.revision_of": "a revision for sending; the verb has asked",
    "variants.variant_of": "the same",
    "watching.Watch.close": "gives the lease back when the worker ends",
    "watching.WordList.look": "a step of the watch, under its right",
    "watchwords.words_in_force": "the same",
    "watchwords.words_mark": "the same",
    "writing.content_of": "a content for the verbs; each has asked",
    "writing.reviewers_of": "whom to tell",
    "writing.revision_of": "a revision for the verbs; each has asked",
}


def verbs(path: Path) -> Iterator[tuple[str, ast.AsyncFunctionDef]]:
    """Every public async function and method of a file, but what a protocol asks of others, with its name."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield f"{path.stem}.{node.name}", node
        if isinstance(node, ast.ClassDef) and "Protocol" not in [ast.unparse(base) for base in node.bases]:
            for inner in node.body:
                if isinstance(inner, ast.AsyncFunctionDef) and not inner.name.startswith("_"):
                    yield f"{path.stem}.{node.name}.{inner.name}", inner


def takes_an_actor(verb: ast.AsyncFunctionDef) -> bool:
    given = [each for each in verb.args.args if each.arg != "self"]
    return bool(given) and given[0].arg == "actor" and given[0].annotation is not None and (
        ast.unparse(given[0].annotation) == "Actor"
    )


def asks(verb: ast.AsyncFunctionDef) -> bool:
    """Whether it asks `require(actor, …)`, or shows nothing where `may(actor, …)` says no."""
    calls = [node for node in ast.walk(verb) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return any(
        call.func.id in ("require", "may") and call.args and ast.unparse(call.args[0]) == "actor"  # type: ignore[attr-defined]
        for call in calls
    )


ALL = [pair for path in sorted(DESK.glob("*.py")) for pair in verbs(path)]


def test_every_verb_takes_the_actor_first_or_stands_here_with_its_reason() -> None:
    without = {name for name, verb in ALL if not takes_an_actor(verb)}
    assert without - set(NO_ACTOR_FIRST) == set(), "take `actor: Actor` first, or say here why not"
    assert set(NO_ACTOR_FIRST) - without == set(), "these take an actor by now: strike them from the list"


@pytest.mark.parametrize("name", [name for name, verb in ALL if takes_an_actor(verb)])
def test_a_verb_with_an_actor_asks_what_this_actor_may(name: str) -> None:
    assert asks(dict(ALL)[name])


def test_a_verb_that_asks_nothing_is_seen_where_one_is_planted() -> None:
    planted = ast.parse("async def publish(actor: Actor, desk: Desk) -> None: await desk.store.get('a', 'b')").body[0]
    assert isinstance(planted, ast.AsyncFunctionDef)
    assert takes_an_actor(planted) and not asks(planted)


def test_pages_ask_the_desk_and_never_its_store() -> None:
    """A page that reads the store itself passes by every right."""
    found = []
    for path in sorted((ROOT / "hub" / "pages").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("store", "files", "sealer", "connect"):
                whose = ast.unparse(node.value)
                if whose.endswith("desk") or "desk_of(" in whose:
                    found.append(f"{path.name}:{node.lineno} {ast.unparse(node)}")
    assert found == []


# ---- failpoints


def reached() -> set[str]:
    names = set()
    for path in (ROOT / "hub").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("failpoints.reach"):
                names.add(ast.literal_eval(node.args[0]))
    return names


def struck() -> set[str]:
    """The points that some test arms: their names stand in the tests beside `kill`, `raise` or `hang`, or in a list."""
    files = [path for path in (ROOT / "tests").rglob("*.py") if path.name != Path(__file__).name]
    texts = "\n".join(path.read_text("utf-8") for path in files)
    return {name for name in NAMES if name in texts}


def test_the_points_in_the_code_are_the_points_in_the_list() -> None:
    assert reached() == set(NAMES)


def test_every_point_is_struck_by_a_test() -> None:
    assert set(NAMES) - struck() == set()


# ---- indexes


@pytest.mark.parametrize("table", [*TABLES, *SITE_TABLES], ids=lambda table: table.name)
def test_no_index_is_the_beginning_of_another(table: Table) -> None:
    """Such an index costs a write each time and answers nothing that the longer one does not."""
    keys = [tuple(path.removeprefix("-") for path in index) for index in (*table.indexes, *table.unique)]
    double = [key for key in keys if any(other != key and other[: len(key)] == key for other in keys)]
    assert double == []
