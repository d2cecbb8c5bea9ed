"""Rules and models in lists: blocks for the commands that show what the project knows."""

from __future__ import annotations

from advisor.core.guide.documents import RulesDiffDocument, RulesDocument, RulesProofDocument
from advisor.report import figures
from advisor.report.blocks import Block, Heading, Paragraph, Table, bullets


def rules_blocks(document: RulesDocument) -> list[Block]:
    """Every rule under its table: what it says, when, and on what grounds."""
    blocks: list[Block] = [Heading(f"Rules {document.rules_version}", 1)]
    for table in dict.fromkeys(rule.table for rule in document.rules):
        blocks.append(Heading(table, 2))
        lines = []
        for rule in document.rules:
            if rule.table == table:
                strength = f" ({rule.strength})" if rule.strength else ""
                below = [f"when {rule.when}", f"then {rule.then}{strength}", rule.because]
                lines.append((f"{rule.id} {rule.title} [{figures.sources(rule.source)}]", below))
        blocks.append(bullets(lines))
    return blocks


def proof_blocks(document: RulesProofDocument) -> list[Block]:
    """What holds, in numbers."""
    rows = tuple((one.table, one.policy, str(one.rules), str(one.examples)) for one in document.tables)
    words = "✓ proved: every workload is decided exactly once, every rule can fire, every example is true"
    return [
        Heading(words, 1, "good"),
        Table(("table", "policy", "rules", "examples"), rows, frozenset({2, 3})),
        Paragraph(f"Rules {document.rules_version}, sha256 {document.rules_sha256[:12]}."),
    ]


def diff_blocks(document: RulesDiffDocument) -> list[Block]:
    """Every region whose advice changes."""
    if not document.changes:
        return [Heading("✓ the advice is the same for every workload", 1, "good")]
    noun = "region" if len(document.changes) == 1 else "regions"
    changes = [(f"{one.table}: {one.when}", [f"{one.before} → {one.after}"]) for one in document.changes]
    return [Heading(f"✗ the advice changes in {len(document.changes)} {noun}", 1, "bad"), bullets(changes)]
