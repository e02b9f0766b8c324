"""The documents about channels say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from channels import papers
from channels.kinds import CHANNELS, DECLARED

DOCS = Path(__file__).parents[2] / "docs/channels"


PAPERS = [
    ("README.md", papers.describe),
    ("weibo.md", papers.describe_weibo),
    ("wechat.md", papers.describe_wechat),
    ("push.md", papers.describe_push),
]


@pytest.mark.parametrize(("name", "make"), PAPERS)
def test_a_generated_document_is_not_stale(name: str, make: object) -> None:
    assert callable(make)
    assert (DOCS / name).read_text("utf-8") == make(), "write it anew from channels.papers"


def test_every_channel_declares_itself_and_has_a_page() -> None:
    assert set(DECLARED) == set(CHANNELS)
    for kind in CHANNELS:
        assert (DOCS / f"{kind}.md").exists()
