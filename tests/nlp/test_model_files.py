"""Model files: whatever was cut, altered, made by another version or put together wrongly is refused in a sentence."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nlp import model_file
from nlp.model_file import ModelFileError, packed
from nlp.sentiment import load_model, read_model, write_model
from nlp.topic_model import read_topic_model, write_topic_model
from nlp.topic_training import Filed, train_topics
from nlp.topic_tree import civic_tree
from nlp.training import own_corpus, train
from nlp.urgency import read_urgency_model, write_urgency_model
from nlp.urgency_training import own_marks, train_urgency

Read = Callable[[bytes], Any]
Arrays = dict[str, NDArray[Any]]


@cache
def whole(kind: str) -> tuple[bytes, Read]:
    """A small whole model of a kind, and what reads it."""
    if kind == "情感模型":
        return write_model(train(own_corpus()[:60])), read_model
    if kind == "主题模型":
        branches = civic_tree().branches
        letters = [Filed(f"{branch}的事，第{n}件", branch) for branch in branches[:3] for n in range(2)]
        return write_topic_model(train_topics(civic_tree(), letters)), read_topic_model
    marks = own_marks()
    return write_urgency_model(train_urgency([*marks[:60], *marks[-60:]])), read_urgency_model


WRITE: dict[str, Callable[[Any], bytes]] = {
    "情感模型": write_model,
    "主题模型": write_topic_model,
    "紧急提示模型": write_urgency_model,
}
KINDS = pytest.mark.parametrize("kind", ["情感模型", "主题模型", "紧急提示模型"])


def parts(data: bytes) -> tuple[Arrays, dict[str, Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads(arrays.pop("about").tobytes())


def with_about(arrays: Arrays, about: object) -> bytes:
    """As `packed` writes it, but with anything said about it."""
    buffer = io.BytesIO()
    said = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    np.savez_compressed(buffer, allow_pickle=False, about=said, **arrays)
    return buffer.getvalue()


@KINDS
def test_a_model_file_cut_anywhere_is_refused(kind: str) -> None:
    data, read = whole(kind)
    for end in (0, 1, 4, 30, len(data) // 3, len(data) // 2, len(data) - 40, len(data) - 1):
        with pytest.raises(ModelFileError, match=f"不是{kind}文件，或文件已损坏"):
            read(data[:end])


@KINDS
@given(place=st.integers(0, 1 << 40), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_bit_that_turned_is_found_or_changes_nothing(kind: str, place: int, bit: int) -> None:
    data, read = whole(kind)
    turned = bytearray(data)
    turned[place % len(data)] ^= 1 << bit
    try:
        found = read(bytes(turned))
    except ModelFileError:
        return
    assert WRITE[kind](found) == data  # a date or a name that no reader looks at


@KINDS
def test_other_numbers_under_the_old_digest_are_refused(kind: str) -> None:
    data, read = whole(kind)
    arrays, about = parts(data)
    name = next(name for name in sorted(arrays) if name.endswith("bias"))
    arrays[name] = arrays[name] + 1
    with pytest.raises(ModelFileError, match="校验值"):
        read(with_about(arrays, about))


@KINDS
def test_a_model_of_another_schema_says_so_and_what_to_do(kind: str) -> None:
    data, read = whole(kind)
    arrays, about = parts(data)
    with pytest.raises(ModelFileError, match="重新训练"):
        read(with_about(arrays, {**about, "schema": "later-9"}))


def test_a_model_of_a_newer_version_asks_for_the_newer_version() -> None:
    arrays, about = parts(whole("情感模型")[0])
    with pytest.raises(ModelFileError, match=r"来自更新的版本.*请先升级"):
        read_model(with_about(arrays, {**about, "schema": about["schema"] + 1}))


@KINDS
@pytest.mark.parametrize("about", [[], 5, None, "words", {}])
def test_what_is_said_of_a_model_may_be_anything(kind: str, about: object) -> None:
    data, read = whole(kind)
    with pytest.raises(ModelFileError):
        read(with_about(parts(data)[0], about))


def of_another_shape(value: NDArray[Any]) -> list[NDArray[Any]]:
    """The same array cut, turned, of words, of none, of no numbers."""
    flat = value.reshape(-1)
    wrong = [flat[:-1], value[..., np.newaxis], np.zeros(0, dtype=value.dtype), np.arange(value.size)]
    if value.dtype.kind == "f":
        wrong += [value * np.float32("nan"), value + np.float32("inf"), value.astype("<U9")]
    else:
        wrong += [np.full_like(value, ""), np.full_like(value, "水"), np.frombuffer(b"\x80" * 8, dtype=np.uint8)]
    return [one for one in wrong if one.shape != value.shape or one.dtype != value.dtype or one.dtype.kind == "f"
            or len(set(one.tolist())) < one.size]  # fmt: skip


@KINDS
def test_a_model_whose_parts_do_not_fit_each_other_is_refused_whatever_its_digest_says(kind: str) -> None:
    data, read = whole(kind)
    arrays, about = parts(data)
    about.pop("sha256")
    for name in arrays:
        others = {key: value for key, value in arrays.items() if key != name}
        with pytest.raises(ModelFileError, match="缺了一部分，或各部分对不上"):
            read(packed(others, about))
        for wrong in of_another_shape(arrays[name]):
            with pytest.raises(ModelFileError, match="缺了一部分，或各部分对不上"):
                read(packed({**others, name: wrong}, about))


@pytest.mark.parametrize("features", [None, [], {}, {"comment": [1]}, {"comment": 5}, {"诗": [False, 0.0]}, [1]])
def test_a_sentiment_model_without_a_known_profile_is_refused(features: object) -> None:
    arrays, about = parts(whole("情感模型")[0])
    with pytest.raises(ModelFileError, match="各部分对不上"):
        read_model(packed(arrays, {**_plain(about), "features": features}))


def _plain(about: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in about.items() if key != "sha256"}


def test_a_spread_of_nothing_is_refused_since_it_divides() -> None:
    arrays, about = parts(whole("情感模型")[0])
    spread = arrays["comment.spread"] * 0
    with pytest.raises(ModelFileError, match="各部分对不上"):
        read_model(packed({**arrays, "comment.spread": spread}, _plain(about)))


@KINDS
def test_a_pickle_is_never_opened_whatever_it_is_wrapped_in(kind: str) -> None:
    opened: list[int] = []

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (opened.append, (1,))

    read = whole(kind)[1]
    wrapped = io.BytesIO()
    np.savez(wrapped, about=np.array([Trap()], dtype=object))
    for data in (pickle.dumps(Trap()), wrapped.getvalue()):
        with pytest.raises(ModelFileError):
            read(data)
    assert opened == []


def test_a_file_that_unpacks_to_more_than_any_model_is_not_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file, file.open("about.npy", "w") as part:
        for _ in range(model_file.LARGEST // (1 << 20) + 1):
            part.write(bytes(1 << 20))
    with pytest.raises(ModelFileError, match="解开后超过 512 MB"):
        read_model(buffer.getvalue())


@KINDS
def test_a_model_is_the_same_bytes_after_writing_and_reading(kind: str) -> None:
    data, read = whole(kind)
    assert WRITE[kind](read(data)) == data


def test_the_shipped_model_loads_and_its_file_holds_no_surprise() -> None:
    model = load_model()
    assert write_model(read_model(write_model(model))) == write_model(model)
    changed = replace(model, about={**model.about, "made": "2026"})
    assert read_model(write_model(changed)).about["made"] == "2026"
