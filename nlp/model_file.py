"""Model files (模型文件): named arrays, what is known of them, a schema and a digest; meaning lives elsewhere."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


class ModelFileError(ValueError):
    """A model file that cannot be used; the sentence says why."""


def packed(arrays: Arrays, about: Mapping[str, Any]) -> bytes:
    """An npz file without pickles: equal contents give equal bytes."""
    text = json.dumps({**about, "sha256": _digest(arrays)}, ensure_ascii=False, sort_keys=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, about=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
    return buffer.getvalue()


def unpacked(data: bytes, what: str, schema: int | str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays in these bytes and what is known of them, after schema and digest were looked at. `what` is the name
    of such a model in sentences."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop("about").tobytes())
    except Exception as trouble:
        raise ModelFileError(f"这不是{what}文件，或文件已损坏。请重新训练或取回原文件。") from trouble
    if about.get("schema") != schema:
        raise ModelFileError(f"模型文件的格式是 {about.get('schema')}，这一版只认 {schema}。请用这一版重新训练。")
    if about.get("sha256") != _digest(arrays):
        raise ModelFileError("模型文件的内容与它自带的校验值不符，可能被改动过。请取回原文件。")
    return arrays, about


def _digest(arrays: Arrays) -> str:
    digest = sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {value.dtype.str} {value.shape} ".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
