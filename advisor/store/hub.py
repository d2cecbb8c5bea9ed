"""Models by hub id: the files that measuring needs are fetched into the user's own cache, and nothing else.

The only place of the project that uses the network, and only when a caller names `owner/name`. What is fetched is
JSON, safetensors and tokenizer files of one revision; code and pickles stay where they are. The one idea: a person
named a model, so whatever comes of it is said as one sentence about that model, with what to do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from advisor.core.errors import EXIT_CALLER, EXIT_UNDECIDED, AdvisorError
from advisor.store.model_folder import CONFIG, TOKENIZER_FILES, read_config
from advisor.store.safetensors import INDEX, PICKLES, SINGLE

if TYPE_CHECKING:
    from huggingface_hub import HfApi

HUB_ID = re.compile(r"(?P<id>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>[\w./-]+))?")
SHARDS = "model-*-of-*.safetensors"
BESIDE = ("modules.json", "1_Pooling/config.json", "adapter_config.json")
WITHOUT_LIBRARY = "pip install 'archadvisor[profile]'"


class Fetched(NamedTuple):
    """Where the files of a hub's model lie now, and which revision they are of."""

    folder: Path
    hub_id: str
    revision: str


def fetch(name: str, *, say: Callable[[str], object] = lambda words: None, quiet: bool = True) -> Fetched:
    """Fetch `owner/name`, or `owner/name@revision`. Raises AdvisorError where that is impossible.

    Exit code 2 where the name leads nowhere or its owner has not let the caller in, 4 where the hub cannot be asked and
    the cache does not have it. `quiet` keeps the library's progress bars off stderr.
    """
    named = HUB_ID.fullmatch(name)
    if named is None:
        words = f'"{name[:200]}" is neither a folder here nor a hub id'
        raise AdvisorError(words, fix="a hub id is written owner/name, or owner/name@revision")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    hub_id, revision = named["id"], named["revision"]
    with _in_words(hub_id, revision):
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars

        if quiet:
            disable_progress_bars()
        listed = _listed(HfApi(), hub_id, revision)
        offline = listed is None
        say(f"{hub_id}: " + ("the hub cannot be asked, so its cache is used" if offline else "asking the hub"))
        wanted = [] if listed is None else _wanted(hub_id, listed)
        # By the name the caller gave: the cache then knows the revision under that name when the hub is out of reach.
        folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=[CONFIG], local_files_only=offline))
        read_config(folder)  # before gigabytes are fetched for nothing
        if not offline:
            say(f"{hub_id}: fetching what is not in the cache yet")
            snapshot_download(hub_id, revision=folder.name, allow_patterns=wanted)
        elif not any((folder / name).is_file() for name in (SINGLE, INDEX)):
            raise _out_of_reach(hub_id)
    return Fetched(folder, hub_id, folder.name)


def _listed(api: HfApi, hub_id: str, revision: str | None) -> list[str] | None:
    """The files that the hub has under this name; None where the hub cannot be asked."""
    from huggingface_hub import errors

    try:
        found = api.model_info(hub_id, revision=revision)
    except errors.HfHubHTTPError:
        raise
    except (_http_error(), ConnectionError):
        return None
    return [one.rfilename for one in found.siblings or ()]


def _wanted(hub_id: str, files: Sequence[str]) -> list[str]:
    """The names to fetch. Raises AdvisorError for a model without weights that can be read as data."""
    patterns = [CONFIG, SINGLE, INDEX, SHARDS, *TOKENIZER_FILES, *BESIDE]
    chosen = [name for name in files if any(fnmatchcase(name, pattern) for pattern in patterns)]
    if SINGLE in chosen:
        chosen = [name for name in chosen if name != INDEX and not fnmatchcase(name, SHARDS)]
    weighs = any(name.endswith(".safetensors") for name in chosen)
    if not weighs and any(name in PICKLES for name in files):
        words = f"{hub_id} has no safetensors files, and other formats can run code when opened"
        raise AdvisorError(words, fix="look for a revision with model.safetensors, or save the model once more in it")
    return chosen


@contextmanager
def _in_words(hub_id: str, revision: str | None) -> Iterator[None]:
    """Turn what the hub's library raises into one sentence each."""
    try:
        from huggingface_hub import errors
    except ModuleNotFoundError as error:
        words = f"fetching {hub_id} needs {error.name}, which is not installed here"
        raise AdvisorError(words, exit_code=EXIT_UNDECIDED, fix=WITHOUT_LIBRARY) from None
    try:
        yield
    except errors.GatedRepoError:
        raise _refused(
            f"{hub_id} is gated: its owner decides who may have it",
            "accept its terms on its page, then log in: hf auth login",
        ) from None
    except errors.RepositoryNotFoundError:
        fix = "check the spelling; a private model needs a login: hf auth login"
        raise _refused(f"the hub has no model {hub_id}, or not for you", fix) from None
    except errors.RevisionNotFoundError:
        raise _refused(f"{hub_id} has no revision {revision}", "name a branch, a tag or a commit of it") from None
    except errors.HfHubHTTPError as error:
        words = f"the hub answered for {hub_id}: {str(error)[:200]}"
        raise AdvisorError(words, exit_code=EXIT_UNDECIDED, fix="try again later") from None
    except (errors.LocalEntryNotFoundError, _http_error(), ConnectionError):
        raise _out_of_reach(hub_id) from None
    except errors.HFValidationError:
        raise _refused(f'"{hub_id}" is not a name that the hub allows', "a hub id is written owner/name") from None
    except OSError as error:
        words = f"{hub_id} could not be fetched: {error.strerror or str(error)[:200]}"
        fix = "see that the disk has room and that the cache (HF_HOME) may be written"
        raise AdvisorError(words, exit_code=EXIT_UNDECIDED, fix=fix) from None


def _http_error() -> type[Exception]:
    """What the HTTP library under the hub's raises, whichever that is in the version at hand."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__bases__[0]


def _out_of_reach(hub_id: str) -> AdvisorError:
    words = f"{hub_id} is not in the cache, or not all of it, and the hub cannot be reached from here"
    fix = "connect to the network, or name a folder that has the model"
    return AdvisorError(words, exit_code=EXIT_UNDECIDED, fix=fix)


def _refused(words: str, fix: str) -> AdvisorError:
    return AdvisorError(words, exit_code=EXIT_CALLER, fix=fix)
