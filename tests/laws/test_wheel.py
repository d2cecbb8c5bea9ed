"""The built wheel, alone in a folder of its own, decides like the checkout does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
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
    script = (
        "from advisor.store.paths import shipped, shipped_file;"
        "print(shipped('rules'), shipped('models'), shipped_file('limits.yaml'))"
    )
    found = [Path(word) for word in python(installed, tmp_path, "-c", script).stdout.split()]
    assert found == [installed / "advisor" / "_data" / name for name in ("rules", "models", "limits.yaml")]
    for here in found[:2]:
        assert {one.name for one in here.iterdir()} == {one.name for one in (ROOT / here.name).iterdir()}


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


def test_the_wheel_completes_the_ids_that_it_brings(installed: Path, tmp_path: Path) -> None:
    done = python(installed, tmp_path, "-m", "advisor", "completion", "bash")
    assert (done.returncode, done.stderr) == (0, "")
    assert "gpt2-xl" in done.stdout


def test_the_source_distribution_holds_all_that_its_makefile_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (made,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    run = re.findall(
        r"python -m (\w+)(?:\.(\w+))?$|python ([\w/.]+\.py)", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    files = {path or f"{package}/{module or '__main__'}.py" for package, module, path in run if package != "pytest"}
    assert {"bench/__main__.py", "docs/pages.py", "docs/picture.py"} <= files <= held
    needed = {"constraints.txt", "constraints-lowest.txt", "limits.yaml", "rules/family.yaml", "models/bert.yaml"}
    assert needed | {"Makefile", "action.yml", "examples/ticket-routing.yaml", "tests/conftest.py"} <= held
    assert not [name for name in held if name.startswith((".venv", ".hypothesis", ".git/"))]


def test_a_checkout_reads_the_data_beside_the_package() -> None:
    from advisor.store.paths import shipped

    assert shipped("rules") == ROOT / "rules"
