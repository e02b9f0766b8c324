"""Front-end files: only those whose sum is right are put where pages load them from, and the lock names no address."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from hub.commands import vendor

PROJECT = Path(vendor.PROJECT)


def _packages(folder: Path, **files: bytes) -> list[vendor.Wanted]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [
        vendor.Wanted(hashlib.sha256(content).hexdigest(), f"editor/{name}", name) for name, content in files.items()
    ]


def test_the_three_kinds_of_finding_are_told_apart(tmp_path: Path) -> None:
    right, wrong = _packages(tmp_path, right=b"a", wrong=b"b")
    (tmp_path / "wrong").write_bytes(b"changed on the way")
    gone = vendor.Wanted("0" * 64, "editor/gone", "gone")
    verdict = vendor.examine([right, wrong, gone], lambda each: tmp_path / each.source)
    assert (verdict.right, verdict.wrong, verdict.missing) == ((right,), (wrong,), (gone,))
    assert not verdict.complete


def test_copied_files_are_whole_and_leave_nothing_unfinished(tmp_path: Path) -> None:
    packages, target = tmp_path / "packages", tmp_path / "static"
    packages.mkdir()
    wanted = _packages(packages, one=b"1", two=b"22")
    vendor.copy(wanted, packages, target)
    assert vendor.examine(wanted, lambda each: each.place(packages, target)).complete
    assert sorted(file.name for file in target.rglob("*") if file.is_file()) == ["one", "two"]


def test_what_only_tests_need_is_never_put_where_a_page_could_load_it(tmp_path: Path) -> None:
    packages, target = tmp_path / "packages", tmp_path / "static"
    packages.mkdir()
    (only,) = _packages(packages, axe=b"1")
    for_tests = vendor.Wanted(only.sha256, "-", only.source)
    vendor.copy([for_tests], packages, target)
    assert not target.exists()
    assert vendor.examine([for_tests], lambda each: each.place(packages, target)).complete


@pytest.mark.parametrize("line", ["x ../../hub/app.py a", "x /etc/passwd a", "x a ../secret"])
def test_a_lock_that_leaves_its_folder_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        vendor.read_lock(line)


def test_the_committed_lock_reads_and_brings_a_licence_with_each_package() -> None:
    wanted = vendor.read_lock(vendor.LOCK.read_text(encoding="utf-8"))
    shipped = {each.target.split("/")[0] for each in wanted if not each.for_tests}
    licensed = {each.target.split("/")[0] for each in wanted if each.target.endswith("LICENSE")}
    assert shipped and shipped == licensed
    assert all(len(each.sha256) == 64 for each in wanted)


def test_the_package_lock_names_no_address_and_pins_every_package() -> None:
    lock = json.loads((PROJECT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    assert all("resolved" not in each and each["integrity"].startswith("sha512-") for each in packages.values())
    asked = json.loads((PROJECT / "package.json").read_text(encoding="utf-8"))
    versions = [*asked["dependencies"].values(), *asked["devDependencies"].values()]
    assert all(version[0].isdigit() for version in versions)


def test_no_package_that_ships_has_a_licence_that_asks_for_ours() -> None:
    lock = json.loads((PROJECT / "package-lock.json").read_text(encoding="utf-8"))
    shipped = {name: each["license"] for name, each in lock["packages"].items() if name and not each.get("dev")}
    assert {name: licence for name, licence in shipped.items() if licence not in ("MIT", "ISC", "BSD-3-Clause")} == {}
