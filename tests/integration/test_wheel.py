"""The wheel has everything that the package reads: nothing that git knows below src/onmal is left out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def known_to_git() -> set[str]:
    """The files of the package as a wheel names them."""
    if not shutil.which("git") or not (REPOSITORY / ".git").exists():
        pytest.skip("this is no checkout of git")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "src/onmal"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return {name.removeprefix("src/") for name in listed.stdout.split("\0") if name}


def test_a_wheel_has_every_file_of_the_package(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel: pip install hatchling")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        assert files.testzip() is None
        packed = {name: files.getinfo(name).file_size for name in files.namelist()}
    known = known_to_git()
    assert {"onmal/serving/page/index.html", "onmal/text/languages.tsv"} <= known
    assert known - packed.keys() == set()
    here = {name: (REPOSITORY / "src" / name).stat().st_size for name in known}
    assert {name: packed[name] for name in known} == here
