"""The built wheel, alone in a folder of its own, decides like the checkout does."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network and unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def python(installed: Path, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = {"PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return subprocess.run(
        [sys.executable, "-P", *arguments], cwd=tmp_path, capture_output=True, text=True, env=os.environ | paths
    )


def test_the_wheel_carries_its_data_and_finds_it(installed: Path, tmp_path: Path) -> None:
    script = "from advisor.store.paths import shipped; print(shipped('rules'), shipped('models'))"
    rules, models = python(installed, tmp_path, "-c", script).stdout.split()
    assert Path(rules) == installed / "advisor" / "_data" / "rules"
    assert Path(models) == installed / "advisor" / "_data" / "models"


def test_the_wheel_knows_what_it_was_tested_with(installed: Path, tmp_path: Path) -> None:
    script = "from advisor.store.versions import release_pins; print(release_pins()['torch'])"
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert f"torch=={python(installed, tmp_path, '-c', script).stdout.strip()}" in pins


def test_the_wheel_gives_the_same_recommendation(installed: Path, tmp_path: Path) -> None:
    words = ["-m", "advisor", "recommend", "--set", "task=translation", "--json"]
    here = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True).stdout
    assert python(installed, tmp_path, *words).stdout == here


def test_the_wheel_brings_the_screens_their_styles(installed: Path) -> None:
    shipped = {path.name for path in (ROOT / "advisor" / "tui").glob("*.tcss")}
    assert {path.name for path in (installed / "advisor" / "tui").glob("*.tcss")} == shipped


def test_the_wheel_holds_the_package_alone(installed: Path) -> None:
    names = {path.name for path in installed.iterdir()}
    assert all(name == "advisor" or name.endswith((".dist-info", ".data")) for name in names)


def test_the_wheel_brings_the_man_page_to_where_man_looks(installed: Path) -> None:
    (found,) = installed.glob("*.data/data/share/man/man1/*")
    assert found.read_text(encoding="utf-8") == (ROOT / "docs" / "advisor.1").read_text(encoding="utf-8")


def test_a_checkout_reads_the_data_beside_the_package() -> None:
    from advisor.store.paths import shipped

    assert shipped("rules") == ROOT / "rules"
