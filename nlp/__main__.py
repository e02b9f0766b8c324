"""`python -m nlp`: trains the shipped models anew from the project's own texts; how lives in nlp.training."""

from __future__ import annotations

from pathlib import Path

from nlp.sentiment import write_model
from nlp.training import own_corpus, train
from nlp.urgency import write_urgency
from nlp.urgency_training import background, train_urgency, urgent_texts

ABOUT = {"licence": "Apache-2.0", "source": "nlp/corpus/civic.jsonl, nlp/lexicon/civic.tsv"}
URGENCY_ABOUT = {"licence": "Apache-2.0", "source": "nlp/corpus/urgency.jsonl, nlp/corpus/civic.jsonl"}


def main() -> None:
    """Trains and writes the models."""
    made = {
        "sentiment.npz": write_model(train(own_corpus(), about=ABOUT)),
        "urgency.npz": write_urgency(train_urgency([*urgent_texts(), *background()], about=URGENCY_ABOUT)),
    }
    for name, data in made.items():
        (Path(__file__).parent / "models" / name).write_bytes(data)
        print(f"模型 {name} 已写好，{len(data)} 字节。")


if __name__ == "__main__":
    main()
