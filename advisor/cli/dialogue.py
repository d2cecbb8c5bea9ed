"""The questionnaire as a conversation: one question after another, each asked only while it still matters.

Which questions there are stands in `core.questions`, whether one still matters in the rules, what may be answered in
`Answers`; this is only the order of the talk. An answer that does not hold is refused with its reason and asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from advisor.cli.lines import ask, say
from advisor.core.errors import AdvisorError, allowed_words
from advisor.core.questions import Question, default_words, question, still_asked
from advisor.core.task import TASK_WORDS, TASKS
from advisor.core.workload import Answers
from advisor.store.typed import checked, texts_of

BACK, EXPLAIN, DEFAULT = "<", "?", "default"
GREETING = (
    "Answer line by line; Enter ends a line. An empty line takes the default, ? explains a question, < goes back to "
    "the one before, default takes an answer back. Ctrl-C leaves."
)
_TASK_NUMBERS = tuple(str(number) for number, _ in enumerate(TASKS, start=1))
_FLAGS = {"yes": "true", "y": "true", "true": "true", "no": "false", "n": "false", "false": "false"}


class Dialogue:
    """The answers so far and the questions passed.

    `matters` tells whether an answer could still change the advice beside others, `more` what else there is to know
    about a question. A brief dialogue leaves out all sentences but the questions.
    """

    def __init__(
        self,
        given: Answers | None,
        *,
        matters: Callable[[str, Answers], bool],
        more: Callable[[str], Sequence[str]],
        brief: bool = False,
    ) -> None:
        self._texts = texts_of(given) if given else {}
        self._passed: list[str] = []
        self._matters = matters
        self._more = more
        self._brief = brief
        self._told = ""

    def answers(self) -> Answers:
        """Ask until nothing is left to ask or the input ends. Raises AdvisorError where no task was given."""
        if not self._brief:
            say(GREETING)
        while (asked := self._next()) is not None:
            self._introduce(asked)
            typed = ask(self._prompt(asked), self._words(asked))
            if typed is None:
                break
            self._take(asked, typed)
        found = checked(self._texts).answers
        if found is None:
            words = 'the input ended before the answer "task" was given'
            raise AdvisorError(words, fix=f"give it in the first line, or with --set task=…; tasks: {', '.join(TASKS)}")
        if asked is not None:
            say("The input ended: what was not answered takes its default.")
        return found

    def _next(self) -> Question | None:
        """The first question that matters and was not passed."""
        found = checked(self._texts).answers
        left = (question("task"),) if found is None else still_asked(found, lambda name: self._matters(name, found))
        return next((asked for asked in left if asked.answer not in self._passed), None)

    def _introduce(self, asked: Question) -> None:
        """The sentences before a question, once until another is asked."""
        if self._brief or self._told == asked.answer:
            return
        self._told = asked.answer
        say()
        say(f"{asked.asks}. {asked.explains}")
        if asked.answer == "task":
            for number, task in enumerate(TASKS, start=1):
                say(f"{number}. {task}: {TASK_WORDS[task]}")

    def _prompt(self, asked: Question) -> str:
        choice = "name or number" if asked.answer == "task" else "" if asked.kind == "number" else asked.allowed
        return f"{asked.asks} ({'; '.join(part for part in (choice, self._preset(asked)) if part)}): "

    def _preset(self, asked: Question) -> str:
        """What an empty line takes."""
        if asked.answer in self._texts:
            text = self._texts[asked.answer]
            return f"as given {_spoken(text) if asked.kind == 'flag' else text}"
        found = checked(self._texts).answers
        return f"default {default_words(asked, found)}" if found else "no default"

    def _words(self, asked: Question) -> Sequence[str]:
        if asked.kind == "flag":
            return ("yes", "no")
        return [str(choice) for choice in asked.choices]

    def _take(self, asked: Question, typed: str) -> None:
        """What one line does."""
        if typed == EXPLAIN:
            self._explain(asked)
        elif typed == BACK:
            self._go_back()
        elif typed == "" and asked.answer == "task" and "task" not in self._texts:
            say("The task is the one answer without a default: give its name or its number in the list.")
        elif typed == "":
            self._passed.append(asked.answer)
        elif typed == DEFAULT and asked.answer != "task":
            self._texts.pop(asked.answer, None)
            self._passed.append(asked.answer)
        else:
            self._answer(asked, typed)

    def _explain(self, asked: Question) -> None:
        allowed = "one of the tasks in the list" if asked.answer == "task" else asked.allowed
        for line in (*([asked.explains] if self._brief else []), f"Allowed: {allowed}.", *self._more(asked.answer)):
            say(line)

    def _go_back(self) -> None:
        if self._passed:
            self._passed.pop()
        else:
            say("This is the first question.")

    def _answer(self, asked: Question, typed: str) -> None:
        """Keep the answer if it holds. An earlier answer that it contradicts is dropped and asked again."""
        text = _as_in_a_file(asked, typed)
        if asked.kind == "flag" and text not in _FLAGS.values():
            say(f'Not taken: unknown word "{typed[:60]}" — {allowed_words(typed, ("yes", "no"))}')
            return
        found = checked(self._texts | {asked.answer: text}).problems
        if asked.answer in found:
            say(f"Not taken: {found[asked.answer]}")
            return
        self._texts[asked.answer] = text
        self._passed.append(asked.answer)
        for name, words in found.items():
            say(f"Asked again: {words}")
            self._texts.pop(name, None)
            if name in self._passed:
                self._passed.remove(name)


def _as_in_a_file(asked: Question, typed: str) -> str:
    """What a person types, as an answers file spells it."""
    if asked.kind == "flag":
        return _FLAGS.get(typed.lower(), typed)
    if asked.answer == "task" and typed in _TASK_NUMBERS:
        return TASKS[_TASK_NUMBERS.index(typed)]
    if asked.kind == "choice":
        return next((str(choice) for choice in asked.choices if str(choice) == typed.lower()), typed)
    return typed


def _spoken(text: str) -> str:
    return {"true": "yes", "false": "no"}.get(text, text)
