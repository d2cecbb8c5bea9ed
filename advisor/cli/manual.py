"""What `--help` and the man page say of each command beyond its options: what for, examples, exit codes.

Loaded only when somebody asks for help.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from advisor.core.errors import (
    EXIT_CALLER,
    EXIT_DONE,
    EXIT_FINDING,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
    EXIT_UNDECIDED,
)

CALLER = {EXIT_CALLER: "a mistake in what was given; every mistake is told with its place"}
ALWAYS = {
    EXIT_INTERNAL: "an internal error, a defect of archadvisor; the sentence says where its details are kept",
    EXIT_INTERRUPTED: "interrupted",
}


class Page(NamedTuple):
    """One command: what it is for beyond its one line; commands to try with what each does; its own exit codes."""

    about: str
    examples: tuple[tuple[str, str], ...]
    codes: Mapping[int, str] = {EXIT_DONE: "done"}


STORE = {EXIT_DONE: "done", EXIT_UNDECIDED: "the file of past runs is damaged, of another version, or may not be read"}

PAGES: Mapping[str, Page] = {
    "advisor": Page(
        "Tells a team which transformer architecture its task needs (encoder-only, decoder-only, encoder-decoder, or a "
        "retrieval-augmented pipeline of them), why, and proves it by measuring on this machine. Without a command in "
        "a terminal it opens the questionnaire. Data goes to stdout, words to stderr.",
        (
            ("advisor", "the questionnaire in the terminal"),
            ("advisor recommend --set task=chat", "which architecture and why"),
            ("advisor advise answers.yaml", "the same, measured here and planned"),
        ),
        {
            EXIT_DONE: "done; with advise: the plan meets the budget",
            EXIT_FINDING: "a finding: the plan misses the budget, a review failed, a model is not what it claims, two "
            "rule folders advise differently",
            EXIT_NOTHING: "check: nothing was checked",
            EXIT_UNDECIDED: "undecided: too noisy, out of time or memory, or nothing here can be measured",
        },
    ),
    "advisor recommend": Page(
        "Decides by the rules alone, without torch and in a fraction of a second: the architecture, how sure that is, "
        "its parts with a model for each, what is worth knowing, and for every other architecture the smallest change "
        "of answers that would lead there.",
        (
            ("advisor recommend answers.yaml", "answers from a file"),
            ("advisor recommend --set task=translation --set languages=many", "answers from the command line"),
            ("advisor recommend answers.yaml --json", "the whole reasoning as a document"),
        ),
    ),
    "advisor ask": Page(
        "Puts the questions that still matter one after another, in plain text without colour or cursor movement, and "
        "ends with what recommend says to the answers. An empty line takes the default, ? explains a question, < goes "
        "back, default takes an answer back. Questions go to stderr. Where the input ends, the rest takes its "
        "defaults. Answers given beforehand are offered as defaults. With --quiet nothing but the questions is said.",
        (
            ("advisor ask", "a conversation in the terminal"),
            ("advisor ask --output advice.md", "the result in a file as well"),
            ("printf 'chat\\n5\\n' | advisor ask --json", "the first answers from a pipe, the rest by default"),
        ),
        {EXIT_DONE: "done", EXIT_INTERRUPTED: "interrupted; no answer is kept"},
    ),
    "advisor explain": Page(
        "Explains one thing the project knows by an id: a rule, a mistake or note, a finding of a plan, a flag of a "
        "measured cell, a fact of the guide, a reader's question, an architecture, a task, an answer of the "
        "questionnaire, a threshold. What it is, why, unless, on which facts it stands, examples that fire and stay "
        "silent, and what stands beside it. Nothing is fetched. Without an id it lists them all.",
        (
            ("advisor explain CLS-001", "a rule"),
            ("advisor explain PLAN-061", "a finding of a plan"),
            ("advisor explain other-load", "a flag beside a figure"),
            ("advisor explain Q5", "why bidirectional attention cannot write"),
        ),
    ),
    "advisor profile": Page(
        "Builds the model in a process of its own, fills it, and times whole passes on this machine, cell by cell: "
        "batch sizes, lengths, dtypes. Figures come with intervals; disturbed ones are flagged. Every cell is kept as "
        "soon as it is measured; one measured undisturbed, under the same conditions, is used again.",
        (
            ("advisor profile bert-base", "the usual batch sizes and lengths"),
            ("advisor profile gpt2 --batch 1,8 --input-tokens 128 --output-tokens 32", "the cells named"),
            ("advisor profile minilm-l6 --json --samples", "every sample as a document"),
        ),
        {
            EXIT_DONE: "measured",
            EXIT_UNDECIDED: "nothing could be measured: no torch, no such device, out of time or memory",
            EXIT_INTERRUPTED: "interrupted; what was measured is saved",
        },
    ),
    "advisor advise": Page(
        "The whole way: recommends an architecture, measures the model that stands for each of its parts on this "
        "machine, and plans how many replicas carry the volume within the budget. What an earlier run has measured "
        "undisturbed, under the same conditions, is used again; a run that was interrupted goes on where it ended. "
        "With --verify one replica of each part is then given its planned rate for a minute, requests coming when a "
        "schedule made beforehand says, and what they got stands beside what was predicted of them.",
        (
            ("advisor advise answers.yaml", "answers from a file"),
            ("advisor advise --set task=chat --set latency_budget_ms=2000", "answers from the command line"),
            ("advisor advise answers.yaml --output report.md", "the report in a file as well"),
            ("advisor advise answers.yaml --verify", "and is the plan true?"),
        ),
        {
            EXIT_DONE: "the plan meets the budget",
            EXIT_FINDING: "the plan misses the budget on this machine",
            EXIT_UNDECIDED: "undecided: too noisy, out of time or memory, or a part that cannot be measured",
            EXIT_INTERRUPTED: "interrupted; what was measured is saved",
        },
    ),
    "advisor check": Page(
        "Reviews what a team declared in architecture.yaml or .advisor/architecture.yaml: whether each choice follows "
        "from its workload, whether the model is what the file says, whether the code does what it should, whether "
        "the budgets hold, and what is waived until when. No torch is needed, nothing that is read is run, and what "
        "was not checked is said. docs/check.md has every check.",
        (
            ("advisor check", "the file of this folder"),
            ("advisor check --init --set task=chat", "begin such a file with what is advised, and review it"),
            ("advisor check --base origin/main", "also what this change introduced"),
            ("advisor check --report sarif=review.sarif --report github", "for code scanning, and as annotations"),
            ("advisor check services/search services/chat --strict", "two folders; what is not checked counts"),
        ),
        {
            EXIT_DONE: "nothing at or above the fail level",
            EXIT_FINDING: "a finding at or above the fail level that is not waived",
            EXIT_NOTHING: "nothing was checked: no architecture file, no components, or nothing in them that could be",
            EXIT_UNDECIDED: "a check did not settle; with --strict also where one was not made",
        },
    ),
    "advisor inspect": Page(
        "Reads the config of a model folder and looks at what the model does: each attention layer is run by itself, "
        "one position of what it reads is changed at a time, and the outputs that move are its mask: bidirectional, "
        "causal, prefix or cross, with sliding windows as they are. That is held against what the config claims. With "
        "real weights and a tokenizer, embeddings of unrelated sentences are compared too. Nothing in the folder is "
        "run, unpickled or fetched. Needs the extra profile.",
        (
            ("advisor inspect models/search", "what it claims, what it does, its masks drawn"),
            ("advisor inspect models/search --json", "the same as a document"),
        ),
        {
            EXIT_DONE: "the model is what it claims",
            EXIT_FINDING: "the model is not what it claims",
            EXIT_UNDECIDED: "undecided: no torch, not enough memory, or attention that has no name here",
        },
    ),
    "advisor compare": Page(
        "Measures a representative of each architecture that can do the task, in turns and in two rounds on this "
        "machine, and says how many times what one takes another takes: a request alone, and the machine's time for "
        "each request. An architecture that writes a label reads a prompt of examples first. Beside that stands what "
        "the guide claims, confirmed, refuted or undecided here. Which answers are right is not measured. Each run "
        "measures anew and takes some minutes; nothing of it is kept but what is printed.",
        (
            ("advisor compare --set task=text-classification", "a label from each of the three architectures"),
            ("advisor compare answers.yaml --output comparison.md", "the comparison in a file as well"),
            ("advisor compare --set task=translation --batch 1,8 --json", "as a document"),
        ),
        {
            EXIT_DONE: "compared",
            EXIT_UNDECIDED: "undecided: fewer than two architectures could be measured here",
            EXIT_INTERRUPTED: "interrupted; rounds that were finished are saved",
        },
    ),
    "advisor rules": Page(
        "The rules as a table, their proof, and what an edit of them changes.",
        (("advisor rules check --rules my-rules", "is this folder complete and free of conflict?"),),
        {EXIT_DONE: "done", EXIT_FINDING: "diff: the advice differs"},
    ),
    "advisor rules list": Page(
        "Every rule under its table: when it fires, what follows, why and on what grounds.",
        (("advisor rules list", "all of them"), ("advisor explain CLS-001", "one of them, with examples")),
    ),
    "advisor rules check": Page(
        "Proves that exactly one rule decides every possible workload, that each rule can fire and that every example "
        "is true, and the same of the table that chooses models. Proves anew, whatever was proved before.",
        (("advisor rules check", "the shipped rules"), ("advisor rules check --rules my-rules", "your own")),
        {EXIT_DONE: "proved"},
    ),
    "advisor rules diff": Page(
        "Names the workloads whose advice, or the remarks on it, differ between two folders of rules: all, as regions.",
        (("advisor rules diff rules my-rules", "what my edit changes"),),
        {EXIT_DONE: "the advice is the same", EXIT_FINDING: "the advice differs"},
    ),
    "advisor models": Page(
        "The models that are known: sizes by closed form, memory, licence, sources.",
        (("advisor models", "all of them"), ("advisor models show gpt2", "one of them")),
    ),
    "advisor models list": Page("", (("advisor models list --json", "as a document"),)),
    "advisor models show": Page(
        "One model: its parameters part by part, weights and cache in every dtype, context, languages, sources.",
        (("advisor models show t5-base", "an encoder-decoder"),),
    ),
    "advisor history": Page(
        "Every measurement is kept. Here past runs are listed, shown again as their command printed them, deleted, and "
        "exported for use elsewhere.",
        (("advisor history", "every run in a line, newest first"), ("advisor history show 3", "one of them")),
        STORE,
    ),
    "advisor history list": Page("", (("advisor history list", "all of them"),), STORE),
    "advisor history show": Page(
        "Prints a profile or a report as the command that made it did.",
        (("advisor history show 3", "in words"), ("advisor history show 3 --json --samples", "with every sample")),
        STORE,
    ),
    "advisor history delete": Page(
        "Forgets runs, and the measurements that no other run has.",
        (("advisor history delete 3 4", "two runs"), ("advisor history delete --all", "every run")),
        STORE,
    ),
    "advisor history export": Page(
        "Writes the profile or the report of a run as JSON, with every sample.",
        (("advisor history export 3 profile.json", "into a file"), ("advisor history export 3 -", "to stdout")),
        STORE,
    ),
    "advisor doctor": Page(
        "Says what may be used of this machine and why: cores, memory, devices, versions, and where measurements are "
        "kept. Then what would be slow or wrong here. As JSON it is fit for a report of a defect: no host, user or "
        "home folder is named.",
        (("advisor doctor", "in words"), ("advisor doctor --json > machine.json", "for a report")),
    ),
    "advisor schema": Page(
        "Prints the JSON Schema of a kind of document, generated from the values themselves.",
        (
            ("advisor schema workload", "what an answers file may hold"),
            ("advisor schema report > report.schema.json", "what advise --json prints"),
        ),
    ),
    "advisor completion": Page(
        "Prints a script for bash, zsh or fish. The ids and models it completes are those of the rules and models at "
        "hand when it is printed: print it again after an update.",
        (
            ("source <(advisor completion bash)", "in ~/.bashrc"),
            ('eval "$(advisor completion zsh)"', "in ~/.zshrc, after compinit"),
            ("advisor completion fish > ~/.config/fish/completions/advisor.fish", "once, for fish"),
        ),
    ),
    "advisor tui": Page(
        "Opens the questionnaire in the terminal: it asks what still matters, advises while you answer, measures, and "
        "gives the verdict. Keyboard or mouse; ? shows the keys.",
        (("advisor tui", "from the start"), ("advisor tui answers.yaml", "pre-filled")),
        {EXIT_DONE: "left", EXIT_INTERRUPTED: "interrupted; what was measured is saved"},
    ),
}


def codes(page: Page) -> dict[int, str]:
    """The exit codes of a command in ascending order, those of every command among them."""
    return dict(sorted((CALLER | ALWAYS | dict(page.codes)).items()))


def description(command: str, short: str) -> str:
    """What stands above the options of `--help`."""
    page = PAGES.get(command)
    lead = f"{short[0].upper()}{short[1:]}." if short else ""
    return "\n\n".join(_wrapped(words) for words in (lead, page.about if page else "") if words)


def epilog(command: str) -> str:
    """What stands below them: examples and exit codes."""
    page = PAGES.get(command)
    return "" if page is None else "\n".join(_epilog(page))


def _epilog(page: Page) -> Iterator[str]:
    yield "examples:"
    for line, does in page.examples:
        yield f"  {line}"
        yield f"      {does}"
    yield ""
    yield "exit codes:"
    for code, meaning in codes(page).items():
        yield textwrap.fill(meaning, _width(), initial_indent=f"  {code:<5}", subsequent_indent=" " * 7)


def _wrapped(words: str) -> str:
    return textwrap.fill(words, _width(), break_on_hyphens=False)


def _width() -> int:
    return max(40, min(100, shutil.get_terminal_size().columns) - 2)
