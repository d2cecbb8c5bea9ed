"""`advisor inspect` as one straight story: read the folder, have it looked at, judge what was seen.

Any face calls it, and so does a review for a component whose model is a folder with weights. The config and the
evidence are read apart, so that one can contradict the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError, Problem, did_you_mean
from advisor.core.model.families import FAMILIES
from advisor.core.model.published_config import of_unknown_kind, read_published
from advisor.store.json_object import read_object
from advisor.store.model_folder import CONFIG, FolderModel, read_model_folder

if TYPE_CHECKING:  # whoever only asks whether it could be done pays for none of it
    from advisor.core.guide.recommendation import Remark
    from advisor.core.inspection import Anisotropy, Claim, Cosine, Inspection, Probe
    from advisor.core.protocol import Inspected

SEES_AHEAD, NARROW = "GEN-102", "EMB-101"
"""The rules whose words say what is wrong; they stand over designs and are read from the shipped folder."""
MAY_SAY = ("is_decoder",)
"""What makes another module than the closed forms count: here it is looked at and not counted."""
Say = Callable[[str], object]


def can_inspect() -> bool:
    """Whether this installation can build models: the extra `profile` is there. Imports none of it."""
    return all(find_spec(name) is not None for name in ("torch", "transformers", "sklearn"))


def inspect_folder(folder: Path, *, say: Say = lambda words: None) -> Inspection:
    """What the model in a folder is. Blocks for seconds.

    Raises AdvisorError: exit code 2 where the folder holds no model that can be read, 4 where it cannot be looked at
    here, and KeyboardInterrupt where a signal ends it.
    """
    say(f"{folder.name or folder}: reading its config and its weights")
    return inspect_model(_read(folder), say=say)


def inspect_model(model: FolderModel, *, say: Say = lambda words: None) -> Inspection:
    """The same of a folder that has been read."""
    from advisor.core.inspection import claim_of, half_of
    from advisor.core.protocol import Inspect
    from advisor.core.unrelated import SENTENCES
    from advisor.run.inspection import inspect
    from advisor.store.machine import memory_limit_bytes

    say("starting the process that builds it (importing torch takes some seconds)")
    half = half_of(claim_of(model.source.config, model.entry.architecture), model.entry.architecture)
    request = Inspect(
        id=time.monotonic_ns() % 1_000_000_000,
        model=model.entry if half is None else model.entry.model_copy(update={"transformers_class": half[0]}),
        source=model.source,
        memory_limit_bytes=memory_limit_bytes(),
        texts=SENTENCES,
        half=None if half is None else half[1],
    )

    async def job() -> Inspected:
        _end_in_order()
        return await inspect(request)

    try:
        seen = asyncio.run(job())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    return judged(model, seen)


def judged(model: FolderModel, seen: Inspected) -> Inspection:
    """What was seen, beside what the config claims."""
    from advisor.core.attention import named
    from advisor.core.inspection import InspectedModel, Inspection, agreement, claim_of, mask_found, probe_of
    from advisor.core.model.claimed import claimed

    claim = claim_of(model.source.config, model.entry.architecture)
    probe = probe_of([named(look) for look in seen.looks])
    anisotropy = _beside_the_reference(seen.cosine)
    contradiction = claimed(model.source.config, model.entry.architecture).contradiction
    own_words = (f"config.json contradicts itself: {contradiction}.",) if contradiction else ()
    return Inspection(
        model=InspectedModel(
            name=model.source.name,
            parameters=seen.parameters,
            weights=seen.weights,
            weights_sha256=model.source.weights_sha256,
            tokens=seen.tokens,
        ),
        claim=claim,
        probe=probe,
        agrees=False if contradiction else agreement(claim, probe),
        mask_found=mask_found(probe),
        remarks=() if contradiction else tuple(_remarks(claim, probe, anisotropy)),
        anisotropy=anisotropy,
        notes=(*own_words, *_on_the_folder(model, claim), *seen.notes, *_on_the_mask(model), *_on_the_window(seen)),
    )


def _read(folder: Path) -> FolderModel:
    if not os.path.isdir(folder):
        words = (
            "this is a file; a model is a folder with config.json in it" if os.path.isfile(folder) else "no such folder"
        )
        fix = "name a folder with config.json; an entry of the catalogue is shown by: advisor models show ID"
        raise AdvisorError([Problem(str(folder), None, None, words, fix)])
    try:
        return read_model_folder(folder, allowed=MAY_SAY)
    except AdvisorError as error:
        raise _undecided(folder) or error from None
    except OSError as error:
        words = f"cannot be read: {error.strerror or error}"
        raise AdvisorError([Problem(str(folder), None, None, words, "check the path and its permissions")]) from None


def _undecided(folder: Path) -> AdvisorError | None:
    """That nobody here can say what the model is, where that is no mistake of whoever named it."""
    try:
        file = read_object(folder / CONFIG)
    except AdvisorError:
        return None
    if not of_unknown_kind(file.value, allowed=MAY_SAY):
        return None
    model_type = str(file.value["model_type"])
    if model_type in FAMILIES:
        refused = [one for one in read_published(file.value, allowed=MAY_SAY)[1] if one[0] is not None]
        return AdvisorError([file.problem(*one) for one in refused], exit_code=EXIT_UNDECIDED)
    near = did_you_mean(model_type, FAMILIES)
    words = f'what a model of the type "{model_type[:80]}" is made of is not known here'
    fix = f'did you mean "{near}"?' if near else f"types that can be looked at: {', '.join(FAMILIES)}"
    return AdvisorError([file.problem("model_type", words, fix)], exit_code=EXIT_UNDECIDED)


def _end_in_order() -> None:
    """Let the signals that end a run cancel this task, so that its process and its folder go too."""
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(RuntimeError, ValueError):  # a loop that takes no handlers
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _beside_the_reference(cosine: Cosine | None) -> Anisotropy | None:
    from advisor.core.inspection import Anisotropy, is_narrow
    from advisor.core.unrelated import REFERENCE

    if cosine is None:
        return None
    return Anisotropy(**cosine.model_dump(), narrow=is_narrow(cosine), reference=REFERENCE)


def _remarks(claim: Claim, probe: Probe, anisotropy: Anisotropy | None) -> list[Remark]:
    """The mistakes of the guide that were seen."""
    from advisor.core.inspection import sees_ahead

    found = [_remark(SEES_AHEAD, "error")] if sees_ahead(claim, probe) else []
    if anisotropy is not None and anisotropy.narrow and claim.architecture == "decoder-only":
        found.append(_remark(NARROW, "warning"))
    return found


def _remark(rule_id: str, level: str) -> Remark:
    from advisor.core.guide.recommendation import Remark
    from advisor.store.paths import shipped
    from advisor.store.rulebook import load_rulebook

    book = load_rulebook(shipped("rules"))
    _, rule = book.rule(rule_id)
    return Remark(rule=rule.id, says=rule.because, source=book.sources(rule.source), level=level)


def _on_the_folder(model: FolderModel, claim: Claim) -> tuple[str, ...]:
    """What reading it had to say, without the note on a class that is counted in place of a half: the half is built."""
    from advisor.core.inspection import half_of

    half = half_of(claim, model.entry.architecture)
    if half is None:
        return model.source.notes
    return tuple(note for note in model.source.notes if not note.startswith(f"config.json names {half[0]};"))


def _on_the_mask(model: FolderModel) -> list[str]:
    if model.source.config.get("is_causal") is not False or model.entry.architecture == "encoder-only":
        return []
    return ["config.json sets is_causal to false, which takes the causal mask away."]


def _on_the_window(seen: Inspected) -> list[str]:
    if seen.window is None or seen.window < seen.tokens:
        return []
    return [
        f"Its config speaks of a window of {seen.window:,} tokens; {seen.tokens} were read, so its end was not seen."
    ]
