"""Whole commands as processes of their own, whose measuring child is the fake one, and what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.measuring import ROOT, alive, environment

MARK = "ARCHADVISOR_TEST_RUN"
"""A variable that a run hands down to everything it starts."""

SCRIPT = """
import json, os, pathlib, sys
import advisor.run.child as child
from advisor.cli import main
from tests.fake_child import fake_command
fake = json.loads(os.environ["FAKE"])
if not fake.pop("real", False):
    child.COMMAND = tuple(fake_command(**fake))
child.Child.start.__func__.__kwdefaults__["lock_path"] = pathlib.Path(os.environ["LOCK"])
exec(os.environ.get("BEFORE", ""))
if "BEGUN" in os.environ:
    os.write(int(os.environ["BEGUN"]), b"!")
sys.exit(main())
"""
TICKETS = str(ROOT / "examples" / "ticket-routing.yaml")


class Run:
    """A command under way, with a lock, a cache and results of its own."""

    def __init__(self, folder: Path, *arguments: str, before: str = "", unbuffered: str = "", **fake: object) -> None:
        self.folder, self.lock = folder, folder / "lock"
        begun, says_begun = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=own_environment(folder, BEGUN=says_begun, BEFORE=before, PYTHONUNBUFFERED=unbuffered, **fake),
            pass_fds=(says_begun,),
            start_new_session=True,
        )
        os.close(says_begun)
        with os.fdopen(begun, "rb") as pipe:
            pipe.read(1)

    def signal_group(self, number: signal.Signals) -> None:
        """What a terminal does on Ctrl-C: the signal goes to every process of the group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def ended(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr, once it is over."""
        out, err = self.process.communicate(timeout=300)
        return self.process.returncode, out, err


def own_environment(folder: Path, **more: object) -> dict[str, str]:
    """An environment in which a run touches nothing outside its folder. Other words are options of the fake child;
    `real` asks for the real one."""
    known = {name: str(more.pop(name)) for name in ("BEGUN", "BEFORE", "PYTHONUNBUFFERED") if name in more}
    homes = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "DATA", "CONFIG", "STATE")}
    return environment(**homes, **known, FAKE=json.dumps(more), LOCK=str(folder / "lock"), **{MARK: str(folder)})


def left_behind(folder: Path) -> list[int]:
    """Living processes that a run in this folder started."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0") and alive(int(entry.name)):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def state(pid: int) -> str:
    """The letter the kernel gives a process's state: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
