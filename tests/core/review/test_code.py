"""What is found in Python code, and, which matters more, what is left alone."""

from __future__ import annotations

import contextlib
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.core.guide.recommendation import Source
from advisor.core.review import code
from advisor.core.review.code import About, CodeFiles, SourceFile, Unread, code_results
from advisor.core.review.code_finds import find_in
from advisor.core.review.code_kinds import CODE_KINDS
from advisor.core.review.code_parse import Unparsable
from advisor.core.review.document import Location
from tests.core.review.wild import FINE, WRONG

IMPORTS = """
import torch
import torch.nn.functional as F
from torch import nn
from transformers import (AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification, AutoTokenizer, BertModel, GPT2LMHeadModel, LlamaForCausalLM, pipeline)
"""

POOLED = {
    "mean over tokens": """
        model = AutoModelForCausalLM.from_pretrained(name)
        states = model(**batch, output_hidden_states=True).hidden_states[-1]
        vectors = states.mean(dim=1)
    """,
    "with a mask": """
        model = AutoModelForCausalLM.from_pretrained("gpt2").eval()
        out = model(**batch, output_hidden_states=True)
        hidden = out.hidden_states[-1] * mask.unsqueeze(-1)
        vectors = hidden.sum(dim=1) / mask.sum(dim=1, keepdim=True)
    """,
    "through an alias and torch.mean": """
        import transformers as tf
        lm = tf.AutoModelForCausalLM.from_pretrained(name).to("cuda")
        vectors = torch.mean(lm.model(**batch).last_hidden_state, dim=1)
    """,
    "an attribute of a class": """
        class Search:
            def __init__(self, name):
                self.model = LlamaForCausalLM.from_pretrained(name)
                self.model = self.model.half()
            def embed(self, batch):
                return self.model(**batch, output_hidden_states=True).hidden_states[-1].mean(1)
    """,
    "a function that loads": """
        def load():
            model = GPT2LMHeadModel.from_pretrained("gpt2")
            model.eval()
            return model
        model = load()
        vectors = model(ids, output_hidden_states=True)["hidden_states"][-1].mean(dim=1)
    """,
    "a helper that pools": """
        model = AutoModel.from_pretrained("gpt2")
        vectors = mean_pooling(model(**batch), batch["attention_mask"])
    """,
    "one token, normalised": """
        model = AutoModel.from_pretrained("mistralai/Mistral-7B-v0.1")
        vectors = F.normalize(model(**batch).last_hidden_state[:, -1], dim=-1)
    """,
    "one token, called an embedding": """
        model = AutoModelForCausalLM.from_pretrained(name)
        embeddings = model(**batch, output_hidden_states=True).hidden_states[-1][:, -1, :]
    """,
    "the last token of each text": """
        model = AutoModel.from_pretrained("gpt2")
        states = model(**batch).last_hidden_state
        embeddings = states[torch.arange(len(states)), lengths - 1]
    """,
    "one token, named and returned": """
        model = AutoModel.from_pretrained("gpt2")
        def embed(batch):
            embedding = model(**batch).last_hidden_state[:, -1]
            return F.normalize(embedding, dim=-1)
    """,
    "a model kept in its class": """
        class Service:
            model = None
            @classmethod
            def get(cls):
                if cls.model is None:
                    cls.model = AutoModelForCausalLM.from_pretrained("gpt2")
                return cls.model
            def embed(self, batch):
                return self.get()(**batch, output_hidden_states=True).hidden_states[-1].mean(dim=1)
    """,
    "a model kept in the module": """
        _model = None
        def model():
            global _model
            if _model is None:
                _model = AutoModelForCausalLM.from_pretrained("gpt2")
            return _model
        def embed(batch):
            return model()(**batch, output_hidden_states=True).hidden_states[-1].mean(dim=1)
    """,
    "a library that embeds": """
        from sentence_transformers import SentenceTransformer
        model = SentenceTransformer("openai-community/gpt2-large")
    """,
    "a chain that embeds": """
        from langchain_huggingface import HuggingFaceEmbeddings
        NAME = "meta-llama/Llama-2-7b-hf"
        store = build(HuggingFaceEmbeddings(model_name=NAME))
    """,
    "an engine that is told to embed": """
        from vllm import LLM
        engine = LLM(model="mistralai/Mistral-7B-v0.1", task="embed")
    """,
    "a store that embeds": """
        from chromadb.utils import embedding_functions
        function = embedding_functions.SentenceTransformerEmbeddingFunction(model_name="gpt2")
    """,
    "a pipeline for features": """
        extract = pipeline("feature-extraction", model="gpt2")
    """,
}
NOT_POOLED = {
    "an encoder": """
        model = AutoModel.from_pretrained("bert-base-uncased")
        vectors = model(**batch).last_hidden_state.mean(dim=1)
    """,
    "a decoder tuned for it": """
        model = AutoModel.from_pretrained("intfloat/e5-mistral-7b-instruct")
        vectors = model(**batch).last_hidden_state.mean(dim=1)
    """,
    "another tuned one": """
        model = AutoModel.from_pretrained("Qwen/Qwen3-Embedding-0.6B")
        vectors = F.normalize(model(**batch).last_hidden_state[:, -1])
    """,
    "a loss": """
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        loss = model(**batch).loss.mean()
    """,
    "a statistic of states": """
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        print(model(**batch, output_hidden_states=True).hidden_states[-1].mean())
    """,
    "the mean of logits": """
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        scores = model(**batch).logits.mean(dim=1)
    """,
    "a name bound to two models": """
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        model = AutoModel.from_pretrained("bert-base-uncased")
        vectors = model(**batch).last_hidden_state.mean(dim=1)
    """,
    "a parameter of the same name": """
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        def embed(model, batch):
            return model(**batch).last_hidden_state.mean(dim=1)
    """,
    "a model wrapped by something unknown": """
        model = wrap(AutoModelForCausalLM.from_pretrained("gpt2"))
        vectors = model(**batch).last_hidden_state.mean(dim=1)
    """,
    "a class of the same name from elsewhere": """
        from ours import AutoModelForCausalLM
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        vectors = model(**batch).last_hidden_state.mean(dim=1)
    """,
    "training with a contrastive loss": """
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        vectors = model(**batch, output_hidden_states=True).hidden_states[-1].mean(dim=1)
        loss = contrastive_loss(vectors)
    """,
    "an encoder in the library that embeds": """
        from sentence_transformers import SentenceTransformer
        model = SentenceTransformer("all-MiniLM-L6-v2")
    """,
    "an engine that writes, and one with a model tuned for vectors": """
        from vllm import LLM
        writer = LLM(model="mistralai/Mistral-7B-v0.1", task="generate")
        engine = LLM(model="intfloat/e5-mistral-7b-instruct", task="embed")
    """,
    "states that are centred": """
        model = AutoModel.from_pretrained("gpt2")
        states = model(**batch).last_hidden_state
        centred = states - states.mean(dim=1, keepdim=True)
    """,
    "one token for a probe": """
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        last = model(**batch, output_hidden_states=True).hidden_states[-1][:, -1]
    """,
}
WRITING = {
    "a masked model": """
        model = AutoModelForMaskedLM.from_pretrained(name)
        model.generate(**inputs)
    """,
    "a class by its name": """
        class Writer:
            def __init__(self):
                self.model = BertModel.from_pretrained("bert-base-uncased")
            def write(self, ids):
                return self.model.generate(ids)
    """,
    "a checkpoint that is an encoder's": """
        model = AutoModelForCausalLM.from_pretrained("google-bert/bert-base-uncased").to(device)
        text = model.generate(ids, max_new_tokens=20)
    """,
    "a classifier": """
        model = AutoModelForSequenceClassification.from_pretrained(path)
        model.eval()
        text = model.generate(ids)
    """,
    "a pipeline": """
        write = pipeline("text-generation", model="FacebookAI/roberta-base")
    """,
    "a pipeline by keywords": """
        translate = pipeline(task="translation_en_to_de", model="bert-base-cased")
    """,
}
NOT_WRITING = {
    "a decoder": """
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        model.generate(ids)
    """,
    "an encoder-decoder": """
        model = AutoModelForSeq2SeqLM.from_pretrained("t5-small")
        model.generate(ids)
    """,
    "encoders that begin an encoder-decoder": """
        from transformers import EncoderDecoderModel
        model = EncoderDecoderModel.from_encoder_decoder_pretrained("bert-base-uncased", "bert-base-uncased")
        model.generate(ids)
    """,
    "a checkpoint made of two encoders": """
        model = AutoModelForCausalLM.from_pretrained("patrickvonplaten/bert2bert_cnn_daily_mail")
        model.generate(ids)
    """,
    "something else that generates": """
        model = AutoModelForMaskedLM.from_pretrained(name)
        report.generate(model)
    """,
    "code of the checkpoint's own": """
        model = AutoModelForMaskedLM.from_pretrained(name, trust_remote_code=flag)
        model.generate(ids)
    """,
    "a name reused in a loop": """
        model = AutoModelForMaskedLM.from_pretrained(name)
        for model in models:
            model.generate(ids)
    """,
    "a pipeline that fills blanks": """
        fill = pipeline("fill-mask", model="bert-base-uncased")
    """,
}
OPEN = {
    "no mask": """
        class CausalSelfAttention(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
    """,
    "is_causal=False": """
        class GPTBlock(nn.Module):
            def forward(self, x):
                q, k, v = self.qkv(x).chunk(3, dim=-1)
                return F.scaled_dot_product_attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False)
    """,
    "torch's module with one input thrice": """
        vocab_size = 100
        class DecoderLayer(nn.Module):
            def __init__(self):
                super().__init__()
                self.attention = nn.MultiheadAttention(64, 4)
            def forward(self, x):
                return self.attention(x, x, x, need_weights=False)
    """,
    "an attribute": """
        class CausalAttention(nn.Module):
            def __init__(self):
                self.is_causal = False
    """,
    "torch's decoder": """
        class Translator(nn.Module):
            def __init__(self, vocab_size):
                self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(512, 8), 6)
            def forward(self, target, memory):
                return self.decoder(target, memory)
    """,
}
NOT_OPEN = {
    "a causal call": """
        class CausalSelfAttention(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    """,
    "causal where there is more than one query": """
        class CausalSelfAttention(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v, is_causal=q.size(2) > 1)
    """,
    "a mask by position": """
        class GPTBlock(nn.Module):
            def forward(self, q, k, v, bias):
                return F.scaled_dot_product_attention(q, k, v, bias)
    """,
    "a mask by hand": """
        class CausalSelfAttention(nn.Module):
            def forward(self, q, k, v):
                if self.flash:
                    return F.scaled_dot_product_attention(q, k, v)
                scores = (q @ k.transpose(-2, -1)).masked_fill(self.bias == 0, float("-inf"))
    """,
    "an encoder": """
        class EncoderLayer(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v, is_causal=False)
    """,
    "attention to a memory": """
        vocab_size = 100
        class DecoderLayer(nn.Module):
            def forward(self, x, memory):
                return F.scaled_dot_product_attention(self.q(x), self.k(memory), self.v(memory))
    """,
    "a cache": """
        class CausalSelfAttention(nn.Module):
            def forward(self, q, k, v, kv_cache):
                return F.scaled_dot_product_attention(q, k, v)
    """,
    "a decoder that writes all tokens at once": """
        vocab_size = 100
        class NonAutoregressiveDecoder(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
    """,
    "causes and effects": """
        class CausalGraphNetwork(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
        class CausalDiscoveryModel(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
    """,
    "a detector": """
        class GPTDetectionHead(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
    """,
    "a decoder of pictures by its name": """
        vocab_size = 100
        class ViTDecoder(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
    """,
    "a decoder of pictures": """
        class Decoder(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
    """,
    "torch's decoder with its mask": """
        class Translator(nn.Module):
            def __init__(self, vocab_size):
                self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(512, 8), 6)
            def forward(self, target, memory):
                return self.decoder(target, memory, tgt_mask=self.mask)
    """,
    "queries of objects": """
        class Detector(nn.Module):
            def __init__(self, vocab_size):
                self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(512, 8), 6)
            def forward(self, queries, memory):
                return self.decoder(queries, memory)
    """,
}
REMOTE = {
    "a keyword": "AutoModel.from_pretrained(name, trust_remote_code=True)",
    "any loader": "engine = LLM(model=name, trust_remote_code=True)",
    "through a constant": "TRUST = True\nAutoModel.from_pretrained(name, trust_remote_code=TRUST)",
    "a key of such a dict": 'options["trust_remote_code"] = True\nAutoModel.from_pretrained(name, **options)',
    "what such a dict is given": 'options.setdefault("trust_remote_code", True)',
    "a dict that is handed on": 'options = {"trust_remote_code": True}\nAutoModel.from_pretrained(name, **options)',
}
NOT_REMOTE = {
    "False": "AutoModel.from_pretrained(name, trust_remote_code=False)",
    "decided elsewhere": "AutoModel.from_pretrained(name, trust_remote_code=args.trust)",
    "a constant that is set twice": "T = True\nT = False\nAutoModel.from_pretrained(name, trust_remote_code=T)",
    "a key that is set to something else": 'options["trust_remote_code"] = args.trust',
    "words": 'print("never say trust_remote_code=True")',
    "a default that nobody may use": "def load(name, trust_remote_code=True): ...",
}
UNSAFE = {
    "left out": 'weights = torch.load("model.pt")',
    "False": 'weights = torch.load("model.pt", weights_only=False)',
    "an alias": 'import torch as t\nweights = t.load(path, map_location="cpu")',
    "imported by name": "from torch import load as read\nweights = read(path)",
    "in a method": "class A:\n    def load(self):\n        self.state = torch.load(self.path)",
}
NOT_UNSAFE = {
    "True": "torch.load(path, weights_only=True)",
    "worked out": "torch.load(path, weights_only=safe)",
    "handed on": "torch.load(path, **options)",
    "another load": "import json\njson.load(stream)\ntorch.jit.load(path)\nself.load(path)",
    "a name of the file's own": "def load(path): ...\nload(path)",
    "torch that is something else": "torch = ours()\ntorch.load(path)",
    "safetensors": "from safetensors.torch import load_file\nload_file(path)",
}
GROUPS = {
    "CODE-101": (POOLED, NOT_POOLED),
    "CODE-102": (WRITING, NOT_WRITING),
    "CODE-103": (OPEN, NOT_OPEN),
    "CODE-104": (REMOTE, NOT_REMOTE),
    "CODE-105": (UNSAFE, NOT_UNSAFE),
}


