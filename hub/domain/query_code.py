"""查询码: twelve signs of Crockford's base 32 and a check sign, in groups of four; whose a code is the site knows."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS, SIGNS, GROUP = 60, 12, 4
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})  # what people read wrongly from paper or hear on the telephone


def _check(number: int) -> str:
    """The check sign, from the same alphabet: a weighted sum of the signs, modulo 32.

    Odd weights find every single wrong sign; as they differ, nearly all neighbours that changed places, too.
    """
    signs = [(number >> (5 * place)) & 31 for place in range(SIGNS)]
    return ALPHABET[sum(value * (2 * place + 1) for place, value in enumerate(signs)) % 32]


def compose(number: int) -> str:
    """The code of 60 random bits, as people get it: `7K4M-29QX-BC30-T`."""
    if not 0 <= number < 1 << BITS:
        raise ValueError("a code has sixty bits")
    plain = "".join(ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(SIGNS))) + _check(number)
    return "-".join(plain[start : start + GROUP] for start in range(0, len(plain), GROUP))


def read(text: str) -> str | None:
    """The code in its one form, however it was typed (small letters, blanks, O for 0); None: no code of ours."""
    plain = "".join(sign for sign in text.upper().translate(_ALIKE) if sign not in " -–—－　\t")
    if len(plain) != SIGNS + 1 or any(sign not in ALPHABET for sign in plain):
        return None
    number = 0
    for sign in plain[:SIGNS]:
        number = number << 5 | ALPHABET.index(sign)
    code = compose(number)
    return code if code.replace("-", "") == plain else None
