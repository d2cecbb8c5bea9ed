"""Asking for devices in a process that is thrown away."""

from __future__ import annotations

import os
import sys
import time
from types import SimpleNamespace

import pytest
import torch

from advisor.core.hardware import DeviceDetail
from advisor.profile import probe
from advisor.profile.probe import Found, asked_of_a_fork, cuda_cards, mps_detail, understood
from advisor.store import nvml
from tests.profile.fake_card import IDENTITY, MIB, FakeCuda, FakeNvml

forks = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks here")


@forks
def test_a_fork_answers_and_is_gone() -> None:
    assert asked_of_a_fork(lambda pipe: _write(pipe, f"[{os.getpid()}]".encode()), 30.0) != f"[{os.getpid()}]".encode()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@forks
def test_a_fork_that_fails_has_no_answer() -> None:
    def fail(pipe: int) -> None:
        _write(pipe, b"[")
        raise RuntimeError("Cannot re-initialize CUDA in forked subprocess")

    assert asked_of_a_fork(fail, 30.0) is None


@forks
def test_a_driver_that_hangs_is_left_behind() -> None:
    assert asked_of_a_fork(lambda pipe: time.sleep(600), 0.05) is None


def _write(pipe: int, words: bytes) -> None:
    os.write(pipe, words)


def test_each_card_is_described_as_torch_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml.Driver, "load", classmethod(lambda cls: nvml.Driver(FakeNvml())))
    first, second = cuda_cards(FakeCuda(cards=2))
    detail = DeviceDetail.model_validate(first["detail"])
    assert (detail.device, detail.name, detail.driver) == ("cuda:0", "Fake H1", "600.1")
    assert (detail.compute_capability, detail.dtypes) == ("9.0", ("float32", "bfloat16", "float16"))
    assert (detail.memory_limit_bytes or 0) < (detail.memory_bytes or 0)
    assert detail.memory_limit_bytes == (80 * 1024 - 100) * MIB, "the driver knows what is free without a context"
    assert second["detail"]["device"] == "cuda:1"
    assert first["identity"] == IDENTITY


def test_an_old_card_has_no_bfloat16_and_no_card_is_no_mistake() -> None:
    (card,) = cuda_cards(FakeCuda(capability=(7, 5)))
    assert card["detail"]["dtypes"] == ("float32", "float16")
    assert card["detail"]["memory_limit_bytes"] == 70 * 1024 * MIB, "without a driver's word CUDA is asked"
    assert cuda_cards(FakeCuda(cards=0)) == []


def test_apples_gpu_may_take_what_its_driver_recommends() -> None:
    detail = mps_detail(SimpleNamespace(recommended_max_memory=lambda: 2**28))
    assert (detail.device, detail.memory_limit_bytes) == ("mps", 2**28)


@pytest.mark.parametrize("told", [None, b"", b"{", b"{}", b"3"])
def test_what_is_no_list_of_cards_is_no_answer(told: bytes | None) -> None:
    assert understood(told) is None


def test_a_torch_built_without_cuda_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(probe, "asked_of_a_fork", lambda *_: pytest.fail("asked"))
    found = probe.found()
    assert found.details[0].device == "cpu"
    assert found.forks


def test_a_process_that_cannot_fork_asks_a_fresh_one_and_its_workers_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "99.0")
    monkeypatch.setattr(probe, "may_fork", lambda: False)
    monkeypatch.setattr(probe, "_asked_of_a_fresh_process", lambda: b"[]")
    assert not probe.found().forks


@forks
def test_where_a_fork_could_use_cuda_workers_are_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "99.0")
    monkeypatch.setattr(probe, "may_fork", lambda: True)
    monkeypatch.setattr(probe, "asked_of_a_fork", lambda answer, seconds: b"[]")
    assert probe.found().forks


def test_asking_the_real_torch_in_a_fresh_process_gives_a_list() -> None:
    assert understood(probe._asked_of_a_fresh_process()) is not None


@pytest.mark.parametrize(
    ("device", "forks", "may"),
    [("cpu", False, True), ("cuda:0", True, True), ("cuda:0", False, False), ("mps", True, False)],
)
def test_only_a_fork_that_can_use_the_device_is_made(device: str, forks: bool, may: bool) -> None:
    assert Found((), forks=forks).may_be_forked_for(device) is may