def found(body: str) -> list[str]:
    return [find.check for find in find_in(IMPORTS + dedent(body))]


@pytest.mark.parametrize(
    ("check", "body"),
    [
        pytest.param(check, body, id=f"{check} {name}")
        for check, (bad, _) in GROUPS.items()
        for name, body in bad.items()
    ],
)
def test_a_mistake_is_found_once(check: str, body: str) -> None:
    assert found(body) == [check]


@pytest.mark.parametrize(
    ("check", "body"),
    [
        pytest.param(check, body, id=f"{check} {name}")
        for check, (_, good) in GROUPS.items()
        for name, body in good.items()
    ],
)
def test_what_only_looks_like_one_is_left_alone(check: str, body: str) -> None:
    assert check not in found(body)


def test_every_example_of_a_code_check_is_found_by_it() -> None:
    for check in GROUPS:
        assert found(CODE_KINDS[check].example or "") == [check]


def test_a_find_is_placed_in_characters_not_bytes() -> None:
    (find,) = find_in('import torch\nfünf = "äöü"; weights = torch.load(path)\n')
    assert (find.line, find.column, find.width) == (2, 25, len("torch.load(path)"))


def test_a_decoder_that_the_component_calls_contrastive_may_be_pooled() -> None:
    text = IMPORTS + dedent(POOLED["mean over tokens"])
    assert [find.check for find in find_in(text)] == ["CODE-101"]
    assert find_in(text, contrastive=True) == []


