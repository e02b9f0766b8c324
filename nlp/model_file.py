"""Model files (模型文件): named arrays, what is known of them, a schema and a digest; meaning lives elsewhere."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
LARGEST = 1 << 29  # bytes of a model unpacked; the shipped ones have some millions


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
    arrays, about = _opened(data, what)
    found = about.get("schema")
    if isinstance(found, int) and isinstance(schema, int) and found > schema:
        newer = f"模型文件来自更新的版本（格式 {found}，这一版只认 {schema}）。"
        raise ModelFileError(newer + "请先升级，或用这一版重新训练。")
    if found != schema:
        other = f"模型文件的格式是 {str(found)[:40]}，不是这一版的{what}（{schema}）。"
        raise ModelFileError(other + "请换一个文件，或用这一版重新训练。")
    if about.get("sha256") != _digest(arrays):
        raise ModelFileError("模型文件的内容与它自带的校验值不符，可能被改动过。请取回原文件。")
    return arrays, about


def _opened(data: bytes, what: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > LARGEST:
            raise ModelFileError(f"这个{what}文件解开后超过 {LARGEST >> 20} MB，不像是训练出来的。请取回原文件。")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return arrays, dict(json.loads(arrays.pop("about").tobytes()))
    except ModelFileError:
        raise
    except Exception as trouble:
        raise ModelFileError(f"这不是{what}文件，或文件已损坏。请重新训练或取回原文件。") from trouble


@contextmanager
def fitting(what: str) -> Iterator[None]:
    """Around the making of a model: a part that is missing, or is none of its kind, is a ModelFileError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as trouble:
        if isinstance(trouble, ModelFileError):
            raise
        raise ModelFileError(f"{what}文件缺了一部分，或各部分对不上。请重新训练或取回原文件。") from trouble


def numbers(array: NDArray[Any], *shape: int) -> NDArray[Any]:
    """The array, if it holds ordinary numbers in this shape; ValueError where not."""
    if array.dtype.kind != "f" or array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{array.dtype} {array.shape}")
    return array


def names(array: NDArray[Any]) -> tuple[str, ...]:
    """The texts of an array, each of them once and none empty; ValueError where not."""
    found = tuple(map(str, array.tolist()))
    if array.dtype.kind != "U" or array.ndim != 1 or not all(found) or len(set(found)) != len(found):
        raise ValueError(f"{array.dtype} {array.shape}")
    return found


def _digest(arrays: Arrays) -> str:
    digest = sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {value.dtype.str} {value.shape} ".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
