"""Sealing: secrets and personal data at rest, and the site's one-way box; who may open them is decided elsewhere."""

from __future__ import annotations

from hub.sealing.box import PublicSealer
from hub.sealing.form import same
from hub.sealing.keys import key_from_file, make_key_file, parse_key
from hub.sealing.sealer import (
    AUDIT,
    CITIZEN,
    CREDENTIALS,
    CSRF,
    INDEX,
    SESSION,
    STAFF,
    Sealer,
    Unsealable,
    key_name,
)

__all__ = [
    "AUDIT",
    "CITIZEN",
    "CREDENTIALS",
    "CSRF",
    "INDEX",
    "SESSION",
    "STAFF",
    "PublicSealer",
    "Sealer",
    "Unsealable",
    "key_from_file",
    "key_name",
    "make_key_file",
    "parse_key",
    "same",
]