@pytest.mark.parametrize(
    "text",
    ["print 'two'", "x = (", "\0", "f(" * 5000 + ")" * 5000, "-" * 100_000 + "1", "{" * 9000],
)
def test_what_does_not_parse_is_told_as_such(text: str) -> None:
    with pytest.raises(Unparsable):
        find_in(text)


def test_a_chain_that_is_longer_than_some_releases_of_python_read_is_read_or_refused() -> None:
    with contextlib.suppress(Unparsable):
        assert find_in("import torch\na" + ".b" * 100_000) == []


def test_reading_never_runs_what_is_read(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.print", lambda *_: pytest.fail("it was run"))
    assert find_in("print('run')\nraise SystemExit") == []


def results(*files: SourceFile, unread: tuple[Unread, ...] = ()) -> list[tuple[str, str, str, int | None]]:
    def cite(ids: object) -> tuple[Source, ...]:
        return tuple(Source(id=str(one), section="somewhere") for one in ids)  # type: ignore[attr-defined]

    about = About("search", Location(file="architecture.yaml", line=7, column=5), "/components/0/code", cite)
    made = code_results(about, CodeFiles(files, unread))
    return [(one.check, one.outcome, one.location.file, one.location.line) for one in made]


def test_checks_that_find_nothing_pass_and_files_that_are_not_read_are_told() -> None:
    bad, good = SourceFile("a.py", "import torch\ntorch.load(p)"), SourceFile("b.py", "x = 1")
    broken = SourceFile("c.py", "x = (")
    made = results(bad, good, broken, unread=(Unread("src/*.py", "it matches no Python file", is_file=False),))
    assert made[:3] == [
        ("CODE-105", "fail", "a.py", 2),
        ("CODE-100", "not-checked", "architecture.yaml", 7),
        ("CODE-100", "not-checked", "c.py", 1),
    ]
    assert [one[:3] for one in made[3:]] == [
        (check, "pass", "architecture.yaml") for check in ("CODE-101", "CODE-102", "CODE-103", "CODE-104")
    ]


def test_a_file_that_components_share_is_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(code, "find_in", lambda text, *, contrastive: looked.append(text) or [])
    shared = SourceFile("a.py", "import torch  # shared by components")
    assert results(shared) == results(shared)
    assert looked == [shared.text]


def test_a_file_with_more_finds_than_are_told_says_so() -> None:
    made = results(SourceFile("a.py", "import torch\n" + "torch.load(p)\n" * 500))
    assert [one[:3] for one in made] == [
        *[("CODE-105", "fail", "a.py")] * 100,
        ("CODE-100", "not-checked", "a.py"),
    ]


def test_where_nothing_could_be_read_nothing_passes() -> None:
    assert results(SourceFile("c.py", "x = (")) == [("CODE-100", "not-checked", "c.py", 1)]


BODIES = [
    *(body for groups in GROUPS.values() for bodies in groups for body in bodies.values()),
    *FINE.values(),
    *(body for body, _ in WRONG.values()),
]
PIECES = sorted({piece for body in BODIES for piece in dedent(body).split("\n")})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.booleans())
def test_any_text_is_either_read_or_told_not_to_be(pieces: list[str], imported: bool) -> None:
    text = (IMPORTS if imported else "import torch\n") + "\n".join(pieces)
    try:
        finds = find_in(text)
    except Unparsable:
        return
    lines = text.split("\n")
    for find in finds:
        assert lines[find.line - 1][find.column - 1 :][: find.width]


