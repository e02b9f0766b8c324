"""An office's own tree of topics: read from its table, routed by names on the first day, better with labels."""

from __future__ import annotations

import argparse
import io
import json
import pickle
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.commands import analyse, evaluate, train
from hub.domain.errors import Misconfigured
from nlp.model_file import ModelFileError
from nlp.normal import normalise
from nlp.reading import Reader
from nlp.sentiment import load_model, read_model, write_model
from nlp.topic_model import read_topic_model, write_topic_model
from nlp.topic_training import FOLDS, Filed, fold_of, once, routed, train_topics, trained_topics, try_out_topics
from nlp.topic_tree import Tree, civic_tree, decoded, read_tree
from nlp.topics import Topics, title_length

TABLE = """一级分类,二级分类,三级分类
城市运行,公用设施,自来水供应
城市运行,公用设施,燃气供应
城市运行,公用设施,其他
城市运行,市容环卫,垃圾清运
城市运行,市容环卫,其他
出行服务,公共交通,公共汽车
出行服务,公共交通,票价优惠
出行服务,道路管理,信号灯
学校教育,招生考试,入学划片
学校教育,招生考试,其他
学校教育,校园管理,食堂
"""
TREE = read_tree(TABLE)[0]
# Words of a place that no name of the tree holds: a nickname for the ferry, one for the town's kindergarten.
FERRY = ("蓝鲸号今早又没开，码头上站满了人", "等蓝鲸号等了四十分钟，没人出来说一声", "蓝鲸号的甲板滑，老人摔了一跤",
         "周末能不能给蓝鲸号加开一班", "蓝鲸号晚上收得太早，下夜班的过不了江", "蓝鲸号的检票口应当装个雨棚")
SPROUT = ("小芽园的名额是怎么定的，请公布一下", "小芽园把我家孩子的材料弄丢了", "听说小芽园明年搬走，我们送哪里",
          "小芽园中午的菜总是凉的", "小芽园门口早上乱成一团", "小芽园的老师换了三个，孩子认生")


def filed() -> list[Filed]:
    endings = ("。", "，盼回复。", "，谢谢。", "，拜托了。", "，已经一个月了。", "，请过问。")
    said = [(text, "出行服务") for text in FERRY] + [(text, "学校教育") for text in SPROUT]
    return [Filed(f"{text}\n{text}{ending}", branch) for ending in endings for text, branch in said]


def call(command: ModuleType, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser)
    return int(command.run(parser.parse_args(list(words))))


# ---- the tree


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_as_office_programs_write_it(encoding: str) -> None:
    tree, bad = read_tree(decoded(TABLE.replace("\n", "\r\n").encode(encoding)))
    assert (tree.branches, tree.levels, bad) == (("城市运行", "出行服务", "学校教育"), (3, 6, 11), [])


def test_bad_rows_are_named_with_line_and_reason_and_the_rest_goes_on() -> None:
    rows = ("甲,乙,丙", ",乙,丁", "甲,,戊", "甲,乙,丙", "甲,乙,丙,己,庚", f"甲,{'长' * 41}", "甲,乙,辛", '"甲,乙')
    tree, bad = read_tree("\n".join(("一级分类,二级分类,三级分类", *rows)))
    assert [row.line for row in bad] == [3, 4, 5, 6, 7]
    assert "没有一级分类" in bad[0].reason and "没有二级分类" in bad[1].reason
    assert bad[2].reason == "与第 2 行相同"
    assert "最多 3 级" in bad[3].reason and "最多 40 个字" in bad[4].reason
    assert tree.find("甲/乙/辛") is not None


def test_a_picture_is_no_table() -> None:
    with pytest.raises(ValueError, match="另存为 CSV"):
        decoded(b"\x89PNG\x00\x01")


def test_two_levels_with_how_people_say_it_are_enough() -> None:
    tree, bad = read_tree("一级分类,二级分类,常用说法\n城市运行,供暖,暖气 不热\n出行服务,轮渡,\n")
    assert bad == [] and tree.levels == (2, 2)
    assert Topics(tree).route("家里的暖气三天了") is not None


def test_every_node_has_a_name_of_its_own_and_is_found_by_it_and_by_its_way() -> None:
    assert {"公共汽车", "公用设施/其他", "市容环卫/其他", "公用设施"} <= {topic.name for topic in TREE.topics}
    assert all(TREE.find(topic.name) is topic and TREE.find(topic.whole) is topic for topic in TREE.topics)


NAME = st.text("甲乙丙丁其他/，\"\t 综合", min_size=0, max_size=6)


