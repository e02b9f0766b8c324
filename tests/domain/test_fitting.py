"""A running watch takes up what the office changed, and goes on from the state that it has just saved."""

from __future__ import annotations

from collections.abc import Callable

from hub.desk import dictionary
from hub.desk.alerting import list_alerts
from hub.desk.fitting import new_watch
from hub.desk.watching import SAVE_EVERY, Watch
from nlp.detectors.deciding import Deciding
from nlp.detectors.ensemble import Ensemble
from nlp.detectors.settings import ClusterSettings
from tests.domain.listening_office import MONITOR, make_office
from tests.domain.test_alert_failures import WATER, said, ticks


async def test_a_figure_changed_while_the_watch_runs_holds_for_the_next_words_and_nothing_heard_is_lost() -> None:
    office, least, made = await make_office(), [50], []

    def maker(voices: int) -> Callable[[], Ensemble]:
        made.append(voices)
        return lambda: Ensemble(lambda: Deciding(ClusterSettings(least_voices=voices)))

    async def fit() -> tuple[object, Callable[[], Ensemble]]:
        return least[0], maker(least[0])

    watch = Watch(maker(50), fit)
    await said(office, *WATER[:5])
    await ticks(office, watch)
    assert await list_alerts(MONITOR, office.desk) == []
    least[0] = 4
    office.clock.move(SAVE_EVERY + 1)
    await ticks(office, watch, 1)  # it saves what it knows, and is made anew
    await said(office, WATER[5])
    await ticks(office, watch, 1)
    (alert,) = await list_alerts(MONITOR, office.desk)
    assert alert["numbers"]["voices"] == 6 and {50, 4} == set(made)


async def test_the_watch_of_a_worker_hears_with_the_offices_own_dictionary() -> None:
    office = await make_office()
    await dictionary.save_dictionary(MONITOR, office.desk, "一中,地名,,云川市第一中学")
    names = ["一中", "云川市第一中学"]
    lines = ["食堂的菜里吃出虫子", "食堂昨天有人拉肚子", "食堂的饭发霉了", "的食堂能不能查一查", "食堂涨价还不新鲜"]
    await said(office, *(names[number % 2] + line for number, line in enumerate(lines)))
    await ticks(office, await new_watch(office.desk))
    (alert,) = await list_alerts(MONITOR, office.desk)
    assert alert["numbers"]["voices"] >= 4 and "云川市第一中学" in alert["pair"]
