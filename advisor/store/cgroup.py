"""Where this process stands in the control groups, version 1 and 2, seen from inside or outside a container.

Only folders are found here; what their files say is read in `machine`. The one idea: a limit set on any ancestor binds,
so each hierarchy is the list of folders from the process up to the mount.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One mounted hierarchy: the process's own folder first, the mount last."""

    folders: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Mount:
    controllers: frozenset[str]
    inside: PurePosixPath
    point: Path


def hierarchies(root: Path) -> tuple[Hierarchy, ...]:
    """Every hierarchy this process is in; none where the kernel has no control groups."""
    mounts = list(_mounts(root))
    found = []
    for controllers, path in _memberships(root):
        for mount in mounts:
            if mount.controllers == controllers or mount.controllers & controllers:
                found.append(Hierarchy(tuple(_upwards(mount, path))))
                break
    return tuple(found)


def _memberships(root: Path) -> Iterator[tuple[frozenset[str], PurePosixPath]]:
    """`4:memory:/a/b` (version 1) and `0::/a/b` (version 2, which has no names)."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            yield frozenset(filter(None, parts[1].split(","))), PurePosixPath(parts[2])


def _mounts(root: Path) -> Iterator[_Mount]:
    for line in _read(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 5 or len(kinds) < 3 or kinds[0] not in ("cgroup", "cgroup2"):
            continue
        names = frozenset(kinds[2].split(",")) if kinds[0] == "cgroup" else frozenset[str]()
        yield _Mount(names, PurePosixPath(fields[3]), root / fields[4].lstrip("/"))


def _upwards(mount: _Mount, path: PurePosixPath) -> Iterator[Path]:
    """The folders from the group to the mount. A mount that shows only a part of the tree starts at that part."""
    relative = path.relative_to(mount.inside) if path.is_relative_to(mount.inside) else PurePosixPath()
    parts = [part for part in relative.parts if part not in ("/", "..")]
    for length in range(len(parts), -1, -1):
        yield mount.point.joinpath(*parts[:length])


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
