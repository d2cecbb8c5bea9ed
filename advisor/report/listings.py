"""Rules and models in lists: blocks for the commands that show what the project knows."""

from __future__ import annotations

from advisor.core.guide.documents import RulesDiffDocument, RulesDocument, RulesProofDocument
from advisor.core.model.document import ModelDocument, ModelsDocument
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


def models_blocks(document: ModelsDocument) -> list[Block]:
    """Every model in a line."""
    rows = tuple(
        (
            one.id,
            one.architecture,
            figures.short_count(one.parameters),
            figures.count(one.context_tokens),
            one.license,
            one.hub_id,
        )
        for one in document.models
    )
    columns = ("id", "architecture", "parameters", "context", "licence", "hub id")
    return [Heading("Models", 1), Table(columns, rows, frozenset({2, 3}))]


def model_blocks(document: ModelDocument) -> list[Block]:
    """One model: what it is, what it weighs, where that comes from."""
    limit = "hard limit" if document.context_is_hard else "trained length"
    guide = document.source_parameters
    differs = f" (the guide says {figures.short_count(guide)})" if guide is not None else ""
    lines = [
        f"Parameters: {figures.count(document.parameters)}{differs}",
        f"Context: {figures.count(document.context_tokens)} tokens, {limit} on {document.context_covers}",
        f"Languages: {document.languages} ({', '.join(document.language_names)})",
        f"Tasks: {', '.join(document.tasks)}",
        f"Roles: {', '.join(document.roles)}",
        f"Operations per token: {figures.short_count(document.flops_per_token)}",
        f"Licence: {document.license}; hub id: {document.hub_id}",
        f"Source: {document.source}",
    ]
    if document.context_note:
        lines.insert(2, f"Context: {document.context_note}")
    memory = tuple(
        (
            dtype,
            figures.gib(getattr(document.weight_bytes, dtype)),
            figures.count(getattr(document.kv_bytes_per_token, dtype)),
        )
        for dtype in ("float32", "bfloat16", "float16")
    )
    parts = tuple(
        (one.part, figures.count(one.copies), figures.count(one.each), figures.count(one.parameters))
        for one in document.parameter_breakdown
    )
    return [
        Heading(f"{document.id}: {document.title}, {document.architecture}", 1),
        bullets(lines),
        Table(("dtype", "weights", "cache bytes per token"), memory, frozenset({1, 2})),
        Table(("part", "copies", "parameters each", "parameters"), parts, frozenset({1, 2, 3})),
    ]
