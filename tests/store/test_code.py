"""Patterns of code lead to files inside the repository, and nowhere else."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.core.review.code import CodeFiles
from advisor.store import code
from advisor.store.code import read_code


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for name in ("src/search/embed.py", "src/search/deep/er/index.py", "src/main.py", "src/search/notes.md", "top.py"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n", encoding="utf-8")
    return root


def paths(found: CodeFiles) -> list[str]:
    return [file.path for file in found.files]


def reasons(found: CodeFiles) -> dict[str, str]:
    return {one.path: one.why for one in found.unread}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("src/search/**/*.py", ["src/search/deep/er/index.py", "src/search/embed.py"]),
        ("src/search/*.py", ["src/search/embed.py"]),
        ("**/*.py", ["src/main.py", "src/search/deep/er/index.py", "src/search/embed.py", "top.py"]),
        ("*.py", ["top.py"]),
        ("src/**", ["src/main.py", "src/search/deep/er/index.py", "src/search/embed.py"]),
        ("./src/main.py", ["src/main.py"]),
        ("src/**/**/embed.py", ["src/search/embed.py"]),
        ("src/[lm]ai?.py", ["src/main.py"]),
    ],
)
def test_a_pattern_names_python_files(repository: Path, pattern: str, expected: list[str]) -> None:
    found = read_code(repository, [pattern])
    assert paths(found) == expected
    assert found.unread == ()
    assert found.files[0].text == f"# {expected[0]}\n"


def test_a_file_named_twice_is_read_once(repository: Path) -> None:
    assert paths(read_code(repository, ["src/main.py", "src/*.py", "top.py"])) == ["src/main.py", "top.py"]


@pytest.mark.parametrize(
    "pattern", ["/etc/*.py", "../*.py", "src/../../x.py", "~/x.py", "C:/x.py", "a\\b.py", "a\0b", "*" * 600]
)
def test_a_pattern_that_could_leave_the_repository_is_refused(repository: Path, pattern: str) -> None:
    found = read_code(repository, [pattern])
    assert paths(found) == []
    assert list(reasons(found)) == [pattern]
    assert not found.unread[0].is_file


def test_a_pattern_may_climb_as_far_as_the_top_of_the_repository(repository: Path) -> None:
    (repository / "src" / "shared.py").symlink_to(repository / "top.py")
    found = read_code(repository / "src", ["search/*.py", "shared.py", "../*.py"], root=repository)
    assert (paths(found), found.unread) == (["search/embed.py", "shared.py"], ())  # a link to top.py, read once
    assert paths(read_code(repository / "src", ["../*.py"], root=repository)) == ["../top.py"]
    refused = read_code(repository / "src", ["../../*.py", "search/../*.py"], root=repository)
    assert (paths(refused), len(refused.unread)) == ([], 2)


def test_the_folder_of_a_pattern_may_have_any_name(repository: Path) -> None:
    (repository / "src").rename(repository / "s[r]c*")
    assert paths(read_code(repository / "s[r]c*", ["*.py"], root=repository)) == ["main.py"]


def test_a_notebook_is_told_to_be_none(repository: Path) -> None:
    assert "notebooks are not read" in reasons(read_code(repository, ["n/*.ipynb"]))["n/*.ipynb"]


def test_a_pattern_that_finds_nothing_is_told(repository: Path) -> None:
    assert reasons(read_code(repository, ["src/**/*.pyx", "lib/*.py"])) == dict.fromkeys(
        ("src/**/*.pyx", "lib/*.py"), "it matches no Python file"
    )


def test_links_neither_lead_out_nor_round_in_circles(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("password = 1", encoding="utf-8")
    (repository / "out.py").symlink_to(tmp_path / "secret.py")
    (repository / "same.py").symlink_to(repository / "top.py")
    (repository / "src" / "loop").symlink_to(repository / "src")
    (repository / "away").symlink_to(tmp_path)
    found = read_code(repository, ["**/*.py", "away/*.py"])
    assert "same.py" in paths(found)
    assert not any("loop" in path or "away" in path for path in paths(found))
    assert reasons(found) == {
        "out.py": "it is a link that leads out of the repository",
        "away/*.py": "it matches no Python file",
    }


def test_what_is_no_text_file_of_a_usual_size_is_told(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MAX_FILE_BYTES", 1 << 20)
    (repository / "latin.py").write_bytes(b"# \xe4")
    (repository / "huge.py").write_bytes(b"#" * ((1 << 20) + 1))
    (repository / "folder.py").mkdir()
    os.mkfifo(repository / "pipe.py")
    (repository / "loop.py").symlink_to(repository / "loop.py")
    found = read_code(repository, ["*.py"])
    assert paths(found) == ["top.py"]
    told = reasons(found)
    assert (told["latin.py"], told["huge.py"]) == ("it is not UTF-8", "it is larger than 1 MiB")
    assert set(told) == {"latin.py", "huge.py", "pipe.py", "loop.py"}


def test_there_is_a_cap_on_files_on_bytes_and_on_looking(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MAX_FILES", 2)
    assert len(read_code(repository, ["**/*.py"]).files) == 2
    monkeypatch.setattr(code, "MAX_BYTES", 20)
    assert len(read_code(repository, ["**/*.py"]).files) == 1
    monkeypatch.setattr(code, "MAX_ENTRIES", 3)
    assert "there are more than 3" in reasons(read_code(repository, ["**/*.py"]))["**/*.py"]


PARTS = st.sampled_from(["**", "*", "s*", "src", "search", "deep", "?rc", "[sd]*", "*.py", "e*.py", "top.py", "er"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PARTS, min_size=1, max_size=5))
def test_patterns_match_what_the_standard_library_matches(repository: Path, parts: list[str]) -> None:
    pattern = "/".join(parts)
    known = glob.glob(pattern, root_dir=repository, recursive=True)
    assert set(paths(read_code(repository, [pattern]))) == {
        os.path.normpath(one) for one in known if one.endswith(".py")
    }


def test_a_folder_is_no_file_whatever_its_name(repository: Path) -> None:
    (repository / "dir.py").mkdir()
    (repository / "dir.py" / "inside.py").write_text("x = 1\n", encoding="utf-8")
    (repository / "link.py").symlink_to(repository / "src")
    found = read_code(repository, ["**/*.py"])
    assert "dir.py/inside.py" in paths(found)
    assert found.unread == ()
    assert reasons(read_code(repository, ["link.py"])) == {"link.py": "it matches no Python file"}


def test_a_pattern_that_names_a_folder_is_told_how_to_name_its_files(repository: Path) -> None:
    told = reasons(read_code(repository, ["src/search/", "."]))
    assert "src/search/**/*.py names the files in it" in told["src/search/"]
    assert "and **/*.py names the files in it" in told["."]
