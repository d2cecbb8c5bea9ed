"""The option `--report FORMAT[=FILE]`: a review in the formats of other tools, several in one run.

Every file is checked before the review begins and written whole or not at all. `github` alone speaks on stdout, where a
runner listens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, cast

from advisor.cli.printing import to_json
from advisor.core.errors import AdvisorError, Problem, allowed_words
from advisor.core.review.document import CheckDocument
from advisor.store.output import check_output, write_text

ON_STDOUT = "github"
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "json": (".json",),
    "sarif": (".sarif", ".json"),
    "junit": (".xml",),
    "gitlab": (".json",),
    "md": (".md",),
}
FORMATS = (*ENDINGS, ON_STDOUT)
_MODULES = {"md": "check_markdown"}
_COMMAND = re.compile(r"^(?=[^\S\n]*::)", re.MULTILINE)
_OLD_COMMAND = "##["
"""What a runner takes for a command wherever in a line it stands."""


class Wanted(NamedTuple):
    """A report that was asked for; `path` is None where it goes to stdout. `waived` is for SARIF alone."""

    form: str
    path: Path | None
    waived: bool = False


def wanted_reports(
    said: Sequence[str], output: Path | None, *, as_json: bool, show_waived: bool = False
) -> tuple[Wanted, ...]:
    """The reports asked for, `output` as one of them. Raises AdvisorError with everything that is wrong with them."""
    problems: list[Problem] = []
    wanted = [] if output is None else [Wanted("md" if output.suffix.lower() == ".md" else "json", output)]
    for one in said:
        form, equals, file = one.partition("=")
        try:
            wanted.append(_wanted(form, file, given=bool(equals), as_json=as_json))
        except AdvisorError as error:
            problems += error.problems
    paths = [str(one.path.absolute()) for one in wanted if one.path is not None]
    for path in dict.fromkeys(path for path in paths if paths.count(path) > 1):
        problems.append(_problem(f"two reports would be written to {path}", "give each a file of its own"))
    if show_waived and not any(one.form == "sarif" for one in wanted):
        words = (
            "has no effect without --report sarif=FILE: the other reports tell what is waived, or have no place for it"
        )
        problems.append(Problem("--show-waived", None, None, words, "leave it out, or add that report"))
    if problems:
        raise AdvisorError(problems)
    return tuple(one._replace(waived=show_waived and one.form == "sarif") for one in wanted)


def _wanted(form: str, file: str, *, given: bool, as_json: bool) -> Wanted:
    if form not in FORMATS:
        raise AdvisorError([_problem(f'unknown format "{form[:40]}" — {allowed_words(form, FORMATS)}', None)])
    if form != ON_STDOUT:
        if not file:
            raise AdvisorError([_problem(f"{form} needs a file", f"write --report {form}=FILE{ENDINGS[form][0]}")])
        check_output(Path(file), ENDINGS[form])
        return Wanted(form, Path(file))
    if given:
        raise AdvisorError([_problem("github writes to stdout, where the runner reads it", "write --report github")])
    if as_json:
        raise AdvisorError([_problem("github and --json would both write to stdout", "write --report json=FILE")])
    return Wanted(form, None)


def _problem(words: str, fix: str | None) -> Problem:
    return Problem("--report", None, None, words, fix)


def write_reports(document: CheckDocument, wanted: Sequence[Wanted]) -> str:
    """Write every report that has a file; what is for stdout is returned."""
    spoken = ""
    for one in wanted:
        words = to_json(document) if one.form == "json" else _rendered(one, document)
        if one.path is None:
            spoken += words
        else:
            write_text(one.path, words)
    return spoken


def beside_commands(text: str) -> str:
    """The text as it may stand beside workflow commands: none of its lines holds one."""
    return _COMMAND.sub("· ", text).replace(_OLD_COMMAND, "## [")


def _rendered(wanted: Wanted, document: CheckDocument) -> str:
    """The document in a format; a run pays only for those it uses."""
    module = import_module(f"advisor.report.{_MODULES.get(wanted.form, wanted.form)}")
    render = cast(Callable[..., str], module.render)
    return render(document, waived=True) if wanted.waived else render(document)
