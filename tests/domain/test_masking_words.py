"""Words that only look like names before a title stay as they are."""

from __future__ import annotations

import pytest

from hub.masking import mask_text


@pytest.mark.parametrize("text", ["光脚在屋里走，谢谢师傅们", "麻烦师傅了", "司机师傅等我", "热心的李先生和张女士"])
def test_thanks_and_trades_before_a_title_are_no_names(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize("text", ["家里老人 82 岁", "没人来。家中老人怕冷", "高龄老人不会用手机", "温和老人院"])
def test_a_home_and_an_age_before_old_people_are_no_names(text: str) -> None:
    assert mask_text(text) == text


NAMED = [("感谢张小明先生", "小明"), ("王大力师傅来了", "大力"), ("和平里王芳女士说", "王芳")]


@pytest.mark.parametrize(("text", "name"), NAMED)
def test_names_before_a_title_are_still_masked(text: str, name: str) -> None:
    assert name not in mask_text(text)
