"""What the name of a class or checkpoint says of a model's architecture, for names that leave no doubt.

A checkpoint counts by its whole published name: a folder, or an id that only contains `llama` or `bert`, may hold
anything. A name that is not here is unknown and judged by nobody.
"""

from __future__ import annotations

import re
from typing import Literal

from advisor.core.architecture import Architecture

Kind = Literal["decoder", "encoder"]

_SIZE = r"[\d.]+[mb]"
_GENERATIVE = re.compile(
    "|".join(
        (
            r"(openai-community/)?(gpt2(-medium|-large|-xl)?|openai-gpt)",
            r"(distilbert/)?distilgpt2",
            rf"eleutherai/(gpt-neo-{_SIZE}|gpt-j-6b|gpt-neox-20b|pythia-{_SIZE}(-deduped)?)",
            rf"facebook/(opt|xglm)-{_SIZE}",
            r"(meta-llama|nousresearch|unsloth|thebloke)/(meta-)?llama-[23](\.\d)?-\d+b(-chat|-instruct)?(-hf)?",
            r"(codellama|thebloke)/codellama-\d+b(-instruct|-python)?(-hf)?|openai/gpt-oss-\d+b",
            rf"huggyllama/llama-\d+b|openlm-research/open_llama_\d+b(_v2)?|tinyllama/tinyllama-{_SIZE}-(chat|step|inter).*",
            r"lmsys/vicuna-\d+b-v[\d.]+|huggingfaceh4/zephyr-7b-(alpha|beta)",
            r"(mistralai|unsloth|thebloke)/(mistral-7b|mixtral-8x\d+b)(-instruct)?-v[\d.]+",
            r"mistralai/(mistral-(nemo|small|large)|ministral-\d+b)-(base|instruct)-\d+",
            rf"qwen/qwen([\d.]+)?(-coder|-math)?-{_SIZE}(-a{_SIZE})?(-chat|-instruct|-base|-thinking)?(-\d{{4}})?",
            rf"deepseek-ai/deepseek-coder-{_SIZE}-(base|instruct)|01-ai/yi-(1\.5-)?\d+b(-chat)?",
            rf"ibm-granite/granite-3\.\d-{_SIZE}-(base|instruct)|teknium/openhermes-2\.5-mistral-7b",
            r"microsoft/(phi-(1|1_5|2|4)|phi-[34][\w.-]*-instruct|dialogpt-(small|medium|large))",
            rf"tiiuae/falcon-(rw-)?{_SIZE}(-instruct|-chat)?",
            r"bigscience/bloomz?(-560m|-1b1|-1b7|-3b|-7b1)?",
            rf"google/gemma-([\d.]+-)?{_SIZE}(-it)?",
            rf"huggingfacetb/smollm\d?-{_SIZE}(-instruct|-base)?",
            r"stabilityai/stablelm-(3b-4e1t|2-1_6b(-chat)?|(base|tuned)-alpha-[37]b)",
            r"deepseek-ai/deepseek-(llm-\d+b-(base|chat)|r1-distill-(qwen|llama)-[\d.]+b)",
            rf"allenai/olmo-(2-\d{{4}}-)?{_SIZE}(-instruct|-hf)?",
            rf"mosaicml/mpt-{_SIZE}(-instruct|-chat)?",
            rf"bigcode/(starcoder(base)?|starcoder2-{_SIZE})|salesforce/codegen-{_SIZE}-(mono|multi|nl)",
        )
    )
)
"""Checkpoints trained to write and for nothing else, in lower case."""
_IN_FEWER_BITS = re.compile(r"-(awq|gptq(-int\d)?|gguf|fp8|(unsloth-)?bnb-4bit)$")
_SIZED = re.compile(r"-(\d+|\d*\.\d+)([mb])(?![\w.])")
"""How a name says how large its model is; of experts beside each other (8x7b) it does not say it."""
_PULLED = re.compile(
    r"(llama[23](\.\d)?|mistral|mixtral|gemma[23]?|phi[34]?|qwen[23]?(\.5)?|tinyllama|vicuna|zephyr|orca-mini)(:[\w.-]+)?"
)
"""The same as Ollama names them."""
_ENCODERS = re.compile(
    "|".join(
        (
            r"(google-bert/)?bert-(base|large)-((un)?cased|multilingual-(un)?cased|chinese|german-cased)"
            r"(-whole-word-masking)?(-finetuned-[\w-]+)?",
            r"(facebookai/)?(xlm-)?roberta-(base|large)(-mnli)?",
            r"(distilbert/)?(distilbert-base-(multilingual-|german-)?(un)?cased(-finetuned-sst-2-english|-distilled-squad)?"
            r"|distilroberta-base)",
            r"(albert/)?albert-x{0,2}(base|large)-v[12]|(almanach/)?camembert-base",
            r"google/electra-(small|base|large)-(discriminator|generator)",
            r"microsoft/(mdeberta-v3-base|deberta-(v[23]-)?(xsmall|small|base|large|xlarge|xxlarge)(-mnli)?|mpnet-base)",
            r"answerdotai/modernbert-(base|large)|allenai/(scibert_scivocab_(un)?cased|longformer-(base|large)-4096)",
            r"prosusai/finbert|dmis-lab/biobert-[\w.-]+|nlpaueb/legal-bert-base-uncased",
            r"(sentence-transformers/)?(all|multi-qa|paraphrase)-(multilingual-)?(minilm|mpnet|distilroberta)-[\w.-]+",
            r"(sentence-transformers/)?(labse|distiluse-base-multilingual-cased(-v[12])?|msmarco-(distil)?bert-[\w.-]+)",
            r"intfloat/(multilingual-)?e5-(small|base|large)(-v2)?|facebook/contriever(-msmarco)?",
            r"(baai/bge|thenlper/gte)-(small|base|large)(-(en|zh))?(-v1\.5)?|baai/bge-m3|whereisai/uae-large-v1",
            r"alibaba-nlp/gte-((base|large)-en-v1\.5|multilingual-base|modernbert-base)|nomic-ai/nomic-embed-text-v1(\.5)?",
            r"mixedbread-ai/mxbai-embed-large-v1|jinaai/jina-embeddings-v2-[\w-]+",
            r"snowflake/snowflake-arctic-embed-(xs|s|m|l)(-v[\d.]+)?",
            r"cross-encoder/(ms-marco|stsb|qnli|quora|nli)-[\w.-]+|baai/bge-reranker-(base|large|v2-m3)",
            r"dslim/(distil)?bert-[\w-]+|deepset/(roberta|deberta|minilm|bert|tinyroberta)-[\w.-]+",
            r"cardiffnlp/twitter-(xlm-)?roberta-[\w.-]+|nlptown/bert-base-multilingual-uncased-sentiment",
        )
    )
)
_TRANSLATORS = re.compile(
    "|".join(
        (
            r"(google-t5/)?t5-(small|base|large|3b|11b)|google/flan-(t5-(small|base|large|xl|xxl)|ul2)",
            r"google/((long-|m|um|by)?t5|t5-v1_1|t5-efficient|switch)-[\w.-]+|google/(bigbird-)?pegasus-[\w-]+",
            r"google/madlad400-\d+b-mt(-bt)?",
            r"facebook/(bart-(base|large)(-cnn|-xsum|-mnli)?|mbart-large-[\w-]+|m2m100_[\w.]+|nllb-[\w.-]+)",
            r"facebook/blenderbot(_small)?-[\w.]+(-distill)?|helsinki-nlp/opus-mt-[\w-]+",
            r"sshleifer/distilbart-[\w-]+|philschmid/bart-large-cnn-samsum|(bigscience/t0|allenai/led)[\w-]*",
        )
    )
)
_TUNED = re.compile(
    r"embed|rerank|retriev|contrast|sentence|simcse|2vec|grit|stella|\be5\b|\bgte\b|\bbge\b|\bsfr\b|instructor|bidirectional"
)

