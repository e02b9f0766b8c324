"""The office's dictionary: changed as a whole or by a few words, by those who may, and taken back by one press."""

from __future__ import annotations

import pytest

from hub.desk import dictionary
from hub.desk.desk import Desk
from hub.domain.errors import Conflict, Invalid, NotAllowed
from hub.store.files import FilesInMemory
from tests.domain.listening_office import EDITOR, MONITOR, make_office

TABLE = "词,类别,区县,正式名称\n云川市第一中学,地名,临江区,\n一中,地名,,云川市第一中学\n"


@pytest.fixture
async def desk() -> Desk:
    return (await make_office()).desk


async def words(desk: Desk) -> list[str]:
    return [word.word for word in await dictionary.all_words(MONITOR, desk)]


async def test_before_anybody_brought_one_there_is_none_and_nothing_to_go_back_to(desk: Desk) -> None:
    found = await dictionary.dictionary(MONITOR, desk)
    assert (found.found, found.pointer["words"]) == (0, 0)
    with pytest.raises(Conflict, match="没有上一版"):
        await dictionary.restore_dictionary(MONITOR, desk)


async def test_a_new_dictionary_replaces_the_old_one_and_the_old_one_comes_back_by_one_press(desk: Desk) -> None:
    await dictionary.save_dictionary(MONITOR, desk, TABLE)
    await dictionary.save_dictionary(MONITOR, desk, "供水集团,机构")
    assert await words(desk) == ["供水集团"]
    await dictionary.restore_dictionary(MONITOR, desk)
    assert await words(desk) == ["云川市第一中学", "一中"]
    await dictionary.restore_dictionary(MONITOR, desk)
    assert await words(desk) == ["供水集团"]


async def test_one_bad_line_changes_nothing_unless_bad_lines_are_to_be_skipped(desk: Desk) -> None:
    bad = TABLE + "水,地名,,\n"
    with pytest.raises(Invalid, match=r"有 1 行要改.*第 4 行"):
        await dictionary.save_dictionary(MONITOR, desk, bad)
    assert await words(desk) == []
    _, problems = await dictionary.save_dictionary(MONITOR, desk, bad, skip_bad=True)
    assert len(problems) == 1 and await words(desk) == ["云川市第一中学", "一中"]
    with pytest.raises(Invalid, match="没有一个可用的词"):
        await dictionary.save_dictionary(MONITOR, desk, "  \n")


async def test_words_are_added_and_one_that_is_known_takes_its_new_meaning(desk: Desk) -> None:
    await dictionary.save_dictionary(MONITOR, desk, TABLE)
    await dictionary.add_words(MONITOR, desk, "二中，地名\n一中，地名，，云川市第二中学")
    found = await dictionary.all_words(MONITOR, desk)
    assert [(word.word, word.same_as) for word in found] == [
        ("云川市第一中学", ""), ("一中", "云川市第二中学"), ("二中", ""),
    ]  # fmt: skip
    with pytest.raises(Invalid, match=r"没有补上.*第 1 行"):
        await dictionary.add_words(MONITOR, desk, "三中,学校")
    assert len(await words(desk)) == 3


async def test_who_saw_an_older_one_is_told_and_changes_nothing(desk: Desk) -> None:
    seen = (await dictionary.dictionary(MONITOR, desk)).pointer["version"]
    await dictionary.save_dictionary(MONITOR, desk, TABLE, version=seen)
    with pytest.raises(Conflict, match="刚被别人换过"):
        await dictionary.save_dictionary(MONITOR, desk, "供水集团,机构", version=seen)
    assert len(await words(desk)) == 2


async def test_an_editor_changes_no_dictionary(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        await dictionary.save_dictionary(EDITOR, desk, TABLE)


async def test_words_are_found_by_name_full_name_and_district_a_page_at_a_time(desk: Desk) -> None:
    many = "".join(f"清水路{number}号院,地名,北岭区\n" for number in range(250))
    await dictionary.save_dictionary(MONITOR, desk, TABLE + many)
    first = await dictionary.dictionary(MONITOR, desk, search="北岭区")
    assert (first.found, len(first.rows), first.next) == (250, 30, 30)
    last = await dictionary.dictionary(MONITOR, desk, search="北岭区", start=240)
    assert (len(last.rows), last.next) == (10, None)
    assert [word.word for word in (await dictionary.dictionary(MONITOR, desk, search="第一中学")).rows] == [
        "云川市第一中学", "一中",
    ]  # fmt: skip


async def test_the_doctor_hears_how_many_words_there_are_and_that_their_file_is_gone(desk: Desk) -> None:
    assert await dictionary.condition(desk.store, desk.files) == ("没有本单位的词典", "")
    await dictionary.save_dictionary(MONITOR, desk, TABLE)
    assert await dictionary.condition(desk.store, desk.files) == ("本单位的词典，2 个词", "")
    said, trouble = await dictionary.condition(desk.store, FilesInMemory())
    assert said == "" and "请从备份取回" in trouble
