"""Sealing: what opens, what does not, published vectors, key files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.errors import Misconfigured
from hub.sealing import CITIZEN, CREDENTIALS, PublicSealer, Sealer, Unsealable, key_from_file, make_key_file, parse_key
from hub.sealing.suites import SUITES

KEY, OTHER = b"k" * 32, b"o" * 32
PLACE = {"table": "replies", "id": "r1", "field": "text", "purpose": CITIZEN}
both = pytest.mark.parametrize("suite", sorted(SUITES))


@both
@given(text=st.text())
def test_what_is_sealed_opens_as_it_was(suite: str, text: str) -> None:
    sealer = Sealer(KEY, suite=suite)
    sealed = sealer.seal(text, **PLACE)
    assert sealer.open(sealed, **PLACE) == text
    assert sealed.startswith(f"v1:{suite}:{sealer.key_id}:")


def test_a_lone_surrogate_from_a_platform_is_kept() -> None:
    sealer = Sealer(KEY)
    assert sealer.open(sealer.seal("坏\ud83d字", **PLACE), **PLACE) == "坏\ud83d字"


@both
@pytest.mark.parametrize("moved", [{"table": "users"}, {"id": "r2"}, {"field": "contact"}, {"purpose": CREDENTIALS}])
def test_a_value_moved_to_another_place_does_not_open(suite: str, moved: dict[str, str]) -> None:
    sealer = Sealer(KEY, suite=suite)
    sealed = sealer.seal("13800001234", **PLACE)
    with pytest.raises(Unsealable) as caught:
        sealer.open(sealed, **{**PLACE, **moved})
    assert "13800001234" not in str(caught.value)


def test_two_places_whose_parts_run_together_are_told_apart() -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal("x", table="ab", id="c", field="f", purpose=CITIZEN)
    with pytest.raises(Unsealable):
        sealer.open(sealed, table="a", id="bc", field="f", purpose=CITIZEN)


@both
@given(at=st.integers(min_value=0, max_value=10_000), flip=st.integers(min_value=1, max_value=127))
def test_one_changed_character_anywhere_does_not_open(suite: str, at: int, flip: int) -> None:
    sealer = Sealer(KEY, suite=suite)
    sealed = sealer.seal("云溪区供热站", **PLACE)
    at %= len(sealed)
    changed = sealed[:at] + chr(ord(sealed[at]) ^ flip) + sealed[at + 1 :]
    with pytest.raises(Unsealable):
        sealer.open(changed, **PLACE)


@pytest.mark.parametrize("junk", ["", "v1", "v1:aesgcm:a:b", "v2:aesgcm:a:b:c", "v1:rot13:a:b:c", "v1:aesgcm:x:é:c"])
def test_what_is_no_sealed_value_is_refused(junk: str) -> None:
    with pytest.raises(Unsealable):
        Sealer(KEY).open(junk, **PLACE)


@both
def test_the_same_text_never_seals_to_the_same_value_twice(suite: str) -> None:
    sealer = Sealer(KEY, suite=suite)
    assert len({sealer.seal("同一句话", **PLACE) for _ in range(200)}) == 200


def test_an_older_key_and_the_other_suite_are_read_side_by_side() -> None:
    old = Sealer(OTHER, suite="sm4gcm", key_id="k1")
    sealed = old.seal("旧值", **PLACE)
    new = Sealer(KEY, key_id="k2", older={"k1": OTHER})
    assert new.open(sealed, **PLACE) == "旧值"
    assert not new.is_current(sealed)
    assert new.is_current(new.seal("新值", **PLACE))
    assert new.verifies(b"data", old.mac(b"data", purpose="audit"), purpose="audit")
    assert old.index("138", purpose="phone") in new.indexes("138", purpose="phone")
    assert new.indexes("138", purpose="phone")[0] == new.index("138", purpose="phone")


def test_a_value_of_an_unknown_key_names_the_key_and_not_the_value() -> None:
    sealed = Sealer(OTHER, key_id="k1").seal("甲", **PLACE)
    with pytest.raises(Unsealable, match="k1"):
        Sealer(KEY, key_id="k2").open(sealed, **PLACE)


@both
def test_purposes_and_uses_have_keys_of_their_own(suite: str) -> None:
    sealer = Sealer(KEY, suite=suite)
    assert sealer.index("a", purpose="author") != sealer.index("a", purpose="phone")
    assert sealer.mac(b"a", purpose="csrf") != sealer.mac(b"a", purpose="session")
    assert sealer.mac(b"a", purpose="author").hex() != sealer.index("a", purpose="author")
    assert not sealer.verifies(b"a", sealer.mac(b"a", purpose="csrf"), purpose="session")


def test_a_sealer_refuses_short_keys_and_unknown_suites() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"short")
    with pytest.raises(ValueError, match="suites"):
        Sealer(KEY, suite="des")
    with pytest.raises(ValueError, match="purpose"):
        Sealer(KEY).index("a", purpose="Not A Purpose")


def test_the_site_seals_for_the_hub_and_cannot_read_it() -> None:
    hub = Sealer(KEY)
    site = PublicSealer(hub.box_public())
    sealed = site.seal("停热三天了", table="inbox", id="d1", field="body")
    assert hub.open_box(sealed, table="inbox", id="d1", field="body") == "停热三天了"
    assert not hasattr(site, "open")
    with pytest.raises(Unsealable):
        hub.open_box(sealed, table="inbox", id="d2", field="body")
    with pytest.raises(Unsealable):
        Sealer(OTHER).open_box(sealed, table="inbox", id="d1", field="body")
    assert Sealer(OTHER, older={"k": KEY}).open_box(sealed, table="inbox", id="d1", field="body") == "停热三天了"


@pytest.mark.parametrize("keep", range(0, 90, 7))
def test_a_cut_box_does_not_open(keep: int) -> None:
    hub = Sealer(KEY)
    sealed = PublicSealer(hub.box_public()).seal("信", table="inbox", id="d1", field="body")
    with pytest.raises(Unsealable):
        hub.open_box(sealed[: min(keep, len(sealed) - 4)], table="inbox", id="d1", field="body")


# Published vectors: GB/T 32905 (SM3 of "abc"), GB/T 32907 (SM4), RFC 8998 A.1 (SM4-GCM), NIST (SHA-256 of "abc").
def test_sm3_gives_the_published_digest() -> None:
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert SUITES["sm4gcm"].digest(b"abc").hex() == expected


def test_sha256_gives_the_published_digest() -> None:
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert SUITES["aesgcm"].digest(b"abc").hex() == expected


def test_sm4_gcm_gives_the_published_cipher_text_and_tag() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    nonce = bytes.fromhex("00001234567800000000abcd")
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = b"".join(bytes([one]) * 8 for one in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = SUITES["sm4gcm"].encrypt(key, nonce, plain, bound)
    assert sealed[:-16].hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15"
        "a56834cbcf98c397b4024a2691233b8d"
    )
    assert sealed[-16:].hex() == "83de3541e4c2b58177e065a9bf7b62ec"
    assert SUITES["sm4gcm"].decrypt(key, nonce, sealed, bound) == plain


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = make_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert key_from_file(path, outside=tmp_path / "data") == key
    with pytest.raises(FileExistsError):
        make_key_file(path)
    assert key_from_file(path, outside=tmp_path / "data") == key


def test_a_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    make_key_file(path)
    os.chmod(path, 0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        key_from_file(path, outside=tmp_path / "data")


def test_a_key_file_within_the_data_is_refused_also_through_a_link(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    make_key_file(data / "key")
    (tmp_path / "link").symlink_to(data / "key")
    for path in (data / "key", tmp_path / "link"):
        with pytest.raises(Misconfigured, match="数据目录"):
            key_from_file(path, outside=data)


@pytest.mark.parametrize("text", ["", "密钥", "abcd", "zz" * 32])
def test_a_wrong_key_gets_a_sentence_that_says_how_to_make_one(text: str) -> None:
    with pytest.raises(Misconfigured, match="openssl rand -hex 32"):
        parse_key(text)


def test_a_missing_key_file_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="HUB_SECRET_KEY_FILE"):
        key_from_file(tmp_path / "none", outside=tmp_path / "data")
