"""`advisor completion SHELL`: a script that lets a shell complete commands, options, and the words they take.

shtab writes the script from the parser; here stands what each argument is completed with. The words are those of the
rules and models at hand when the script is written, so that a shell never waits for Python.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from typing import Any

import shtab

from advisor.advise import Knowledge, load_knowledge
from advisor.cli.arguments import parser
from advisor.cli.options import chosen_folder
from advisor.cli.streams import put
from advisor.cli.tree import arguments, commands
from advisor.core.documents import DOCUMENTS
from advisor.core.errors import EXIT_DONE
from advisor.core.explain.grounds import Grounds
from advisor.core.explain.index import entries
from advisor.core.questions import QUESTIONS

_FOLDERS = ("DIR", "OLD", "NEW", "MODEL_DIR")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.=-]+")
"""What may stand in a script unquoted. A rules folder may hold names that a shell would run."""
_BASH_SETTINGS = """\

# A word after --set is KEY=VALUE, and = may end a word in bash.
_advisor_with_settings() {
  local line="${COMP_LINE:0:COMP_POINT}"
  local typed="${line##*[[:space:]]}"
  local before="${line%"$typed"}"
  if ! [[ "$before" =~ [[:space:]]--set[[:space:]]+$ ]]; then
    _shtab_advisor "$@"
    return
  fi
  COMPREPLY=()
  local word
  while IFS= read -r word; do
    [[ "$typed" == *=* && "$COMP_WORDBREAKS" == *=* ]] && word="${word#*=}"
    COMPREPLY+=("$word")
  done < <(_advisor_set "$typed")
  [[ "$typed" == *=* ]] || compopt -o nospace 2>/dev/null || :
}
complete -o bashdefault -F _advisor_with_settings advisor
"""


def completion(options: argparse.Namespace) -> int:
    """Print the script."""
    knowledge = load_knowledge(chosen_folder(options, "rules"), chosen_folder(options, "models"))
    put(script(options.shell, knowledge))
    return EXIT_DONE


def script(shell: str, knowledge: Knowledge) -> str:
    """The completion script for a shell."""
    top = parser()
    words = _words_of(knowledge)
    for command in commands(top):
        for argument in arguments(command.parser):
            if not argument.choices and (found := _completes(command.words, argument, words)) is not None:
                argument.complete = found  # type: ignore[attr-defined]
    made: str = shtab.complete(top, shell)
    return made + (_BASH_SETTINGS if shell == "bash" else "\n")


def _words_of(knowledge: Knowledge) -> dict[str, Any]:
    """What the words of arguments are completed with, by the name of the argument."""
    ids = dict.fromkeys(entry.id for entry in entries(Grounds(knowledge.rulebook, knowledge.catalog)))
    models, hosted = list(knowledge.catalog.entries), list(knowledge.catalog.hosted)
    return {
        "ANSWERS": shtab.glob("*.yaml", "*.yml", "*.json"),
        "FILE": shtab.FILE,
        "MODEL": _words("dir_model", models, folders=True),
        "advisor advise --model": _words("dir_model", models, folders=True),
        "advisor models show ID": _words("model", [*models, *hosted]),
        "advisor explain ID": _words("explain", list(ids)),
        "KIND": _words("kind", list(DOCUMENTS)),
        "KEY=VALUE": _words("set", list(_settings())),
    } | dict.fromkeys(_FOLDERS, shtab.DIRECTORY)


def _completes(command: str, argument: argparse.Action, words: dict[str, Any]) -> Any:
    name = str(argument.metavar or argument.dest)
    last = argument.option_strings[-1] if argument.option_strings else name
    return words.get(f"{command} {last}", words.get(name))


def _settings() -> Iterator[str]:
    """`key=` for every answer, `key=value` where the values can be listed."""
    for asked in QUESTIONS:
        values = ("true", "false") if asked.kind == "flag" else asked.choices
        yield from (f"{asked.answer}={value}" for value in values or ("",))


def _words(name: str, words: Sequence[str], *, folders: bool = False) -> dict[str, Any]:
    """One of these words, or a folder, in every shell's own language."""
    function = f"_advisor_{name}"
    listed = " ".join(word for word in words if _PLAIN_WORD.fullmatch(word))
    bash = [f"compgen -W '{listed}' -- \"$1\"", *(['compgen -d -- "$1"'] if folders else [])]
    zsh = [f"compadd -- {listed}", *(["_files -/"] if folders else [])]
    fish = [f"printf '%s\\n' {listed}", *(["__fish_complete_directories"] if folders else [])]
    return {
        "bash": function,
        "zsh": function,
        "fish": f"({function})",
        "preamble": {
            "bash": "\n".join((f"{function}() {{", *(f"  {line}" for line in bash), "}")),
            "zsh": "\n".join((f"{function}() {{", *(f"  {line}" for line in zsh), "}")),
            "fish": "\n".join((f"function {function}", *(f"  {line}" for line in fish), "end")),
        },
    }
