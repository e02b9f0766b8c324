"""`python -m nlp`: trains the shipped sentiment model anew from the project's own texts; how lives in nlp.training."""

from __future__ import annotations

from pathlib import Path

from nlp.sentiment import write_model
from nlp.training import own_corpus, train

ABOUT = {"licence": "Apache-2.0", "source": "nlp/corpus/civic.jsonl, nlp/lexicon/civic.tsv"}


def main() -> None:
    """Trains and writes the model."""
    data = write_model(train(own_corpus(), about=ABOUT))
    (Path(__file__).parent / "models" / "sentiment.npz").write_bytes(data)
    print(f"模型已写好，{len(data)} 字节。")


if __name__ == "__main__":
    main()
