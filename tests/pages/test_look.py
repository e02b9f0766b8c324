"""The look held to its figures: contrast, both themes whole, nothing inline, everything escaped, charts true."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from hub import drawing, wording
from hub.pages.rendering import RAIL, Person, Shell
from hub.rendering import STATIC, TEMPLATES, Look, Renderer
from tests.pages import style

TOKENS = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
ATTACK = "</textarea><script>alert(1)</script>\"'<img src=x onerror=alert(2)>{{ 7 * 7 }}"


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})(?=;)", block))


def _block(selector: str) -> str:
    return TOKENS.split(selector + " {", 1)[1].split("}", 1)[0]


LIGHT = _colours(_block(":root"))
DARK = _colours(_block(':root[data-theme="dark"]'))


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


TEXT_PAIRS = [
    *product(("text", "text-2", "text-3"), ("surface", "bg", "sunken", "primary-soft", "hover")),
    *product(("text",), ("note", "mark-ground", "added", "heat-0", "heat-1", "danger-soft", "warn-soft", "ok-soft")),
    *[("text-2", ground) for ground in ("removed", "note", "danger-soft", "warn-soft")],
    *[("primary", ground) for ground in ("surface", "bg", "sunken", "primary-soft", "warn-soft")],
    *[(tone, ground) for tone in ("danger", "warn", "ok") for ground in ("surface", "sunken", f"{tone}-soft", "hover")],
    ("danger", "primary-soft"), ("warn", "primary-soft"), ("ok", "primary-soft"),
    ("on-fill", "primary-fill"), ("on-fill", "primary-fill-hover"), ("on-fill", "danger-fill"),
    ("text", "heat-2"), ("on-heat-3", "heat-3"), ("on-toast", "toast"), ("toast-link", "toast"),
]  # fmt: skip
EDGE_PAIRS = [
    *[("line-control", ground) for ground in ("surface",)],
    *[
        (line, "surface")
        for line in ("series-1", "series-2", "series-negative", "added-line", "removed-line", "primary")
    ],
]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_every_text_colour_is_readable_on_every_ground_it_stands_on(
    theme: dict[str, str], text: str, ground: str
) -> None:
    assert _contrast(theme[text], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), EDGE_PAIRS)
def test_every_edge_and_line_that_means_something_can_be_seen(theme: dict[str, str], line: str, ground: str) -> None:
    assert _contrast(theme[line], theme[ground]) >= 3.0


def test_black_on_white_measures_twenty_one() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)


def test_dark_is_whole_and_the_same_for_choice_and_for_device() -> None:
    device = _colours(TOKENS.split("prefers-color-scheme: dark", 1)[1].split("}", 1)[0])
    assert device == DARK
    assert DARK.keys() == LIGHT.keys()


def test_every_token_that_is_used_is_declared() -> None:
    declared = set(re.findall(r"--([a-z0-9-]+):", TOKENS))
    used = {
        name
        for file in (STATIC / "css").glob("*.css")
        for name in re.findall(r"var\(--([a-z0-9-]+)[,)]", file.read_text(encoding="utf-8"))
    }
    assert used - declared <= {"on-heat-2"}


def test_nothing_is_smaller_than_twelve_pixels() -> None:
    sizes = re.findall(r"--t\d+: ([\d.]+)rem", TOKENS)
    assert min(float(size) for size in sizes) * 16 >= 12


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    known = set(style.icon_names())
    sources = [file.read_text(encoding="utf-8") for file in TEMPLATES.rglob("*.html")]
    named = {name for source in sources for name in re.findall(r'icons?\.icon\("([a-z-]+)"', source)}
    assert named
    assert named - known == set()
    assert {item.icon for item in RAIL} <= known


def test_no_page_has_an_inline_style_script_or_handler() -> None:
    for name, page in style.pages().items():
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", page), name


def test_every_page_says_its_language_and_title_and_has_one_first_heading() -> None:
    for name, page in style.pages().items():
        assert '<html lang="zh-CN"' in page, name
        assert re.search(r"<title>[^<]+</title>", page), name
        assert len(re.findall(r"<h1\b", page)) == 1, name


def test_no_page_names_an_address_outside() -> None:
    for name, page in style.pages().items():
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', page), name


def test_a_staff_page_has_one_main_button_and_home_one_more_for_writing() -> None:
    made = style.pages()
    for name in ("publications", "board", "issue", "review", "login", "error"):
        assert made[name].count('data-kind="main"') <= 1, name
    assert made["home"].count('data-kind="main"') == 2


def test_what_people_wrote_is_escaped_in_every_macro() -> None:
    renderer = Renderer()
    forms, lists, chips, page = (renderer.macros(f"parts/{name}.html") for name in ("forms", "lists", "chips", "page"))
    error = {"field": "a", "message": ATTACK}
    made = [
        forms.text(
            "a", ATTACK, ATTACK, hint=ATTACK, error=ATTACK, placeholder=ATTACK, kept=ATTACK, extra={"title": ATTACK}
        ),
        forms.area("a", ATTACK, ATTACK, hint=ATTACK, error=ATTACK),
        forms.choice("a", ATTACK, [(ATTACK, ATTACK)], ATTACK),
        forms.radios("a", ATTACK, [(ATTACK, ATTACK)], ATTACK, error=ATTACK),
        forms.button(ATTACK, name="a", value=ATTACK, off=ATTACK),
        forms.act(ATTACK, ATTACK, ATTACK, values={"x": ATTACK}),
        forms.error_summary([error]),
        lists.work("check", ATTACK, ATTACK, ATTACK, ATTACK, href=ATTACK),
        lists.entry(ATTACK, ATTACK, ATTACK, by=ATTACK),
        lists.voice("博", ATTACK, ATTACK, ATTACK, [(ATTACK, True), (ATTACK, False)], ATTACK, aside=ATTACK),
        lists.timeline([{"at": ATTACK, "title": ATTACK, "text": ATTACK}]),
        lists.facts([(ATTACK, ATTACK)]),
        lists.figures([{"label": ATTACK, "value": ATTACK, "note": ATTACK, "spark": [1, 2]}]),
        chips.chip(ATTACK),
        chips.publication("held", ATTACK),
        chips.sign("博", ATTACK, "published"),
        chips.steps([{"state": "now", "title": ATTACK, "who": ATTACK, "note": ATTACK}]),
        chips.clock(ATTACK, "low", 0.5, ATTACK, ATTACK, ATTACK),
        page.head(ATTACK, ATTACK, ATTACK, [(ATTACK, ATTACK)], ATTACK),
        page.tabs([("a", ATTACK, ATTACK, 3)], "a", ATTACK),
        page.state("error", ATTACK, ATTACK),
        page.toast({"text": ATTACK, "undo": {"action": ATTACK, "hidden": {"a": ATTACK}}}, ATTACK),
    ]
    for markup in made:
        assert "<script>" not in markup and "<img" not in markup
        assert "{{ 7 * 7 }}" in markup


def test_a_forgotten_value_is_an_error_and_not_an_empty_place() -> None:
    with pytest.raises(UndefinedError):
        Renderer().render("site.html", look=Look(), here="", meta=style.META)


def test_the_look_comes_from_two_cookies_and_ignores_what_it_does_not_know() -> None:
    assert Look.of({"look-theme": "dark", "look-elder": "on"}) == Look("dark", True)
    assert Look.of({"look-theme": '"><script>', "look-elder": "yes"}) == Look()
    assert Look.of({"look-theme": "device"}) == Look("")


def test_an_asset_address_changes_with_its_content(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "a.css"
    file.write_text("a {}")
    first = Renderer(static=tmp_path).asset("a.css")
    file.write_text("b {}")
    assert first != Renderer(static=tmp_path).asset("a.css")


def test_the_rail_shows_an_alarm_in_place_of_a_plain_count() -> None:
    shell = Shell("云川", Person("周敏", "编辑"), "t").counted({"publications": 9, "reviews": 3}, {"publications": 2})
    shown = {item.key: (item.count, item.alarm) for item in shell.rail}
    assert shown["publications"] == (2, True)
    assert shown["reviews"] == (3, False)
    assert shown["home"] == (0, False)


def test_every_publication_state_has_a_word_an_icon_and_a_tone() -> None:
    words = Renderer().macros("parts/chips.html").publications
    states = [
        "scheduled",
        "waiting",
        "staging",
        "sending",
        "pending",
        "published",
        "removed",
        "held",
        "refused",
        "unknown",
        "cancelled",
    ]
    assert set(states) < set(words)
    assert all(
        icon in style.icon_names() and tone in ("ok", "warn", "danger", "quiet", "primary")
        for _, icon, tone in words.values()
    )
    assert len({words[state][:2] for state in ("unknown", "refused", "held", "published")}) == 4


@pytest.mark.parametrize(
    ("used", "state", "words"),
    [
        (0, "enough", ""),
        (111, "enough", ""),
        (112, "few", "余 28 字"),
        (140, "few", "余 0 字"),
        (141, "over", "超 1 字"),
    ],
)
def test_a_counter_turns_amber_at_a_fifth_left_and_red_beyond(used: int, state: str, words: str) -> None:
    made = str(Renderer().macros("parts/chips.html").counter(used, 140))
    assert f'data-state="{state}"' in made
    assert words in made and f"<span data-counter-used>{used}</span> / 140" in made


# ---- words

AT = datetime(2026, 11, 24, 1, 16, 20, tzinfo=UTC)


def test_times_are_written_in_the_offices_zone() -> None:
    assert wording.moment(AT) == "11 月 24 日 09:16"
    assert wording.full_moment(AT) == "2026-11-24 09:16"
    assert wording.weekday(AT) == "星期二"
    assert wording.day(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == "1 月 1 日"
    assert wording.stamp(AT) == "2026-11-24T09:16:20+08:00"


def test_a_time_is_written_as_short_as_is_clear() -> None:
    assert wording.near(AT, AT) == "09:16"
    assert wording.near(AT - timedelta(hours=10), AT) == "昨天 23:16"
    assert wording.near(AT + timedelta(days=1), AT) == "明天 09:16"
    assert wording.near(AT - timedelta(days=4), AT) == "11-20 09:16"
    assert wording.near(AT - timedelta(days=366), AT) == "2025-11-23 09:16"


def test_a_moment_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        wording.day(datetime(2026, 11, 24))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 秒"),
        (59, "59 秒"),
        (60, "1 分"),
        (17_040, "4 时 44 分"),
        (3_600, "1 时"),
        (90_000, "1 天 1 时"),
        (86_460, "1 天"),
        (-120, "2 分"),
    ],
)
def test_a_span_says_its_two_largest_units(seconds: int, said: str) -> None:
    assert wording.span(seconds) == said


def test_figures_are_written_with_their_marks() -> None:
    assert wording.number(1286) == "1,286"
    assert wording.percent(0.3316) == "33.2%"
    assert wording.number(None) == wording.percent(None) == "—"
    assert wording.size(12_400_000) == "12.4 MB" and wording.size(5_000_000) == "5 MB" and wording.size(12) == "12 字节"
    assert wording.fingerprint("9f3c71e0b2a4ffff") == "9f3c 71e0 b2a4"


# ---- drawing

FIGURES = st.lists(st.integers(0, 10**9), min_size=1, max_size=60)


@given(FIGURES)
def test_a_spark_never_leaves_its_room_and_keeps_the_order_of_its_values(values: list[int]) -> None:
    made = drawing.spark(values, "留言")
    spots = [tuple(map(float, pair.split(","))) for pair in made.points.split(" ")]
    assert len(spots) == len(values)
    assert all(0 <= x <= made.width and 0 <= y <= made.height for x, y in spots)
    for (before, after), (first, second) in zip(pairwise(values), pairwise(spots), strict=True):
        assert (second[1] <= first[1]) if after > before else (second[1] >= first[1])


@given(FIGURES)
def test_a_curve_stays_inside_its_axes_and_the_axis_counts_evenly(values: list[int]) -> None:
    times = [str(place) for place in range(len(values))]
    made = drawing.line_plot([values], ["留言"], times, band=[(value / 2, value) for value in values])
    ys = [float(pair.split(",")[1]) for pair in made.curves[0].points.split(" ")]
    assert all(made.top - 0.05 <= y <= made.bottom + 0.05 for y in ys)
    ticks = [float(tick.text.replace(",", "")) for tick in made.values]
    assert ticks[0] == 0 and ticks[-1] >= max(values)
    assert 2 <= len(ticks) <= 6
    assert len({after - before for before, after in pairwise(ticks)}) == 1


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=48))
def test_stacked_bars_stand_on_each_other_and_add_up(pairs: list[tuple[int, int]]) -> None:
    low, high = [below for below, _ in pairs], [above for _, above in pairs]
    made = drawing.stack_plot(low, high, ("新的人", "同文"), ["" for _ in pairs])
    for bar in made.bars:
        assert bar.high_y + bar.high_height == pytest.approx(bar.low_y, abs=0.11)
        assert bar.low_y + bar.low_height == pytest.approx(made.bottom, abs=0.11)
        assert bar.high_y >= made.top - 0.11


def test_a_chart_says_its_figures_in_words_and_nothing_when_there_are_none() -> None:
    assert drawing.described("负面", [3, 17, 0, 18]) == "负面：由 3 到 18，最高 18，最低 0"
    assert drawing.described("负面", []) == "负面：没有数据"
    assert drawing.line_plot([[]], ["负面"], []).label == "负面：没有数据"
    assert "NaN" not in str(Renderer().macros("parts/charts.html").trend("走势", [[]], ["留言"], []))


def test_a_list_of_bars_of_nothing_draws_no_bar() -> None:
    made = str(Renderer().macros("parts/charts.html").bar_list("在说什么", [{"label": "水", "value": 0}]))
    assert 'class="filled" width="0.0%"' in made