@given(st.text())
def test_text_that_is_no_code_breaks_nothing(text: str) -> None:
    with contextlib.suppress(Unparsable):
        find_in("import torch, transformers\n" + text)


POOLS = 'model = transformers.AutoModel.from_pretrained("gpt2")\nvectors = model(x).last_hidden_state.mean(dim=1)\n'


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\nx.generate()\n" * 5_000,
        "\n".join(f"a{n} = a{n + 1} + a{n + 1}" for n in range(100)) + "\na0.generate()\na0.mean(1)\n",
        "\n".join(f"def f{n}(): return f{n + 1}() * f{n + 1}()" for n in range(100)) + "\nf0().mean(1)\n",
        "class GPT:\n" + "    x = nn.MultiheadAttention()\n    x(q, q, q)\n" * 3_000,
        "torch.load(p); " * 20_000,
        "model = model.eval()\n" * 5_000 + "model.generate()\n" * 5_000,
        POOLS + "".join(f"a{n + 1} = a{n}\n" for n in range(5_000)) + "a5000.generate()\nhead(a5000)\n",
        POOLS + "".join(f"class C{n + 1}(C{n}):\n    def f(self): self.x(self.y)\n" for n in range(3_000)),
        POOLS + "class A(B): pass\nclass B(A):\n    def f(self): self.x.generate()\n" * 2_000,
        POOLS + f"def f({', '.join(f'p{n}' for n in range(2_000))}): head(p0, p1)\n" + "f(vectors, p)\n" * 5_000,
        POOLS + "rows.append(head(vectors))\nhead(rows)\nrows = head(rows)\n" * 5_000,
        POOLS + "with raises():\n    x.generate()\n" * 5_000,
    ],
    ids=[
        *(
            "many names",
            "doubling",
            "doubling calls",
            "many attentions",
            "one line",
            "itself",
            "aliases",
            "a long family",
        ),
        *("a family in a circle", "many parameters", "many heads", "many refusals"),
    ],
)
@pytest.mark.timeout(60)
def test_a_file_written_to_be_slow_is_read_all_the_same(text: str) -> None:
    assert len(find_in("import torch, transformers\nfrom torch import nn\n" + text)) <= 100
