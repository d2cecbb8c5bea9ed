"""Rules and what they stand on, explained: rules of every table, facts, readers' questions, thresholds."""

from __future__ import annotations

import shlex

from advisor.core.explain.document import Explanation, Named, Subject
from advisor.core.explain.grounds import Grounds, command, example_words, named
from advisor.core.guide.rule import Outcome, Rule, Table
from advisor.core.guide.rulebook import COMPONENTS, DECISION, QUANTITY_WORDS, Claim, Fact, Question, Threshold
from advisor.core.guide.words import rule_words, value_words


def subject_of(table: Table) -> Subject:
    """What the rules of a table are about."""
    if table.over == "component":
        return "model choice"
    return "decision" if table.name == DECISION else "component" if table.name == COMPONENTS else "remark"


def explain_rule(grounds: Grounds, table: Table, rule: Rule) -> Explanation:
    """A rule of any table. Its neighbours are the rules whose ids begin alike."""
    subject = subject_of(table)
    kin = rule.id.split("-")[0]
    neighbours = (one for _, one in grounds.rules() if one.id.split("-")[0] == kin and one.id != rule.id)
    return Explanation(
        id=rule.id,
        subject=subject,
        title=rule.title,
        when=rule_words({axis.name: axis.spec for axis in table.space.axes}, rule.when),
        then=outcome_words(rule.then),
        strength=rule.strength,
        because=rule.because,
        unless=rule.unless,
        source=grounds.cited(rule.source),
        fires=tuple(map(example_words, rule.fires)),
        silent=tuple(map(example_words, rule.silent)),
        commands=(command(rule.fires[0]),) if subject == "decision" and rule.fires else (),
        related=named(neighbours),
    )


def outcome_words(outcome: Outcome) -> str:
    """An outcome; a list of preferences as `gpt2, else llama-2-7b`."""
    return outcome if isinstance(outcome, str) else ", else ".join(outcome)


def explain_fact(grounds: Grounds, fact: Fact) -> Explanation:
    """A numbered fact of the guide, and the rules and questions that cite it."""
    questions = (Named(id=one.id, title=one.asks) for one in grounds.book.questions.values() if fact.id in one.source)
    return Explanation(
        id=fact.id,
        subject="fact",
        title=fact_title(fact),
        says=fact.says,
        related=(*grounds.citing((fact.id,)), *questions),
    )


def fact_title(fact: Fact) -> str:
    """Where a fact stands."""
    return "our own, in no document" if fact.section == "ours" else f"the guide, section {fact.section}"


def explain_question(grounds: Grounds, question: Question) -> Explanation:
    """A reader's question with its answer."""
    return Explanation(
        id=question.id,
        subject="question",
        title=question.asks,
        says=question.answer,
        source=grounds.cited(question.source),
        related=grounds.citing(question.source),
    )


def explain_claim(grounds: Grounds, claim: Claim) -> Explanation:
    """What the guide says of two architectures, and when a measurement bears it out."""
    ratio = claim.ratio
    if ratio is None:
        then = f"undecided: it speaks of {claim.about}, which no comparison measures"
    else:
        made_for = "" if ratio.made_for_parameters is None else f" of {ratio.made_for_parameters:,} parameters and more"
        then = (
            f"confirmed where the whole interval says that {ratio.dearer}{made_for} takes at least "
            f"{ratio.at_least:g} times what {ratio.cheaper} takes ({QUANTITY_WORDS[ratio.quantity]}); "
            "refuted where all of it lies below"
        )
    return Explanation(
        id=claim.id,
        subject="claim",
        title=claim.says.rstrip("."),
        says=f"On {', '.join(claim.tasks)}.",
        then=then,
        source=grounds.cited(claim.source),
        commands=(shlex.join(["advisor", "compare", "--set", f"task={claim.tasks[0]}"]),),
        related=grounds.citing(claim.source),
    )


def explain_threshold(grounds: Grounds, threshold: Threshold) -> Explanation:
    """A number that rules name."""
    return Explanation(
        id=threshold.name,
        subject="threshold",
        title=value_words(threshold.value),
        says=f"{threshold.says[0].upper()}{threshold.says[1:]}.",
        remedy="To set another: copy the rules folder, change thresholds.yaml, and give the folder with --rules. "
        "advisor rules diff shows what that changes.",
        source=grounds.cited(threshold.source),
        related=grounds.citing(threshold.source),
    )
