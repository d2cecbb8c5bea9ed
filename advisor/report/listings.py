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
    regions = figures.counted(len(document.changes), "region")
    changes = [(f"{one.table}: {one.when}", [f"{one.before} → {one.after}"]) for one in document.changes]
    return [Heading(f"✗ the advice changes in {regions}", 1, "bad"), bullets(changes)]


def models_blocks(document: ModelsDocument) -> list[Block]:
    """Every model in a line."""
    rows = tuple(
        (
            one.id,
            one.architecture or figures.UNKNOWN,
            figures.short_count(one.parameters),
            figures.count(one.context_tokens),
            one.license,
            "hosted only" if one.hosted else one.hub_id or "not published",
        )
        for one in document.models
    )
    columns = ("id", "architecture", "parameters", "context", "licence", "hub id")
    return [Heading("Models", 1), Table(columns, rows, frozenset({2, 3}))]


def model_blocks(document: ModelDocument) -> list[Block]:
    """One model: what it is, what it weighs, where that comes from, and what nobody knows of it."""
    kind = document.architecture or "architecture not published"
    blocks: list[Block] = [Heading(f"{document.id}: {document.title}, {kind}", 1), bullets(_model_lines(document))]
    if document.weight_bytes is not None and document.kv_bytes_per_token is not None:
        memory = tuple(
            (
                dtype,
                figures.gib(getattr(document.weight_bytes, dtype)),
                figures.count(getattr(document.kv_bytes_per_token, dtype)),
            )
            for dtype in ("float32", "bfloat16", "float16")
        )
        blocks.append(Table(("dtype", "weights", "cache bytes per token"), memory, frozenset({1, 2})))
    if document.parameter_breakdown is not None:
        parts = tuple(
            (one.part, figures.count(one.copies), figures.count(one.each), figures.count(one.parameters))
            for one in document.parameter_breakdown
        )
        blocks.append(Table(("part", "copies", "parameters each", "parameters"), parts, frozenset({1, 2, 3})))
    return blocks


def _model_lines(document: ModelDocument) -> list[str]:
    guide = document.source_parameters
    differs = f" (the guide says {figures.short_count(guide)})" if guide is not None else ""
    names = f" ({', '.join(document.language_names)})" if document.language_names else ""
    lines = [
        f"Parameters: {_known(document, 'parameters')}{differs}",
        f"Context: {_context(document)}",
        f"Languages: {document.languages}{names}",
        f"Tasks: {', '.join(document.tasks)}",
        f"Roles: {', '.join(document.roles)}",
        f"Operations per token: {_operations(document)}" if document.flops_per_token else None,
        f"Architecture: {document.unknown['architecture']}" if "architecture" in document.unknown else None,
        f"Published sizes: {_sizes(document.published_sizes)}" if document.published_sizes else None,
        f"Licence: {document.license}; hub id: {_known(document, 'hub_id')}" if not document.hosted else None,
        f"Runs only at {document.provider}: {document.license}" if document.hosted else None,
        *(f"Note: {note}" for note in document.notes),
        f"Source: {document.source}",
    ]
    return [line for line in lines if line is not None]


def _known(document: ModelDocument, key: str) -> str:
    """The figure, or why nobody knows it."""
    value = getattr(document, key)
    if value is None:
        return f"{figures.UNKNOWN}. {document.unknown.get(key, '')}".strip()
    return figures.count(value) if isinstance(value, int) else str(value)


def _context(document: ModelDocument) -> str:
    if document.context_tokens is None:
        return _known(document, "context_tokens")
    limit = {True: "hard limit", False: "trained length", None: "published limit"}[document.context_is_hard]
    covers = "input and output together" if document.context_covers == "input+output" else document.context_covers
    words = f"{_known(document, 'context_tokens')} tokens, {limit} on {covers}"
    return f"{words}. {document.context_note}" if document.context_note else words


def _operations(document: ModelDocument) -> str:
    per_token = figures.short_count(document.flops_per_token)
    if not document.flops_per_text:
        return per_token
    return f"{per_token}, and {figures.short_count(document.flops_per_text)} for each text, however short it is"


def _sizes(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} {figures.count(size)}" for name, size in sizes.items())