_FAMILIES = (
    "Albert|Bert|BigBird|Camembert|ConvBert|Data2VecText|Deberta|DebertaV2|DistilBert|Electra|Ernie|Esm|EuroBert|FNet|"
    "IBert|LayoutLM|Longformer|Luke|MegatronBert|MobileBert|ModernBert|MPNet|NomicBert|Nystromformer|RemBert|Roberta|"
    "RobertaPreLayerNorm|RoCBert|RoFormer|SqueezeBert|Tapas|XLMRoberta|XLMRobertaXL|Xmod|Yoso"
)
_LABELS = "SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice"
_ENCODER_CLASS = re.compile(
    rf"({_FAMILIES})(Model|For(MaskedLM|PreTraining|{_LABELS}))|AutoModelFor(MaskedLM|TextEncoding|{_LABELS})|"
    r"(T5|MT5|UMT5|LongT5|T5Gemma|SwitchTransformers|Udop)EncoderModel|BertGenerationEncoder|CLIPTextModel"
    r"(WithProjection)?"
)
_HALF_OF_BART = re.compile("bart|mvp|xlm-clm")
"""AutoModelForMaskedLM gives such a checkpoint a class that writes."""
_EITHER_CLASS = re.compile(rf"({_FAMILIES})(LMHeadModel|ForCausalLM)|BertGenerationDecoder|AutoModelForCausalLM")
"""Classes in which an encoder's weights write once their config says is_decoder."""
_DECODER_CLASS = re.compile(rf"(?!({_FAMILIES}|Auto))\w+ForCausalLM|(GPT2|OpenAIGPT|CTRL)LMHeadModel")
_DECODER_BODY = re.compile(
    r"(GPT2|OpenAIGPT|GPTNeo|GPTNeoX|GPTJ|GPTBigCode|OPT|XGLM|Bloom|Falcon|Mpt|CodeGen|Llama|Mistral|Mixtral|Ministral|"
    r"Qwen2|Qwen2Moe|Qwen3|Qwen3Moe|Phi|Phi3|Gemma|Gemma2|Gemma3Text|StableLm|Olmo|Olmo2|SmolLM3|Starcoder2|DeepseekV[23])"
    r"Model"
)