@given(st.lists(st.tuples(NAME, NAME, NAME, NAME), max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_table_becomes_a_tree_that_survives_being_written_and_read(rows: list[tuple[str, ...]]) -> None:
    tree, bad = read_tree("\n".join(",".join(row) for row in rows))
    again, worse = read_tree(tree.written())
    assert (again.written(), again.digest, worse) == (tree.written(), tree.digest, [])
    assert [topic.path for topic in again.topics] == [topic.path for topic in tree.topics]
    assert len({topic.name for topic in tree.topics}) == len(tree.topics)
    assert all(1 <= row.line <= len(rows) for row in bad)


def test_the_products_own_tree_is_a_tree_like_any_other() -> None:
    tree = civic_tree()
    assert read_tree(tree.written())[0].digest == tree.digest
    assert tree.find("供水") is not None


# ---- by names


@pytest.mark.parametrize(
    ("text", "branch", "topic"),
    [
        ("松苑小区的自来水供应又断了", "城市运行", "自来水供应"),
        ("北苑路口的信号灯坏了\n已经两天，大家自己看着过。", "出行服务", "信号灯"),
        ("孩子入学划片怎么划\n想问问今年的办法。", "学校教育", "入学划片"),
        ("公共交通太挤\n早上挤不上去。", "出行服务", "公共交通"),
    ],
)
def test_a_text_is_routed_by_names_alone_to_its_first_level_and_the_best_node(
    text: str, branch: str, topic: str
) -> None:
    plain = normalise(text)
    found = Topics(TREE).route(plain, title_length(text, plain))
    assert found is not None
    assert (found.branch, found.topic) == (branch, topic)


def test_a_title_says_more_than_a_word_in_passing() -> None:
    text = "公共汽车司机态度差\n在学校食堂门口那一站，垃圾清运的车挡着，司机就骂人。"
    assert routed(Topics(TREE), text) == "出行服务"


@given(st.text(max_size=80), st.integers(0, 100))
@settings(max_examples=200, deadline=None)
def test_any_text_is_routed_to_a_node_of_the_tree_or_nowhere(text: str, title: int) -> None:
    found = Topics(TREE).route(normalise(text), title)
    assert found is None or TREE.find(found.topic).branch == found.branch  # type: ignore[union-attr]


def test_what_is_called_the_rest_is_never_chosen_by_a_program() -> None:
    assert Topics(TREE).route("其他的没有了") is None


def test_an_analysis_names_the_node_and_its_first_level() -> None:
    found = Reader(topics=Topics(TREE)).read("松苑小区的燃气供应不稳\n已经一周。", "letter")
    assert (found.branch, found.topic) == ("城市运行", "燃气供应")


# ---- with labels


def test_labels_teach_words_that_no_name_holds() -> None:
    text = "蓝鲸号的时刻表能不能贴在码头\n请考虑。"
    assert routed(Topics(TREE), text) == "—"
    assert routed(Topics(TREE, train_topics(TREE, filed())), text) == "出行服务"


def test_a_trial_measures_every_label_with_models_that_have_not_seen_it() -> None:
    trial = try_out_topics(filed(), TREE.written(), None)
    assert trial.before["texts"] == trial.after["texts"] == sum(trial.labels.values()) == len(once(filed()))
    right = [sum(row["right"] for row in side["branches"]) for side in (trial.before, trial.after)]
    assert right[1] > right[0]
    assert len(trial.tried) == FOLDS


def test_a_later_trial_measures_the_former_models_fold_by_fold() -> None:
    labels = filed()
    first = try_out_topics(labels, TREE.written(), None)
    again = try_out_topics(labels, TREE.written(), first.tried)
    assert again.before == first.after == again.after


def test_labels_of_the_same_words_count_once_and_lie_in_one_fold() -> None:
    twice = [Filed("蓝鲸号没开。", "出行服务"), Filed("蓝鲸号 没开！", "学校教育")]
    assert once(twice) == twice[:1]
    assert fold_of(twice[0].text) == fold_of(twice[1].text)


def test_training_topics_twice_gives_the_same_bytes() -> None:
    assert trained_topics(filed(), TREE.written()) == trained_topics(filed(), TREE.written())


def test_a_short_comment_is_left_to_the_names_also_where_there_is_a_model() -> None:
    topics = Topics(TREE, train_topics(TREE, filed()))
    assert topics.route("蓝鲸号没开") is None


def test_a_model_file_carries_schema_and_digest_and_no_pickle() -> None:
    model = train_topics(TREE, filed())
    data = write_topic_model(model)
    again = read_topic_model(data)
    assert again.fits(TREE) and not again.fits(civic_tree())
    assert write_topic_model(again) == data
    assert again.about["schema"] == "topics-1" and len(again.about["sha256"]) == 64
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 255
    for wrong in (bytes(damaged), b"", pickle.dumps({}), write_model(load_model())):
        with pytest.raises(ModelFileError):
            read_topic_model(wrong)
    with pytest.raises(ModelFileError):
        read_model(data)


def test_a_model_keeps_no_run_of_characters_that_stood_in_one_text_only() -> None:
    once_only = Filed("罕见字样龘靐只此一处\n请看。", "出行服务")
    assert not any("龘" in gram for gram in train_topics(TREE, [*filed(), once_only]).vocabulary)


# ---- by command


def files(tmp_path: Path) -> tuple[str, str]:
    tree = tmp_path / "tree.csv"
    tree.write_bytes(TABLE.encode("gb18030"))
    labels = tmp_path / "labels.jsonl"
    rows = [{"title": t.text.split("\n")[0], "text": t.text.split("\n")[1], "topic": t.branch} for t in filed()]
    labels.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return str(tree), str(labels)


def test_topics_are_trained_and_measured_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree, labels = files(tmp_path)
    model = str(tmp_path / "m.npz")
    assert call(train, labels, "--topics", tree, "--out", model) == 0
    assert "主题模型写到" in capsys.readouterr().out
    found = {}
    for name, more in {"names": (), "folds": ("--folds", "5"), "model": ("--model", model)}.items():
        assert call(evaluate, labels, "--topics", tree, "--json", *more) == 0
        found[name] = json.loads(capsys.readouterr().out)
    assert found["names"]["all"]["texts"] == found["folds"]["all"]["texts"] == 72
    assert found["names"]["even_rows"]["texts"] == 36
    assert found["model"]["all"]["accuracy"] >= found["folds"]["all"]["accuracy"] > found["names"]["all"]["accuracy"]


def test_a_label_that_the_tree_does_not_have_is_named_by_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree, _ = files(tmp_path)
    labels = tmp_path / "some.jsonl"
    rows = ('{"text": "公共汽车", "topic": "公共汽车"}', '{"text": "x", "topic": "航天"}', '{"text": "x"}')
    labels.write_text("\n".join(rows), "utf-8")
    assert call(evaluate, str(labels), "--topics", tree) == 1
    said = capsys.readouterr()
    assert "1 条，准确率 1.000" in said.out
    assert "第 2 行没有用上：分类表里没有“航天”" in said.err and "第 3 行" in said.err


def test_an_offices_tree_and_model_are_used_by_analyse(tmp_path: Path) -> None:
    tree, labels = files(tmp_path)
    model, out = str(tmp_path / "m.npz"), tmp_path / "out.jsonl"
    call(train, labels, "--topics", tree, "--out", model)
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"text": "蓝鲸号的时刻表贴哪里\n请贴在码头。"}, ensure_ascii=False) + "\n", "utf-8")
    assert call(analyse, str(source), "--topics", tree, "--topic-model", model, "--out", str(out)) == 0
    assert json.loads(out.read_text("utf-8"))["analysis"]["branch"] == "出行服务"


def test_a_model_of_another_tree_and_an_empty_tree_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree, labels = files(tmp_path)
    model = str(tmp_path / "m.npz")
    call(train, labels, "--topics", tree, "--out", model)
    capsys.readouterr()
    with pytest.raises(Misconfigured, match="另一张分类表"):
        call(analyse, labels, "--topic-model", model)
    empty = tmp_path / "empty.csv"
    empty.write_text("一级分类,二级分类\n城市运行,供水\n", "utf-8")
    with pytest.raises(Misconfigured, match="两个以上的一级分类"):
        call(evaluate, labels, "--topics", str(empty))


def test_bad_rows_of_a_tree_are_said_on_the_error_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, labels = files(tmp_path)
    tree = tmp_path / "bad.csv"
    tree.write_text(TABLE + ",缺了,一级\n", "utf-8")
    assert call(evaluate, labels, "--topics", str(tree)) == 1  # measured all the same
    assert "分类表第 13 行没有用上：没有一级分类" in capsys.readouterr().err


def test_trees_compare_by_what_they_hold() -> None:
    same = Tree((topic.path, topic.names) for topic in TREE.topics)
    assert same.digest == TREE.digest != civic_tree().digest
    assert io.StringIO(TREE.written()).readline().startswith("一级分类")
