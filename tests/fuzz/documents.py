"""Made-up documents: right ones, nearly right ones, and what an editor, a disk or a stranger may leave behind.

Two ways to go wrong. A tree is damaged in its values (a wrong type, a lost key, a name nobody knows), which reaches
deep into the reading; bytes are damaged as they stand (cut, flipped, doubled, poisoned), which reaches the reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import yaml
from hypothesis import strategies as st

from advisor.core.task import TASKS
from advisor.core.workload import ANSWER_ORDER

POISON: tuple[bytes, ...] = (
    b"\x00",
    b"\x07",
    b"\x1b[31m",
    b"\x1b]52;c;aGk=\x07",
    b"\x7f",
    b"\xff",
    b"\xfe\xff",
    b"\xed\xa0\x80",
    b"\xc3",
    b"\xef\xbb\xbf",
    "\x85\u2028\u2029".encode(),
    "\u202ea\u2066".encode(),
    "\u200f\u061c\u200b".encode(),
    "e\u0301\U0001f468\u200d\U0001f469".encode(),
    b"\r",
    b"\r\n",
    b"\n",
    b"\n\n\n",
    b"\t",
    b"  ",
    b"&a ",
    b"*a ",
    b"<<: *a\n",
    b"!!python/object/apply:os.system [true] ",
    b"!!binary ",
    b"!x ",
    b"\n---\n",
    b"\n...\n",
    b"%YAML 1.1\n---\n",
    b"%TAG ! !\n",
    b"? ",
    b": ",
    b"- ",
    b"|\n",
    b">-\n",
    b"# ",
    b'"',
    b"'",
    b'"\\u0000\\x1b\\ud800"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"[" * 60,
    b"{a: " * 60,
    b"- " * 300,
    b"9" * 400,
    b"-1",
    b"1e999",
    b".nan",
    b"-.INF",
    b"0o17",
    b"017",
    b"0x10",
    b"1_000",
    b"yes",
    b"~",
    b"[red]x[/red]",
    b"<script>",
    b"%s%n{0.__class__}${HOME}`id`",
    b"x" * 5_000,
)
"""What is put in the middle of a document."""

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3.5, -0.0, 1e308, 5e-324, 10**12, 10**13, 2**63, 10**200, "", " ", "null", "200"),
    *([], {}, [[]], [None], {"": ""}, {"min": 1}, {"max": 0}, {"min": 5, "max": 1}, {"not": []}, {"not": ["chat"]}),
    *("chat", "encoder-only", "translate", "\x1b[2J", "a\u202eb", "[bold]", "x" * 300, "CLS-001", "G01", "bert-base"),
    *(["G01", "G01"], ["chat", "chat"], [1, 2], {"task": "chat"}, [{"task": "chat"}], "é漢", "-", "true", "1e3", "\n"),
)
"""Values that may stand anywhere by mistake."""

Tree = Any
Steps = tuple[str | int, ...]


def trees(text: str) -> st.SearchStrategy[bytes]:
    """A YAML document with up to three of its values damaged."""
    whole = yaml.load(text, Loader=yaml.CSafeLoader)
    places = [steps for steps, _ in _walked(whole) if steps]
    damage = st.tuples(st.sampled_from(places), st.sampled_from(_DAMAGES), st.sampled_from(ODD))
    return st.lists(damage, max_size=3).map(lambda damages: _written(_damaged(text, damages)))


def spoiled(text: str | bytes) -> st.SearchStrategy[bytes]:
    """A document with up to four places of its bytes spoiled."""
    data = text.encode() if isinstance(text, str) else text
    spoil = st.tuples(st.sampled_from(_SPOILS), st.integers(0, 2**16), st.integers(0, 2**16))
    return st.lists(spoil, min_size=1, max_size=4).map(lambda spoils: _spoiled(data, spoils))


def anything() -> st.SearchStrategy[bytes]:
    """Bytes and texts that resemble nothing, some of them very long."""
    long = st.sampled_from((2**10, 2**16, 2**20 - 64, 2**20, 10 * 2**20))
    repeated = st.tuples(st.sampled_from(POISON), long).map(lambda drawn: (drawn[0] * drawn[1])[: drawn[1]])
    keyed = st.tuples(st.sampled_from(ANSWER_ORDER), repeated).map(lambda drawn: f"{drawn[0]}: ".encode() + drawn[1])
    short = st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
    return st.integers(0, 15).flatmap(lambda dice: keyed if dice == 0 else repeated if dice == 1 else short)


RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "requests_per_second": st.one_of(st.sampled_from((0.01, 0.5, 1, 9.99, 10, 50, 1e9)), st.floats(1e-6, 1e9)),
    "requests_per_day": st.one_of(st.sampled_from((1, 86400, 1e7)), st.floats(1e-3, 1e12)),
    "peak_factor": st.floats(0.1, 20),
    "latency_budget_ms": st.one_of(st.sampled_from((1, 50, 200, 20000)), st.floats(1e-9, 1e12)),
    "first_token_budget_ms": st.floats(1e-3, 1e6),
    "latency_percentile": st.sampled_from((50, 90, 95, 99, 99.0)),
    "input_tokens": st.one_of(st.sampled_from((1, 128, 512, 513, 4096, 10**7)), st.integers(1, 10**7)),
    "input_tokens_max": st.integers(1, 10**7),
    "output_tokens": st.one_of(st.sampled_from((0, 1, 4, 64, 256)), st.integers(0, 10**7)),
    "output_tokens_max": st.integers(0, 10**7),
    "labelled_examples": st.one_of(st.none(), st.sampled_from((0, 99, 100, 1000, 10**12)), st.integers(0, 10**12)),
    "priority": st.sampled_from(("cost", "balanced", "accuracy")),
    "structured_source_target": st.booleans(),
    "one_model_many_tasks": st.booleans(),
    "languages": st.sampled_from(("one", "many")),
    "corpus_documents": st.one_of(st.sampled_from((0, 1, 10**5, 10**12)), st.integers(0, 10**12)),
    "long_structured_input": st.booleans(),
    "contrastive_decoder": st.booleans(),
    "hosting": st.sampled_from(("self", "api", "either")),
    "memory_limit_gib": st.floats(1e-6, 1e6),
    "replica_cost_per_hour": st.floats(0, 1e6),
}
"""For each answer, values that are right by themselves."""


def right_reviews() -> st.SearchStrategy[bytes]:
    """Architecture files each value of which is right by itself, with choices of every kind."""
    models = (None, "bert-base", "gpt2", "t5-small", "e5-mistral-7b", "claude", "models/away", "owner/name")
    amounts = st.one_of(st.sampled_from((0, 1, 512, 1e8, 1e12)), st.floats(0, 1e15))
    choice = st.fixed_dictionaries(
        {"architecture": st.sampled_from(("encoder-only", "decoder-only", "encoder-decoder"))},
        optional={
            "model": st.sampled_from(models),
            "contrastive": st.booleans(),
            "dtype": st.sampled_from(("float32", "bfloat16", "float16")),
        },
    )
    static = ("parameters", "weights_gib", "kv_bytes_per_token", "flops_per_token")
    timed = ("p95_ms", "throughput_per_s", "peak_memory_gib")
    budgets: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(static, amounts)
    budgets |= dict.fromkeys(timed, amounts.map(lambda one: one + 1))
    component = st.fixed_dictionaries(
        {"name": st.sampled_from("abcdef"), "workload": right_answers(), "choice": choice},
        optional={"budgets": st.fixed_dictionaries({}, optional=budgets), "testbed": st.just("0" * 12)},
    )
    whole = st.lists(component, max_size=3, unique_by=lambda one: str(one["name"]))
    return whole.map(lambda components: _written({"schema": 1, "components": components}))


def right_answers() -> st.SearchStrategy[dict[str, Any]]:
    """Answers each of which is right; together they may still contradict each other."""
    said = st.lists(st.sampled_from(sorted(RIGHT)), max_size=7, unique=True)
    others = said.flatmap(lambda keys: st.fixed_dictionaries({key: RIGHT[key] for key in keys}))
    return st.tuples(st.sampled_from(TASKS), others).map(lambda drawn: {"task": drawn[0]} | drawn[1])


def nearly_right_answers() -> st.SearchStrategy[dict[Any, Any]]:
    """Right answers with one or two wrong values or unknown keys among them."""
    keys = st.one_of(st.sampled_from(ANSWER_ORDER), st.text(max_size=12))
    wrong = st.dictionaries(keys, st.sampled_from(ODD), min_size=1, max_size=2)
    return st.tuples(right_answers(), wrong).map(lambda drawn: drawn[0] | drawn[1])


def answers_documents(shipped: list[str]) -> st.SearchStrategy[bytes]:
    """Answers of every degree of rightness, as YAML or as JSON."""
    styles = st.sampled_from((_written, _block_style))
    right = st.tuples(right_answers(), styles).map(lambda drawn: drawn[1](drawn[0]))
    nearly = st.tuples(nearly_right_answers(), styles).map(lambda drawn: drawn[1](drawn[0]))
    broken = st.one_of(*[spoiled(text) for text in shipped])
    broken_json = right_answers().map(_written).flatmap(spoiled)
    return st.one_of(right, right, nearly, broken, broken_json, anything())


def _written(tree: Tree) -> bytes:
    """As JSON, which is YAML too; twice-said keys survive because pairs are kept as they came."""
    return json.dumps(tree, ensure_ascii=False, allow_nan=True, default=str).encode("utf-8", "surrogatepass")


def _block_style(tree: Tree) -> bytes:
    text = yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    return bytes(text, "utf-8", "surrogatepass")


def _walked(tree: Tree, steps: Steps = ()) -> Iterator[tuple[Steps, Tree]]:
    yield steps, tree
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inside:
        yield from _walked(value, (*steps, key))


def _damaged(text: str, damages: list[tuple[Steps, Callable[[Tree, Any, Any], None], Any]]) -> Tree:
    whole = yaml.load(text, Loader=yaml.CSafeLoader)
    for steps, damage, odd in damages:
        holder = whole
        try:
            for step in steps[:-1]:
                holder = holder[step]
            damage(holder, steps[-1], deepcopy(odd))
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier damage took this place away
    return whole


def _replace(holder: Tree, key: Any, odd: Any) -> None:
    holder[key] = odd


def _remove(holder: Tree, key: Any, odd: Any) -> None:
    del holder[key]


def _rename(holder: Tree, key: Any, odd: Any) -> None:
    holder[str(odd)] = holder.pop(key)


def _double(holder: Tree, key: Any, odd: Any) -> None:
    holder.insert(key, holder[key])


def _wrap(holder: Tree, key: Any, odd: Any) -> None:
    holder[key] = [holder[key]]


def _add(holder: Tree, key: Any, odd: Any) -> None:
    holder[key][str(odd)] = odd


_DAMAGES = (_replace, _replace, _remove, _rename, _double, _wrap, _add)


def _spoiled(data: bytes, spoils: list[tuple[Callable[[bytes, int, int], bytes], int, int]]) -> bytes:
    for spoil, where, what in spoils:
        data = spoil(data, where * len(data) >> 16, what)
    return data


def _flip(data: bytes, at: int, what: int) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << what % 8)]) + data[at + 1 :] if at < len(data) else data


def _cut(data: bytes, at: int, what: int) -> bytes:
    return data[:at]


def _lose(data: bytes, at: int, what: int) -> bytes:
    return data[:at] + data[at + what % 40 :]


def _poison(data: bytes, at: int, what: int) -> bytes:
    return data[:at] + POISON[what % len(POISON)] + data[at:]


def _double_line(data: bytes, at: int, what: int) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    number = data[:at].count(b"\n") % len(lines)
    other = what % len(lines)
    return b"".join([*lines[:other], lines[number], *lines[other:]])


def _indent_line(data: bytes, at: int, what: int) -> bytes:
    start = data.rfind(b"\n", 0, at) + 1
    return data[:start] + (b"\t" if what % 4 == 0 else b" " * (what % 7)) + data[start:]


def _other_line_ends(data: bytes, at: int, what: int) -> bytes:
    return data.replace(b"\n", b"\r\n" if what % 2 else b"\r")


def _other_encoding(data: bytes, at: int, what: int) -> bytes:
    try:
        return data.decode().encode(("utf-16", "utf-32", "utf-8-sig", "latin-1", "utf-7")[what % 5], "replace")
    except UnicodeDecodeError:
        return data


def _long_line(data: bytes, at: int, what: int) -> bytes:
    return data[:at] + b"y" * (10, 10_000, 600_000)[what % 3] + data[at:]


_SPOILS = (
    *(_flip, _flip, _cut, _lose, _lose, _poison, _poison, _poison, _poison),
    *(_double_line, _indent_line, _other_line_ends, _other_encoding, _long_line),
)
