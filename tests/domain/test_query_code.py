"""Query codes: one form, however they are typed; a wrong sign is seen."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.query_code import ALPHABET, BITS, compose, read

NUMBERS = st.integers(0, (1 << BITS) - 1)


@given(NUMBERS)
def test_a_code_is_read_back_as_itself_however_it_is_typed(number: int) -> None:
    code = compose(number)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]", code)
    assert read(code) == code
    assert read(f"  {code.lower().replace('-', ' ')} ") == code
    assert read(code.replace("0", "o").replace("1", "l")) == code


@given(NUMBERS, st.integers(0, 12), st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_never_another_code(number: int, place: int, sign: str) -> None:
    plain = compose(number).replace("-", "")
    changed = plain[:place] + sign + plain[place + 1 :]
    assert (read(changed) is not None) == (changed == plain)


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_code_in_its_one_form_or_none(text: str) -> None:
    found = read(text)
    assert found is None or read(found) == found


@given(NUMBERS, NUMBERS)
def test_two_numbers_never_share_a_code(one: int, two: int) -> None:
    assert (compose(one) == compose(two)) == (one == two)
