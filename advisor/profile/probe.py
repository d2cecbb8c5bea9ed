"""Which devices torch can use here, asked without starting CUDA in a process that forks.

CUDA does not survive a fork, and to ask torch what a card can do starts CUDA. The one idea: a throwaway process asks
and ends. A fork of this one is tried first; where that answered, a forked worker can use the card as well, and where it
did not (a library has touched CUDA already, or there are threads), a fresh process is asked and workers start fresh.
"""

from __future__ import annotations

import json
import os
import platform
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch

from advisor.core.hardware import DeviceDetail, Dtype
from advisor.profile.processes import may_fork
from advisor.profile.settling import settle
from advisor.store.machine import cpu_name, memory_limit_bytes
from advisor.store.nvml import free_bytes, installed_cards

PROBE_SECONDS = 60.0
"""A driver that has slept for hours takes some seconds to wake; longer is a hang, and then there is no card for us."""
FIRST_MACOS_WITH_BFLOAT16 = 14
FIRST_CAPABILITY_WITH_BFLOAT16 = 8
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """The devices, the CPU first. `identities` are the driver's names of cards; `forks`: whether forks can use them."""

    details: tuple[DeviceDetail, ...]
    identities: Mapping[str, str] = field(default_factory=dict)
    forks: bool = True

    def may_be_forked_for(self, device: str) -> bool:
        """Whether a fork of this process can work on the device."""
        return device == "cpu" or (self.forks and device != "mps")


def found() -> Found:
    """Every device that torch can use on this machine."""
    cards, forks = _cards()
    details = [_cpu(), *(DeviceDetail.model_validate(card["detail"]) for card in cards)]
    if torch.backends.mps.is_available():
        details.append(mps_detail(torch.mps))
    return Found(tuple(details), {card["detail"]["device"]: card["identity"] for card in cards}, forks)


def cuda_cards(cuda: Any) -> list[dict[str, Any]]:
    """Each card that `cuda` (torch's module) can use. Starts CUDA in this process."""
    if not cuda.is_available():
        return []
    version = next((card.driver for card in installed_cards()), None)
    return [_cuda_card(cuda, index, version) for index in range(cuda.device_count())]


def _cuda_card(cuda: Any, index: int, driver: str | None) -> dict[str, Any]:
    properties = cuda.get_device_properties(index)
    identity = str(getattr(properties, "uuid", ""))
    # CUDA's own answer needs a context on every card, which takes memory and time: the driver is asked first.
    free = free_bytes(identity) or int(cuda.mem_get_info(index)[0])
    brain = properties.major >= FIRST_CAPABILITY_WITH_BFLOAT16
    detail = DeviceDetail(
        device=f"cuda:{index}",
        name=str(properties.name),
        memory_bytes=int(properties.total_memory),
        memory_limit_bytes=free,
        driver=driver,
        compute_capability=f"{properties.major}.{properties.minor}",
        dtypes=("float32", "bfloat16", "float16") if brain else ("float32", "float16"),
    )
    return {"detail": detail.model_dump(), "identity": identity}


def mps_detail(mps: Any) -> DeviceDetail:
    """Apple's GPU, which shares the machine's memory; `mps` is torch's module."""
    most = int(mps.recommended_max_memory())
    system = platform.mac_ver()[0]
    brain = system.partition(".")[0].isdigit() and int(system.partition(".")[0]) >= FIRST_MACOS_WITH_BFLOAT16
    dtypes: tuple[Dtype, ...] = ("float32", "bfloat16", "float16") if brain else ("float32", "float16")
    return DeviceDetail(
        device="mps",
        name=f"GPU of {cpu_name()}",
        memory_bytes=most,
        memory_limit_bytes=min(most, memory_limit_bytes()),
        driver=f"macOS {system}" if system else None,
        dtypes=dtypes,
    )


def print_cards(descriptor: int) -> None:
    """What a throwaway process has to say."""
    os.write(descriptor, json.dumps(cuda_cards(torch.cuda)).encode())


def _cpu() -> DeviceDetail:
    limit = memory_limit_bytes()
    dtypes: tuple[Dtype, ...] = ("float32", "bfloat16", "float16")  # float16 without arithmetic for it is only slow
    return DeviceDetail(
        device="cpu", name=cpu_name(), memory_bytes=limit, memory_limit_bytes=limit, driver=None, dtypes=dtypes
    )


def _cards() -> tuple[list[dict[str, Any]], bool]:
    """The cards, and whether a fork of this process can use them. Nothing is asked of a torch built without them."""
    if torch.version.cuda is None and torch.version.hip is None:
        return [], True
    if may_fork() and (cards := understood(asked_of_a_fork(print_cards, PROBE_SECONDS))) is not None:
        return cards, True
    return understood(_asked_of_a_fresh_process()) or [], False


def asked_of_a_fork(answer: Callable[[int], None], seconds: float) -> bytes | None:
    """What `answer` writes in a copy of this process, which then ends; None where it fails or takes too long."""
    replies, theirs = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        code = 1
        with suppress(BaseException):  # nothing may run on past here as a second copy of the child
            settle(parent)
            os.close(replies)
            answer(theirs)
            code = 0
        os._exit(code)
    os.close(theirs)
    told = _read_until(replies, time.monotonic() + seconds)
    os.close(replies)
    if told is None:
        os.kill(pid, signal.SIGKILL)
    return told if os.waitpid(pid, 0)[1] == 0 else None


def _read_until(descriptor: int, moment: float) -> bytes | None:
    """Everything up to the end of the pipe; None where the moment comes first."""
    heard = b""
    while select.select([descriptor], [], [], max(0.0, moment - time.monotonic()))[0]:
        chunk = os.read(descriptor, CHUNK_BYTES)
        if not chunk:
            return heard
        heard += chunk
    return None


def _asked_of_a_fresh_process() -> bytes | None:
    command = [sys.executable, "-P", "-m", "advisor.profile", "--devices"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def understood(told: bytes | None) -> list[dict[str, Any]] | None:
    """The cards in an answer; None where it is none."""
    try:
        cards = json.loads(told or b"null")
    except ValueError:
        return None
    return cards if isinstance(cards, list) else None
