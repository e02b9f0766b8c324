"""`bundle`: packs the program, its wheels and its front-end files for one platform, for networks without internet."""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from hub.domain.errors import Misconfigured

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("hub", "channels", "nlp", "scheduler", "requirements.txt", "README.md", "LICENSE", "CHANGELOG.md", "docs")
LEFT_OUT = ("__pycache__",)
SOURCES = ("jieba", "snownlp")  # published without wheels; pure Python
HOW = """装在不通外网的机器上（需要 Python {python}，{platform}）：
  python3 -m venv .venv
  .venv/bin/pip install --no-index --find-links wheels --require-hashes -r wheels/wheels.txt
  .venv/bin/python -m hub serve --rehearsal     （演练）
  .venv/bin/python -m hub init --production     （正式）
"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", default="dist", help="放在哪个文件夹")
    parser.add_argument("--platform", default="", help="目标平台，如 manylinux_2_28_aarch64；不填为本机")
    parser.add_argument(
        "--python", default=f"{sys.version_info.major}.{sys.version_info.minor}", help="目标 Python 版本"
    )


def run(arguments: argparse.Namespace) -> int:
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder) / "wheels"
        _fetch(wheels, arguments.platform, arguments.python)
        name = f"govhub-{arguments.platform or 'local'}-py{arguments.python}.tar.gz"
        _pack(out / name, wheels, arguments)
    digest = hashlib.sha256((out / name).read_bytes()).hexdigest()
    (out / f"{name}.sha256").write_text(f"{digest}  {name}\n", "utf-8")
    print(f"安装包 {out / name}，sha256 {digest[:16]}…")
    return 0


def _fetch(wheels: Path, platform: str, python: str) -> None:
    """Wheels of everything locked. Sources are checked against the lock and built here; what is built has a hash of
    its own, so the list that travels along (`wheels.txt`) is written from the wheels themselves."""
    print("正在取回依赖……", file=sys.stderr)
    pip = [sys.executable, "-m", "pip", "--quiet"]
    lock = str(ROOT / "requirements.txt")
    if not platform:
        done = _call([*pip, "wheel", "--require-hashes", "--no-deps", "-w", str(wheels), "-r", lock])
    else:
        plain = _without_sources(wheels, lock)
        target = ["--only-binary", ":all:", "--platform", platform, "--python-version", python]
        done = _call([*pip, "wheel", "--no-deps", "-w", str(wheels), *SOURCES])
        done = done and _call(
            [*pip, "download", "--require-hashes", "--no-deps", "-d", str(wheels), *target, "-r", plain]
        )
    if not done:
        raise Misconfigured("依赖没有取全。请检查软件源；个别依赖没有目标平台的安装包时，需在目标平台上打包。")
    names = sorted(path.name for path in wheels.glob("*.whl"))
    (wheels / "wheels.txt").write_text("".join(_line(wheels / name) for name in names), "utf-8")


def _call(words: list[str]) -> bool:
    return subprocess.call(words) == 0  # noqa: S603 - our own words, no shell


def _line(wheel: Path) -> str:
    """One wheel as pip's requirement: name, version, hash."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _without_sources(wheels: Path, lock: str) -> str:
    """The lock without what is only published as source (built here, for every platform alike)."""
    blocks = re.split(r"\n(?=\S)", Path(lock).read_text("utf-8").strip())
    kept = [block for block in blocks if block.split("==")[0] not in SOURCES]
    wheels.mkdir(parents=True, exist_ok=True)
    plain = wheels.parent / "plain.txt"
    plain.write_text("\n".join(kept) + "\n", "utf-8")
    return str(plain)


def _pack(target: Path, wheels: Path, arguments: argparse.Namespace) -> None:
    with tarfile.open(target, "w:gz") as pack:
        for name in SHIPPED:
            pack.add(ROOT / name, f"govhub/{name}", filter=_kept)
        pack.add(wheels, "govhub/wheels")
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as how:
            how.write(HOW.format(python=arguments.python, platform=arguments.platform or "与打包机相同"))
            how.flush()
            Path(how.name).chmod(0o644)
            pack.add(how.name, "govhub/INSTALL.txt")


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if any(part in LEFT_OUT for part in Path(entry.name).parts) else entry