def of_checkpoint(name: str) -> Kind | None:
    """What a published checkpoint is, by its whole name, in whichever bits it is published."""
    whole = _IN_FEWER_BITS.sub("", name.lower())
    if _GENERATIVE.fullmatch(whole):
        return "decoder"
    return "encoder" if _ENCODERS.fullmatch(whole) else None


def architecture_of(name: str) -> Architecture | None:
    """The architecture of a published checkpoint, by its whole name."""
    if _TRANSLATORS.fullmatch(name.lower()):
        return "encoder-decoder"
    kind = of_checkpoint(name)
    return None if kind is None else "decoder-only" if kind == "decoder" else "encoder-only"


def size_of(name: str) -> int | None:
    """About how many parameters a published checkpoint has, where its name says so."""
    said = _SIZED.search(name.lower())
    return round(float(said[1]) * (1e9 if said[2] == "b" else 1e6)) if said else None


def pulled_decoder(name: str) -> bool:
    """Whether Ollama knows a model that writes by this name."""
    return bool(_PULLED.fullmatch(name.lower()))


def of_model(class_name: str, checkpoint: str, *, may_decode: bool) -> Kind | None:
    """What a class of transformers makes of a checkpoint ("" where its name is not known).

    A class without a head for writing is a decoder only with a checkpoint that was trained to write: the same class
    serves decoders tuned for vectors. `may_decode`: something sets is_decoder, or may.
    """
    known = of_checkpoint(checkpoint)
    if class_name == "AutoModel":
        return known
    if is_bare(class_name):
        return "decoder" if known == "decoder" else None
    if _EITHER_CLASS.fullmatch(class_name) and (known == "encoder" or class_name != "AutoModelForCausalLM"):
        return "encoder" if known == "encoder" and not may_decode else None
    if _DECODER_CLASS.fullmatch(class_name) or class_name == "AutoModelForCausalLM":
        return None if _TUNED.search(checkpoint.lower()) else "decoder"
    if class_name == "AutoModelForMaskedLM" and _HALF_OF_BART.search(checkpoint.lower()):
        return None
    return "encoder" if _ENCODER_CLASS.fullmatch(class_name) else None


def is_bare(class_name: str) -> bool:
    """Whether a class ends at the hidden states: the first thing in its output is the last of them."""
    return class_name == "AutoModel" or bool(_DECODER_BODY.fullmatch(class_name))


def labels(class_name: str) -> bool:
    """Whether a class has a head for labels, whatever it stands on."""
    return bool(re.search(rf"For({_LABELS})$", class_name))
