"""`advisor doctor`: quick, without torch, and fit for a bug report."""

from __future__ import annotations

import getpass
import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import jsonschema
import pytest

from advisor.cli import doctor
from advisor.core.hardware import PeakFlops, Peaks
from advisor.store.peaks import keep_peaks
from tests.cli.conftest import Run

SCRIPT = (
    "import sys\n"
    "from advisor.cli import main\n"
    "code = main(['doctor', '--json'])\n"
    "print([name for name in ('torch', 'transformers', 'textual', 'numpy') if name in sys.modules], file=sys.stderr)\n"
    "sys.exit(code)"
)


def test_the_doctor_answers_whatever_he_finds(run: Run) -> None:
    done = run("doctor")
    assert done.code == 0
    for word in ("Usable cores", "Memory limit", "not measured", "Fingerprint", "tested with"):
        assert word in done.out


def test_the_document_is_valid_and_unmeasured_peaks_are_null(run: Run) -> None:
    document = run("doctor", "--json").document
    jsonschema.validate(document, run("schema", "machine").document)
    assert (document["schema_version"], document["kind"]) == (1, "machine")
    assert document["peak_flops_per_s"] == {"float32": None, "bfloat16": None, "float16": None}
    assert document["peak_bytes_per_s"] is None


def test_peaks_that_were_measured_are_printed(run: Run) -> None:
    fingerprint = run("doctor", "--json").document["fingerprint"]
    rates = PeakFlops(float32=153e9, bfloat16=1.2e12)
    keep_peaks(fingerprint, Peaks(device="cpu", flops_per_s=rates, bytes_per_s=19.2e9, threads=2, torch="2.13.0"))
    assert "float32 153 GFLOP/s, bfloat16 1.2 TFLOP/s, reads 19.2 GB/s; torch 2.13.0" in run("doctor").out
    document = run("doctor", "--json").document
    assert document["peak_flops_per_s"]["float32"] == 153e9
    assert document["peak_bytes_per_s"] == 19.2e9


def test_a_report_names_neither_host_nor_user_nor_home(tmp_path: Path) -> None:
    home = tmp_path / "homes" / "somebody"
    home.mkdir(parents=True)
    env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")} | {"HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=env)
    assert done.returncode == 0
    assert str(home) not in done.stdout
    assert json.loads(done.stdout)["store"]["path"].startswith("~")
    for name in {platform.node(), getpass.getuser()} - {"", "root", "localhost"}:
        assert name not in done.stdout
    assert done.stderr.splitlines()[-1] == "[]", "torch was imported only to look"


def test_the_doctor_works_without_torch_and_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name in ("torch", "transformers", "nvidia-ml-py"):
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    done = run("doctor", "--json")
    assert done.code == 0
    assert done.document["versions"]["torch"] is None
    missing = next(one for one in done.document["diagnoses"] if one["id"] == "DOC-001")
    assert "archadvisor[profile]" in missing["fix"]


def test_a_terminal_that_is_not_utf8_is_seen() -> None:
    assert [doctor._is_utf8(one) for one in ("UTF-8", "utf8", "ascii", "no such", None)] == [
        True,
        True,
        False,
        None,
        None,
    ]


def test_the_doctor_writes_a_file_too(run: Run, tmp_path: Path) -> None:
    assert run("doctor", "--output", str(tmp_path / "machine.md")).code == 0
    assert "Usable cores" in (tmp_path / "machine.md").read_text()
