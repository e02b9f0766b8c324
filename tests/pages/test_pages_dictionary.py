"""The page of the dictionary: a file, a few lines, what is wrong with them, finding a word, the table to take away."""

from __future__ import annotations

from tests.pages.desk_room import Room

HOME = "/settings/dictionary"
TABLE = "词,类别,区县,正式名称\n云川市第一中学,地名,临江区,\n一中,地名,,云川市第一中学\n"


async def send_file(room: Room, content: bytes, login: str = "monitor", version: int = 0) -> tuple[int, str]:
    person = await room.as_(login)
    answer = await person.post(f"{HOME}/file", {"version": str(version)}, files={"file": ("词典.csv", content)})
    return answer.status_code, answer.text


async def test_without_a_dictionary_the_page_says_what_is_missed_and_what_to_do(room: Room) -> None:
    text = (await (await room.as_("monitor")).get(HOME)).text
    assert "认不出本地的地名" in text and "还没有词" in text


async def test_a_table_in_gbk_is_taken_and_shown(room: Room) -> None:
    assert (await send_file(room, TABLE.encode("gb18030")))[0] == 303
    text = (await (await room.as_("sysadmin")).get(f"{HOME}?q=一中")).text
    assert "云川市第一中学" in text and "全部" in text
    away = await (await room.as_("reviewer")).post(f"{HOME}/export")
    assert away.text.lstrip("\ufeff").replace("\r\n", "\n") == TABLE


async def test_a_bad_line_is_named_and_what_was_typed_stays(room: Room) -> None:
    status, text = await send_file(room, (TABLE + "水,地名,,\n").encode())
    assert status == 422 and "第 4 行" in text and "词典没有换" in text
    person = await room.as_("monitor")
    answer = await person.post(f"{HOME}/lines", {"version": "0", "lines": "三中,学校"})
    assert answer.status_code == 422 and "三中,学校" in answer.text and "类别“学校”不认识" in answer.text
    assert (await person.post(f"{HOME}/lines", {"version": "0", "lines": "三中,地名"})).status_code == 303
    assert "三中" in (await person.get(HOME)).text


async def test_no_file_is_a_sentence_and_a_dictionary_that_was_changed_meanwhile_stays(room: Room) -> None:
    person = await room.as_("monitor")
    assert "没有收到文件" in (await person.post(f"{HOME}/file", {"version": "0"})).text
    await send_file(room, TABLE.encode())
    answer = await person.post(f"{HOME}/restore", {"version": "0"})
    assert answer.status_code == 409
    assert (await person.post(f"{HOME}/restore", {"version": "1"})).status_code == 303
    assert "还没有词" in (await person.get(HOME)).text


async def test_whoever_may_only_read_sees_no_form(room: Room) -> None:
    text = (await (await room.as_("reviewer")).get(HOME)).text
    assert "正在用的" in text and "改词典" not in text


async def test_what_is_too_long_to_be_typed_is_refused_and_not_cut_off(room: Room) -> None:
    person = await room.as_("monitor")
    answer = await person.post(f"{HOME}/lines", {"version": "0", "lines": "清水路号院,地名\n" * 3_000})
    assert answer.status_code == 422 and "一次补得太多" in answer.text
    assert "还没有词" in (await person.get(HOME)).text
