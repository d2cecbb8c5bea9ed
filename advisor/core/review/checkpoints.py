"""What the name of a class or checkpoint says of a model's architecture, for names that leave no doubt.

A name that is not here is unknown and judged by nobody. The last part of a checkpoint's name counts
(`org/gpt2-large`); a decoder whose name says that it was tuned for vectors is no plain one.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["decoder", "encoder"]

_DECODER_CHECKPOINT = re.compile(
    r"(distil)?gpt2|gpt-(neo|j|neox)|(meta-|open|tiny)?llama-?\d?|mistral-\d|mixtral-|ministral-|qwen\d|phi-?\d|falcon-|"
    r"opt-\d|bloomz?-|gemma-|smollm|pythia-|mpt-\d|stablelm|deepseek-|olmo"
)
_TUNED = re.compile(r"embed|rerank|retriev|contrast|sentence|simcse|\be5\b|\bgte\b|\bbge\b|instructor|bidirectional")
_ENCODER_CHECKPOINT = re.compile(
    r"(distil|tiny|modern|mobile|sci|bio|fin|legal|camem)?bert([-_]|$)|(xlm-|distil)?roberta([-_]|$)|m?deberta([-_]|$)|"
    r"electra-|albert-|mpnet-|all-(minilm|mpnet|distilroberta)-|(multilingual-)?e5-(small|base|large)|"
    r"(bge|gte)-(small|base|large)"
)
_BOTH = re.compile(r"2(bert|roberta|gpt|rnd|shared)|encoder-?decoder|seq2seq|decoder")
_ENCODERS = "Albert|Bert|Camembert|Deberta|DebertaV2|DistilBert|Electra|ModernBert|MPNet|Roberta|XLMRoberta"
_ENCODER_CLASS = re.compile(
    rf"({_ENCODERS})(Model|For(MaskedLM|PreTraining|SequenceClassification|TokenClassification|QuestionAnswering|"
    r"MultipleChoice))|AutoModelFor(MaskedLM|SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice)"
)
_DECODER_CLASS = re.compile(rf"(?!({_ENCODERS}|Auto))\w+ForCausalLM|AutoModelForCausalLM|GPT2LMHeadModel")


def of_checkpoint(name: str) -> Kind | None:
    """What a checkpoint is by its name."""
    last = name.rstrip("/").rsplit("/", 1)[-1].lower()
    if _DECODER_CHECKPOINT.match(last):
        return None if _TUNED.search(last) else "decoder"
    return "encoder" if _ENCODER_CHECKPOINT.match(last) and not _BOTH.search(last) else None


def of_class(name: str) -> Kind | None:
    """What a class of transformers is by its name; the automatic one without a head may be anything."""
    if _DECODER_CLASS.fullmatch(name):
        return "decoder"
    return "encoder" if _ENCODER_CLASS.fullmatch(name) else None


def tuned_for_vectors(name: str) -> bool:
    """Whether a checkpoint's name says that its vectors were tuned to be compared."""
    return bool(_TUNED.search(name.lower()))
