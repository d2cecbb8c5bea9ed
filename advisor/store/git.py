"""An earlier state of a repository, asked of git: which files a commit has, and what stands in them.

Only the object database is read: no checkout, no hook, no filter, no network. git is a program like any other, started
without a shell; nothing a caller names can become an option of it.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from advisor.core.errors import AdvisorError, Problem

SECONDS = 60
MAX_BYTES = 16 << 20
"""Larger files are not taken out: none that a review reads is."""
MAX_TOTAL_BYTES = 256 << 20
_PLAIN_MODES = ("100644", "100755")
_NOT_HERE = re.compile(rb"(?:^|\0)100\d{3} blob [0-9a-f]+ +BAD\t")
"""How newer releases of git list a file whose contents the clone has not; older ones fail."""
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX")
"""What git sets for its hooks: where we are run by one, these would speak of another top folder than the real one."""


class Blob(NamedTuple):
    """A plain file of a commit."""

    sha: str
    size: int


@dataclass(frozen=True)
class Snapshot:
    """The plain files of a commit by their path below `root`, the top folder of the repository."""

    root: Path
    ref: str
    commit: str
    files: Mapping[str, Blob]

    def name_then(self, name: str) -> str | None:
        """What a file was called at the commit, where it has another name by now; None where it was not there."""
        if name in self.files:
            return name
        asked = ("diff-index", "--cached", "-M", "--diff-filter=R", "--name-status", "-z", self.commit, "--")
        try:
            told = _git(self.root, *asked)
        except subprocess.CalledProcessError:  # a clone without the contents that names are compared by
            return None
        fields = [os.fsdecode(one) for one in told.split(b"\0")]  # a status, the old name, the new name, and so on
        return dict(zip(fields[2::3], fields[1::3], strict=False)).get(name)

    def extract(self, names: Iterable[str], into: Path) -> None:
        """Write these files below `into`; those that are none, or too large, are left out. Links are never written."""
        for name, data in self.contents(names).items():
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def contents(self, names: Iterable[str]) -> dict[str, memoryview]:
        """What stands in these files; those that are none, or too large, are left out."""
        wanted: dict[str, Blob] = {}
        total = 0
        for name in dict.fromkeys(names):
            blob = self.files.get(name)
            if blob is not None and blob.size <= MAX_BYTES and total + blob.size <= MAX_TOTAL_BYTES:
                wanted[name] = blob
                total += blob.size
        asked = "".join(f"{blob.sha}\n" for blob in wanted.values()).encode()
        told = memoryview(_git(self.root, "cat-file", "--batch", stdin=asked) if wanted else b"")
        found: dict[str, memoryview] = {}
        for name, blob in wanted.items():
            end = bytes(told[:200]).index(b"\n") + 1
            found[name] = told[end : end + blob.size]
            told = told[end + blob.size + 1 :]
        return found


@contextlib.contextmanager
def empty_folder() -> Iterator[Path]:
    """A folder to take files out into; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="archadvisor-", ignore_cleanup_errors=True) as folder:
        yield Path(os.path.realpath(folder))


def snapshot(folder: Path, ref: str) -> Snapshot:
    """The state of the repository around `folder` where it left a commit's history. Raises AdvisorError without one.

    What a branch has gained meanwhile, this change did not lose: a branch is compared with where it was left.
    """
    try:
        root = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    except subprocess.CalledProcessError as error:
        raise _no_repository(folder, _said(error)) from None
    if not ref or ref.startswith("-") or "\0" in ref:
        raise _refused(f'"{ref}" names no commit', "name a branch, a tag or a commit")
    try:
        commit = _git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode().strip()
    except subprocess.CalledProcessError:
        fix = "fetch it first: a shallow clone has the newest commit alone (git fetch --depth=1 origin REF)"
        raise _refused(f'"{ref}" names no commit that is here', fix) from None
    commit = _left_at(root, commit)
    try:
        listed = _git(root, "ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    except subprocess.CalledProcessError as error:
        raise _not_listed(ref, _said(error)) from None
    if _NOT_HERE.search(listed):
        raise _without_contents(ref)
    return Snapshot(root, ref, commit, dict(_entries(listed)))


def _left_at(root: Path, commit: str) -> str:
    """The newest commit that this state and `commit` both come from; `commit` itself where the clone shows none."""
    try:
        return _git(root, "merge-base", "HEAD", commit).decode().strip()
    except subprocess.CalledProcessError:
        return commit


def _entries(listed: bytes) -> Iterable[tuple[str, Blob]]:
    """The plain files of `git ls-tree -l -z`: mode, type, name of the object, size, and after a tab the path."""
    for line in listed.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        words = facts.decode("ascii", "replace").split()
        if len(words) == 4 and words[0] in _PLAIN_MODES and words[3].isdigit():
            yield os.fsdecode(path), Blob(words[2], int(words[3]))


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["git", "--no-pager", "-C", str(folder), *arguments],
            input=stdin,
            capture_output=True,
            check=True,
            timeout=SECONDS,
            env={name: value for name, value in os.environ.items() if name not in _OF_A_HOOK} | _ENVIRONMENT,
        )
    except FileNotFoundError:
        raise _refused("git is not installed here", "install git, or leave --base out") from None
    except subprocess.TimeoutExpired:
        raise _refused(f"git did not answer within {SECONDS} s", "try again, or leave --base out") from None
    return done.stdout


def _no_repository(folder: Path, said: str) -> AdvisorError:
    """Why git finds no repository around a folder: there is none, or it belongs to somebody else."""
    if "dubious ownership" in said:
        fix = f"if you trust it: git config --global --add safe.directory {folder}"
        return _refused(f"git reads nothing of {folder}, which belongs to another user", fix)
    fix = "leave --base out, or review a clone, in which there is something to compare with"
    return _refused(f"{folder} is in no git repository", fix)


def _not_listed(ref: str, said: str) -> AdvisorError:
    """Why the files of a commit cannot be listed: nothing is fetched here, and some clones would have to."""
    if "promisor" in said:
        return _without_contents(ref)
    return _refused(f"the files of {ref} cannot be listed", said)


def _without_contents(ref: str) -> AdvisorError:
    words = f"the files of {ref} are not in this clone, which was made with a filter"
    return _refused(words, "clone without --filter, so that there is something to compare with")


def _said(error: subprocess.CalledProcessError) -> str:
    words: bytes = error.stderr or b""
    return words.decode("utf-8", "replace").strip().replace("\n", " ")[:300] or "check the repository"


def _refused(words: str, fix: str) -> AdvisorError:
    return AdvisorError([Problem("--base", None, None, words, fix)])
