"""Training and model files: the same bytes each time, better than chance on unseen texts, refused when altered."""

from __future__ import annotations

import io

import numpy as np
import pytest

from nlp.__main__ import ABOUT
from nlp.evaluation import report
from nlp.model_file import ModelFileError
from nlp.normal import normalise
from nlp.sentiment import Model, load_model, read_model, write_model
from nlp.training import Labelled, own_corpus, profile_of, train

CORPUS = own_corpus()


@pytest.fixture(scope="module")
def trained() -> bytes:
    return write_model(train(CORPUS, about=ABOUT))


def test_training_twice_gives_the_same_bytes(trained: bytes) -> None:
    again = write_model(train(CORPUS, about=ABOUT))
    assert again == trained


def test_the_shipped_model_was_trained_on_the_shipped_texts(trained: bytes) -> None:
    fresh, shipped = read_model(trained), load_model()
    assert fresh.about["texts"] == shipped.about["texts"]
    for name, part in fresh.profiles.items():
        other = shipped.profiles[name]
        assert part.vocabulary == other.vocabulary
        assert np.allclose(part.weights, other.weights, atol=1e-3)


def test_held_out_texts_are_read_far_better_than_by_chance() -> None:
    model = train([row for number, row in enumerate(CORPUS) if number % 5])
    scorers, held = model.scorers(), CORPUS[::5]
    answers = [scorers[profile_of(row.kind)].judge(normalise(row.text)) for row in held]
    figures = report([row.label for row in held], answers)
    assert figures.against_positive.macro_f1 > 0.75
    assert figures.against_positive.recall["neg"] > 0.7


def test_an_offices_labels_turn_an_answer() -> None:
    labels = [Labelled(f"请问{number}号泊位怎么预约乌篷船", "neg", "comment", office=True) for number in range(30)]
    before, after = train(CORPUS).scorers(), train([*CORPUS, *labels]).scorers()
    text = "请问泊位怎么预约乌篷船"
    assert before["comment"].probabilities(text)[0] < 0.5
    assert after["comment"].probabilities(text)[0] > 0.9
    steps = {name: after[name].probabilities(text)[0] - before[name].probabilities(text)[0] for name in after}
    assert steps["comment"] > 0.4


def test_a_model_survives_writing_and_reading(trained: bytes) -> None:
    assert write_model(read_model(trained)) == trained


def test_an_altered_a_foreign_and_a_newer_file_are_refused_in_words(trained: bytes) -> None:
    with np.load(io.BytesIO(trained), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["comment.bias"] = arrays["comment.bias"] + 1
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    with pytest.raises(ModelFileError, match="校验值"):
        read_model(buffer.getvalue())
    with pytest.raises(ModelFileError, match="不是情感模型"):
        read_model(b"PK\x03\x04 nothing")
    with pytest.raises(ModelFileError, match="不是情感模型"):
        read_model(b"")


def test_a_model_of_one_kind_serves_both() -> None:
    model = load_model()
    lonely = Model({"post": model.profiles["post"]}, model.about)
    assert lonely.scorers()["comment"].probabilities("气死人了") == lonely.scorers()["post"].probabilities("气死人了")
