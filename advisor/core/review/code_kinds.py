"""The checks of Python code: what each looks for, why, and when it does not hold.

How a place in a file is found stands in `code`. What a reader of the code could decide only by running it is left
alone: a find that is not true costs more trust than one that is missed.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.review.kind import CheckKind

NOT_READ = "CODE-100"
POOLED_DECODER = "CODE-101"
WRITING_ENCODER = "CODE-102"
OPEN_MASK = "CODE-103"
REMOTE_CODE = "CODE-104"
UNSAFE_LOAD = "CODE-105"

_KINDS = (
    CheckKind(
        NOT_READ,
        "Code that was not read",
        "note",
        "A pattern of code finds no Python file, or a file cannot be read: it does not parse, is not UTF-8, is too "
        "large, or leads out of the repository.",
        "What was not read is not reviewed. It is reported, so that no pass is taken for more than it is.",
        "Correct the pattern or the file, or run the review with the Python that the code is written for; patterns are "
        "relative to the architecture file's folder (of .advisor, to the one around it), like src/search/**/*.py.",
        unless="Folders are left out, whatever their name, and notebooks. Syntax of a later Python than the one that "
        "runs the review is named as such where its line shows it.",
        example="code: [src/serach/**/*.py]",
    ),
    CheckKind(
        POOLED_DECODER,
        "A decoder pooled into vectors",
        "warning",
        "Vectors are made from a plain decoder: its hidden states are pooled over their tokens, one token's state is "
        "called an embedding, or a checkpoint known to write is given to something that embeds.",
        "A decoder trained to write leaves its vectors in a narrow cone, so that similarity tells little apart.",
        "Embed with an encoder, such as a sentence-transformers model, or with a decoder tuned contrastively for it.",
        ("G40", "G22"),
        "The checkpoint was tuned contrastively: its name says so (embed, e5, gte, bge …), the file trains with "
        "such a loss, or the component declares contrastive: true. A class without a head (LlamaModel, AutoModel) "
        "counts with a published checkpoint alone: a folder may hold anything. States that go on into a head, a "
        "classifier or a loss are no vectors.",
        "model = AutoModelForCausalLM.from_pretrained(name)\n"
        "states = model(**batch, output_hidden_states=True).hidden_states[-1]\n"
        "vectors = states.mean(dim=1)",
    ),
    CheckKind(
        WRITING_ENCODER,
        "An encoder asked to write",
        "warning",
        "A class that has no head for writing, or an encoder's checkpoint, is asked to generate text.",
        "An encoder sees both sides of every token and was never trained to go on from the left. Most such classes "
        "refuse; those that do not produce rubbish.",
        "Write with a decoder (AutoModelForCausalLM) or an encoder-decoder (AutoModelForSeq2SeqLM).",
        ("G42", "G04"),
        "An encoder's weights that begin an encoder-decoder (EncoderDecoderModel), or that are loaded with is_decoder, "
        "may write, after training.",
        "model = AutoModelForMaskedLM.from_pretrained(name)\nmodel.generate(**inputs)",
    ),
    CheckKind(
        OPEN_MASK,
        "A decoder that can see ahead",
        "warning",
        "Self-attention inside a class whose name says GPT, causal attention or, in a file that names a vocabulary, "
        "decoder has no mask in any of its calls, or says is_causal=False.",
        "In training it copies the token it should predict and the loss looks splendid; in use that token does not "
        "exist, and it writes rubbish.",
        "Give is_causal=True or a causal attn_mask (tgt_mask for torch's own decoder layers), and train again.",
        ("G41", "G05"),
        "Cross-attention, attention over a cache one token at a time, and decoders of object queries need no causal "
        "mask; classes and functions that look like one of them are left alone.",
        "class CausalSelfAttention(nn.Module):\n"
        "    def forward(self, q, k, v):\n"
        "        return F.scaled_dot_product_attention(q, k, v)",
    ),
    CheckKind(
        REMOTE_CODE,
        "Code from somebody else's repository is executed",
        "error",
        "A model, a tokenizer, a data set or a metric is loaded with trust_remote_code=True.",
        "Whoever can push to that repository runs code with the rights of your service, at every load.",
        "Take a model that the library has classes for, or copy the code into your repository and review it.",
        ("G71",),
        "Code that you have read, pinned by a full commit in revision: waive the check and say who read it.",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
    ),
    CheckKind(
        UNSAFE_LOAD,
        "A pickle is loaded that may run code",
        "error",
        "torch.load is called without weights_only=True.",
        "A pickle runs what it holds. From torch 2.6 on weights_only is true where it is left out, before that false; "
        "which torch will run a file does not stand in the file.",
        "Write weights_only=True, or keep weights as safetensors.",
        ("G71",),
        "A value that is worked out (weights_only=flag) is taken to be right.",
        "weights = torch.load(path)",
    ),
)
CODE_KINDS: Mapping[str, CheckKind] = {kind.id: kind for kind in _KINDS}
"""By id."""
