"""`python -m nlp`: trains the shipped models anew from the project's own texts; how lives in the training modules."""

from __future__ import annotations

from pathlib import Path

from nlp.sentiment import write_model
from nlp.training import own_corpus, train
from nlp.urgency import write_urgency_model
from nlp.urgency_training import own_marks, train_urgency

ABOUT = {"licence": "Apache-2.0", "source": "nlp/corpus/civic.jsonl, nlp/lexicon/civic.tsv"}
ABOUT_URGENCY = {
    "licence": "Apache-2.0",
    "source": "nlp/corpus/urgency.jsonl, nlp/corpus/civic.jsonl, nlp/lexicon/urgency.tsv",
}


def main() -> None:
    """Trains and writes the models."""
    folder = Path(__file__).parent / "models"
    made = {
        "sentiment.npz": write_model(train(own_corpus(), about=ABOUT)),
        "urgency.npz": write_urgency_model(train_urgency(own_marks(), about=ABOUT_URGENCY)),
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
        print(f"{name} 已写好，{len(data)} 字节。")


if __name__ == "__main__":
    main()
