"""Claims in the guide's file: what is refused, where, in which words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor.core.errors import AdvisorError
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook

CLAIM = """
  - id: MINE
    tasks: [translation]
    says: A claim of our own.
    source: [G14]
"""
RATIO = "    ratio: {quantity: latency, dearer: decoder-only, cheaper: encoder-decoder, at_least: 2}\n"


def folder(tmp_path: Path, claim: str) -> Path:
    made = Path(shutil.copytree(shipped("rules"), tmp_path / "rules"))
    with (made / "guide.yaml").open("a", encoding="utf-8") as guide:
        guide.write(claim)
    return made


def refusal(tmp_path: Path, claim: str) -> str:
    with pytest.raises(AdvisorError) as caught:
        load_rulebook(folder(tmp_path, claim), cached=False)
    assert caught.value.exit_code == 2
    assert all(problem.line for problem in caught.value.problems)
    return "; ".join(problem.message for problem in caught.value.problems)


def test_a_claim_in_figures_is_read_and_remembered(tmp_path: Path) -> None:
    made = folder(tmp_path, CLAIM + RATIO)
    read, again = load_rulebook(made), load_rulebook(made)
    assert read.claims[-1].id == "MINE"
    assert read.claims[-1].ratio is not None
    assert read.claims[-1].ratio.at_least == 2
    assert again.claims == read.claims


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (CLAIM, "MINE needs either a ratio or about"),
        (CLAIM + RATIO + "    about: quality\n", "MINE needs either a ratio or about"),
        (CLAIM + RATIO.replace("encoder-decoder", "decoder-only"), "MINE compares decoder-only with itself"),
        (CLAIM + RATIO.replace("at_least: 2", "at_least: 0"), "at_least must be greater than 0"),
        (CLAIM + RATIO.replace("latency", "throughput"), 'unknown quantity "throughput"'),
        (CLAIM.replace("translation]", "translate]") + RATIO, 'unknown tasks "translate"'),
        (CLAIM.replace("translation]", "translation, translation]") + RATIO, "MINE names a task twice"),
        (CLAIM.replace("G14", "G99") + RATIO, 'unknown source "G99"'),
        (CLAIM.replace("MINE", "BULK") + RATIO, "BULK stands here twice"),
        (CLAIM + RATIO.replace("}", ", most: 3}"), 'unknown key "most"'),
    ],
)
def test_a_wrong_claim_is_refused_at_its_place(tmp_path: Path, claim: str, words: str) -> None:
    assert words in refusal(tmp_path, claim)


def test_a_folder_without_claims_is_a_folder_with_none(tmp_path: Path) -> None:
    made = folder(tmp_path, "")
    guide = made / "guide.yaml"
    guide.write_text(guide.read_text(encoding="utf-8").partition("\nclaims:")[0] + "\n", encoding="utf-8")
    assert load_rulebook(made, cached=False).claims == ()
