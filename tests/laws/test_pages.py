"""The pages that are made from the data say what the data says now. Mended by `make docs`."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from advisor.cli.arguments import parser
from advisor.cli.manual import PAGES
from advisor.cli.tree import arguments, commands
from advisor.core.explain.grounds import Grounds
from advisor.core.review.kinds import KINDS
from advisor.store.catalog import load_catalog
from advisor.store.rulebook import load_rulebook
from docs.manpage import man_page
from docs.pages import models_page, pages, rules_page

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["rules.md", "models.md", "check.md", "advisor.1"])
def test_a_page_is_what_make_docs_would_write(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages()[name](), "run: make docs"


def grounds(rules: Path = ROOT / "rules") -> Grounds:
    return Grounds(load_rulebook(rules, cached=False), load_catalog(ROOT / "models"))


def test_every_rule_has_a_section_with_its_grounds_and_both_kinds_of_example() -> None:
    known = grounds()
    sections = dict(
        re.findall(r"^### ([\w-]+): [^\n]*\n\n(.*?)(?=\n#|\Z)", rules_page(known), re.MULTILINE | re.DOTALL)
    )
    for _, rule in known.rules():
        section = sections[rule.id]
        for word in ("When: ", "Then: ", "Why: ", "Source: ", "Fires", "Stays silent"):
            assert f"- {word}" in section, rule.id
        assert ("Unless: " in section) == (rule.unless is not None)
    assert set(sections) >= {*known.book.facts, *known.book.questions}


def test_every_check_has_a_section_with_what_why_and_since() -> None:
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^#### ([\w-]+): [^\n]*\n\n(.*?)(?=\n#|\Z)", page, re.MULTILINE | re.DOTALL))
    known = grounds()
    rules = {rule.id for table in known.book.remarks for rule in table.rules}
    assert set(sections) == {*KINDS, *rules}
    for check, section in sections.items():
        for word in ("What: ", "Why: ", "Level: ", "Since: "):
            assert f"- {word}" in section, check
        assert "xample: " in section or "For example:" in section, check
        assert check in rules or "Instead: " in section, check


def test_every_model_has_a_section_with_its_source() -> None:
    known = grounds()
    page = models_page(known)
    for name in (*known.catalog.entries, *known.catalog.hosted):
        assert f"\n## {name}: " in page
    assert page.count("\n- Source: ") == len(known.catalog.entries) + len(known.catalog.hosted)


def test_words_of_a_rules_folder_never_become_markup(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    family = rules / "family.yaml"
    title = "Labels, tags and scores at high volume need no decoder"
    hostile = "'<script>x</script> [a](javascript:x) **b** | c'"
    family.write_text(family.read_text(encoding="utf-8").replace(title, hostile), encoding="utf-8")
    page = rules_page(grounds(rules))
    assert "javascript:x" in page
    assert "<script>" not in page
    assert "[a](" not in page
    assert "**b**" not in page


def test_the_man_page_has_every_command_option_and_example() -> None:
    shown = man_page()
    for escaped, sign in (("\\-", "-"), ("\\%", ""), ("\\(ti", "~"), ("\\(aq", "'")):
        shown = shown.replace(escaped, sign)
    for command in commands(parser()):
        assert f".SS {command.words}\n" in shown
        for argument in arguments(command.parser):
            assert argument.dest == "help" or all(option in shown for option in argument.option_strings)
    for page in PAGES.values():
        assert all(does[1:] in shown for _, does in page.examples)


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed: nobody to set the page")
def test_the_man_page_is_set_without_a_warning() -> None:
    words = ["groff", "-man", "-ww", "-T", "utf8", str(ROOT / "docs" / "advisor.1")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "requests_per_second" in done.stdout
