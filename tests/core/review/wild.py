"""Code as services and training scripts are written: what is fine, and what is not, with the checks and lines of it."""

from __future__ import annotations

FINE = {
    "a service that retrieves and answers": """
        import torch
        from fastapi import FastAPI
        from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

        class Search:
            def __init__(self, name="BAAI/bge-base-en-v1.5"):
                self.tokenizer = AutoTokenizer.from_pretrained(name)
                self.model = AutoModel.from_pretrained(name).eval()
            def embed(self, texts):
                hidden = self.model(**self.tokenizer(texts, padding=True, return_tensors="pt")).last_hidden_state
                return torch.nn.functional.normalize(hidden[:, 0], dim=-1)

        llm = AutoModelForCausalLM.from_pretrained("mistralai/Mistral-7B-Instruct-v0.2")
        def answer(question, passages):
            return llm.generate(**prompt(question, passages), max_new_tokens=256)
    """,
    "embedders of every make": """
        from sentence_transformers import SentenceTransformer
        from langchain_huggingface import HuggingFaceEmbeddings
        SentenceTransformer("models/my-llama-embedder")
        SentenceTransformer("./out/gpt2-contrastive")
        SentenceTransformer("acme/llama-2-7b-search")
        SentenceTransformer("intfloat/e5-mistral-7b-instruct")
        SentenceTransformer("Salesforce/SFR-Embedding-Mistral")
        SentenceTransformer("Alibaba-NLP/gte-Qwen2-7B-instruct")
        SentenceTransformer("Qwen/Qwen3-Embedding-0.6B")
        SentenceTransformer("GritLM/GritLM-7B")
        SentenceTransformer("BAAI/bge-en-icl")
        SentenceTransformer("google/embeddinggemma-300m")
        SentenceTransformer("bloomberg/opt-finance")
        HuggingFaceEmbeddings(model_name="sentence-transformers/all-mpnet-base-v2")
    """,
    "a decoder tuned for vectors, by its own class": """
        from transformers import MistralModel
        model = MistralModel.from_pretrained("intfloat/e5-mistral-7b-instruct")
        def embed(batch):
            return last_token_pool(model(**batch).last_hidden_state, batch["attention_mask"])
    """,
    "a class without a head, and a folder of one's own": """
        from transformers import LlamaModel, AutoModel
        class Embedder:
            def __init__(self, path):
                self.model = LlamaModel.from_pretrained(path)
                self.other = AutoModel.from_pretrained("models/llama-retriever")
            def embed(self, batch):
                first = self.model(**batch).last_hidden_state.mean(dim=1)
                return first, self.other(**batch).last_hidden_state.mean(dim=1)
    """,
    "a reward model": """
        import torch
        from torch import nn
        from transformers import LlamaModel
        class PreferenceModel(nn.Module):
            def __init__(self):
                super().__init__()
                self.backbone = LlamaModel.from_pretrained("meta-llama/Llama-2-7b-hf")
                self.v = nn.Linear(4096, 1)
            def pooled(self, ids, mask):
                hidden = self.backbone(ids, attention_mask=mask).last_hidden_state
                return (hidden * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)
            def forward(self, ids, mask):
                x = self.pooled(ids, mask)
                x = torch.tanh(x)
                return self.v(x).squeeze(-1)
    """,
    "a value head of the file's own": """
        from transformers import AutoModelForCausalLM
        class ValueHead: ...
        class Policy:
            def __init__(self):
                self.lm = AutoModelForCausalLM.from_pretrained("gpt2")
                self.v_head = ValueHead()
            def forward(self, ids):
                hidden = self.lm(ids, output_hidden_states=True).hidden_states[-1]
                state = hidden.mean(dim=1)
                return self.v_head(state)
    """,
    "a classifier on pooled states": """
        from torch import nn
        from transformers import GPT2Model
        class Sentiment(nn.Module):
            def __init__(self, classes):
                super().__init__()
                self.gpt = GPT2Model.from_pretrained("gpt2")
                self.net = nn.Sequential(nn.Dropout(0.1), nn.Linear(768, classes))
            def forward(self, ids, mask):
                embeddings = self.gpt(ids, attention_mask=mask)[0].mean(dim=1)
                return self.net(embeddings)
    """,
    "logistic regression on states": """
        import numpy as np
        import torch
        from sklearn.linear_model import LogisticRegression
        from transformers import AutoModel
        model = AutoModel.from_pretrained("gpt2")
        def features(loader):
            rows = []
            for batch in loader:
                with torch.no_grad():
                    hidden = model(**batch).last_hidden_state
                rows.append(hidden.mean(dim=1).cpu().numpy())
            return np.concatenate(rows)
        clf = LogisticRegression(max_iter=1000)
        clf.fit(features(train), labels)
        print(clf.score(features(test), test_labels))
    """,
    "states in a loss": """
        import torch.nn.functional as F
        from transformers import AutoModelForCausalLM
        teacher = AutoModelForCausalLM.from_pretrained("gpt2-large")
        def distil(batch, student_states):
            states = teacher(**batch, output_hidden_states=True).hidden_states[-1].mean(dim=1)
            return F.mse_loss(student_states, states)
    """,
    "an auxiliary loss by its name": """
        from transformers import AutoModelForCausalLM
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        hidden = model(**batch, output_hidden_states=True).hidden_states[-1]
        drift_loss = (hidden.mean(dim=1) - anchor).pow(2).sum()
    """,
    "steering vectors": """
        from transformers import AutoModelForCausalLM
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        def states(batch, layer):
            return model(**batch, output_hidden_states=True).hidden_states[layer]
        steering_vector = states(good, 6)[:, -1] - states(bad, 6)[:, -1]
        refusal_direction = states(good, 6).mean(dim=1) - states(bad, 6).mean(dim=1)
    """,
    "a state that is read on as an input": """
        from transformers import AutoModelForCausalLM
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        for _ in range(steps):
            out = model(inputs_embeds=inputs_embeds, output_hidden_states=True)
            next_embed = out.hidden_states[-1][:, -1:, :]
            input_embeds = out.hidden_states[-1][:, -1]
        pooled_prompt_embeds = out.hidden_states[-1].mean(dim=1)
    """,
    "means over layers, features and batches": """
        from transformers import AutoModelForCausalLM
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        out = model(**batch, output_hidden_states=True, output_attentions=True)
        norms = out.hidden_states[-1].norm(dim=-1).mean(dim=1)
        per_token = out.hidden_states[-1].mean(dim=-1)
        over_the_batch = out.hidden_states[-1].mean(dim=0)
        heads = out.attentions[-1].mean(dim=1)
        logits = out[0].mean(dim=1)
    """,
    "perplexity": """
        import torch
        from transformers import AutoModelForCausalLM
        model = AutoModelForCausalLM.from_pretrained("gpt2")
        def perplexity(ids):
            logits = model(ids).logits[:, :-1]
            taken = torch.log_softmax(logits, -1).gather(2, ids[:, 1:, None]).squeeze(-1)
            return torch.exp(-taken.mean(dim=1))
    """,
    "tuning a decoder with sentence-transformers": """
        from sentence_transformers import InputExample, SentenceTransformer, losses, models
        words = models.Transformer("gpt2")
        model = SentenceTransformer(modules=[words, models.Pooling(768)])
        other = SentenceTransformer("openai-community/gpt2")
        loss = losses.CosineSimilarityLoss(model)
        model.fit(train_objectives=[(loader, loss)], epochs=1)
    """,
    "trl and peft": """
        from datasets import load_dataset
        from peft import LoraConfig, PeftModel, get_peft_model
        from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
        from trl import AutoModelForCausalLMWithValueHead, PPOTrainer, SFTTrainer
        data = load_dataset("imdb", split="train")
        model = AutoModelForCausalLM.from_pretrained("meta-llama/Llama-3.1-8B")
        model = get_peft_model(model, LoraConfig(r=8))
        SFTTrainer(model=model, train_dataset=data).train()
        policy = AutoModelForCausalLMWithValueHead.from_pretrained("gpt2")
        reward = AutoModelForSequenceClassification.from_pretrained("reward", num_labels=1)
        answers = policy.generate(queries)
        scores = reward(**answers).logits.mean(dim=1)
    """,
    "vLLM": """
        from vllm import LLM, SamplingParams
        llm = LLM(model="meta-llama/Llama-3.1-8B-Instruct", trust_remote_code=False)
        texts = llm.generate(prompts, SamplingParams(max_tokens=64))
    """,
    "encoders that were told to decode": """
        import transformers
        from transformers import AutoConfig, AutoModelForCausalLM, BertGenerationDecoder, BertLMHeadModel
        first = AutoModelForCausalLM.from_pretrained("bert-base-uncased", is_decoder=True)
        first.generate(ids)
        second = BertLMHeadModel.from_pretrained("bert-base-uncased", is_decoder=True, add_cross_attention=True)
        second.generate(ids)
        third = BertGenerationDecoder.from_pretrained("bert-base-uncased", is_decoder=True)
        third.generate(ids)
        settings = transformers.RobertaConfig(is_decoder=True)
        fourth = transformers.RobertaForCausalLM.from_pretrained("roberta-base", config=settings)
        fourth.generate(ids)
        kind = {"is_decoder": True}
        fifth = AutoModelForCausalLM.from_pretrained("bert-base-cased", **kind)
        fifth.generate(ids)
    """,
    "an encoder whose config is changed": """
        from transformers import AutoModelForCausalLM
        model = AutoModelForCausalLM.from_pretrained("bert-base-uncased")
        model.config.is_decoder = True
        model.generate(ids)
    """,
    "a decoder made of BERT, in a folder of one's own": """
        from transformers import AutoModelForCausalLM, pipeline
        AutoModelForCausalLM.from_pretrained("models/bert-writer").generate(ids)
        pipeline("text-generation", model="acme/bert-storyteller")
    """,
    "encoder-decoders in all their classes": """
        from transformers import (AutoModelForMaskedLM, AutoModelForSeq2SeqLM, BartForConditionalGeneration,
            EncoderDecoderModel, T5ForConditionalGeneration, VisionEncoderDecoderModel, WhisperForConditionalGeneration)
        AutoModelForSeq2SeqLM.from_pretrained("google/flan-t5-base").generate(ids)
        AutoModelForMaskedLM.from_pretrained("facebook/bart-base").generate(ids)
        WhisperForConditionalGeneration.from_pretrained("openai/whisper-small").generate(sound)
        VisionEncoderDecoderModel.from_pretrained("microsoft/trocr-base-printed").generate(pixels)
        EncoderDecoderModel.from_encoder_decoder_pretrained("bert-base-uncased", "bert-base-uncased").generate(ids)
    """,
    "the encoder of T5 for vectors": """
        from transformers import T5EncoderModel
        model = T5EncoderModel.from_pretrained("t5-base")
        vectors = model(**batch).last_hidden_state.mean(dim=1)
    """,
    "CLIP, vision transformers and speech": """
        from transformers import CLIPModel, CLIPTextModel, ViTModel, Wav2Vec2Model, WhisperModel
        text = CLIPTextModel.from_pretrained("openai/clip-vit-base-patch32")
        embeds = text(**batch).last_hidden_state[:, -1]
        image = ViTModel.from_pretrained("google/vit-base-patch16-224")(pixels).last_hidden_state.mean(dim=1)
        sound = WhisperModel.from_pretrained("openai/whisper-small").encoder(mel).last_hidden_state.mean(dim=1)
    """,
    "speculative decoding": """
        from transformers import AutoModelForCausalLM
        draft = AutoModelForCausalLM.from_pretrained("HuggingFaceTB/SmolLM2-135M")
        target = AutoModelForCausalLM.from_pretrained("HuggingFaceTB/SmolLM2-1.7B")
        out = target.generate(**batch, assistant_model=draft, do_sample=False)
    """,
    "a test that an encoder refuses": """
        import pytest
        from transformers import BertModel
        def test_an_encoder_does_not_write():
            model = BertModel.from_pretrained("bert-base-uncased")
            with pytest.raises(AttributeError):
                model.generate(ids)
    """,
    "an encoder given a way to write": """
        import types
        from transformers import AutoModelForMaskedLM
        model = AutoModelForMaskedLM.from_pretrained("bert-base-uncased")
        model.generate = types.MethodType(fill_from_the_left, model)
        model.generate(ids)
    """,
    "a subclass with methods of its own": """
        from transformers import BertForMaskedLM, LlamaForCausalLM
        class Writer(BertForMaskedLM):
            def generate(self, ids):
                return refine(self, ids)
        class TwoSided(LlamaForCausalLM):
            def forward(self, ids):
                return super().forward(ids, attention_mask=open_mask(ids))
        Writer.from_pretrained("bert-base-uncased").generate(ids)
        vectors = TwoSided.from_pretrained("gpt2")(ids, output_hidden_states=True).hidden_states[-1].mean(dim=1)
    """,
    "a base class whose subclasses differ": """
        from transformers import AutoModelForCausalLM, AutoModelForMaskedLM
        class Model:
            kind = None
            def __init__(self, name):
                self.model = self.kind.from_pretrained(name)
            def write(self, ids):
                return self.model.generate(ids)
        class Blanks(Model):
            kind = AutoModelForMaskedLM
        class Writes(Model):
            kind = AutoModelForCausalLM
    """,
    "attention with its mask in many shapes": """
        import torch
        import torch.nn.functional as F
        from flash_attn import flash_attn_func
        from torch import nn
        vocab_size = 50257
        class CausalSelfAttention(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.register_buffer("bias", torch.tril(torch.ones(size, size)))
            def forward(self, q, k, v):
                if self.flash:
                    return F.scaled_dot_product_attention(q, k, v)
                return (q @ k.mT).masked_fill(self.bias == 0, float("-inf")).softmax(-1) @ v
        class GPTAttention(nn.Module):
            def forward(self, q, k, v):
                if q.is_cuda:
                    return flash_attn_func(q, k, v, causal=True)
                return F.scaled_dot_product_attention(q, k, v)
        class LlamaDecoderLayer(nn.Module):
            def forward(self, x, mask=None):
                q, k, v = self.qkv(x)
                return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        class CausalAttention(nn.Module):
            def forward(self, q, k, v, is_causal=False):
                return F.scaled_dot_product_attention(q, k, v, is_causal=is_causal)
        class CausalMultiheadAttention(nn.Module):
            def forward(self, x):
                allowed = self.build_mask(x.size(1))
                return self.attend(*self.qkv(x), allowed)
            def attend(self, q, k, v, allowed):
                return F.scaled_dot_product_attention(q, k, v)
        class GPTPrefixBlock(nn.Module):
            def forward(self, q, k, v, prefix_mask):
                return F.scaled_dot_product_attention(q, k, v, attn_mask=prefix_mask, is_causal=False)
    """,
    "decoders that attend to something else": """
        import torch.nn.functional as F
        from torch import nn
        vocab_size = 32000
        class DecoderBlock(nn.Module):
            def forward(self, x, enc_out):
                q, k, v = self.q(x), self.k(enc_out), self.v(enc_out)
                return F.scaled_dot_product_attention(q, k, v, is_causal=False)
        class CaptionDecoder(nn.Module):
            def forward(self, x, image_features):
                return F.scaled_dot_product_attention(self.q(x), self.k(image_features), self.v(image_features))
        class GPTRetro(nn.Module):
            def forward(self, x, neighbours):
                q = self.q(x).transpose(1, 2)
                k, v = self.k(neighbours).transpose(1, 2), self.v(neighbours).transpose(1, 2)
                return F.scaled_dot_product_attention(q, k, v)
        class GPTCrossAttention(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
        class GPTBlock(nn.Module):
            def decode_step(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
    """,
    "decoders that see both sides on purpose": """
        import torch.nn.functional as F
        from torch import nn
        vocab_size = 8192
        class MAEDecoder(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
        class CTCDecoder(MAEDecoder):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
        class LatentDecoder(nn.Module):
            def forward(self, q, k, v):
                return F.scaled_dot_product_attention(q, k, v)
        class DiffusionLanguageModel(nn.Module):
            def __init__(self):
                self.blocks = nn.TransformerEncoder(nn.TransformerEncoderLayer(512, 8), 6)
            def forward(self, x):
                return self.blocks(x)
        class LlamaBiForCausalLMTraining(nn.Module):
            def __init__(self):
                self.is_causal = False
    """,
    "a language model that fills blanks": """
        from torch import nn
        class LanguageModel(nn.Module):
            def __init__(self, vocab_size, mask_token_id):
                self.mask_token_id = mask_token_id
                self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(512, 8), 6)
                self.attention = nn.MultiheadAttention(64, 4)
            def forward(self, x):
                x, _ = self.attention(x, x, x)
                return self.encoder(x)
    """,
    "torch's stacks with their masks": """
        from torch import nn
        class GPT(nn.Module):
            def __init__(self, vocab_size):
                self.blocks = nn.TransformerEncoder(nn.TransformerEncoderLayer(512, 8), 6)
                self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(512, 8), 6)
            def forward(self, x, memory):
                future = nn.Transformer.generate_square_subsequent_mask(x.size(1))
                x = self.blocks(x, mask=future, is_causal=True)
                return self.decoder(x, memory, future)
        class Detector(nn.Module):
            def __init__(self, vocab_size):
                self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(512, 8), 6)
            def forward(self, memory):
                return self.decoder(self.query_embed.weight, memory)
    """,
    "weights kept safe": """
        import torch
        from safetensors.torch import load_file
        torch.load("a.pt", map_location="cpu", weights_only=True)
        torch.load("b.pt", **{"weights_only": True})
        torch.jit.load("c.pt")
        torch.hub.load("acme/hub", "net")
        original = torch.load
        def patched(*args, **kwargs):
            return original(*args, **kwargs)
        load_file("d.safetensors")
    """,
    "a notebook that was exported": """
        #!/usr/bin/env python
        # coding: utf-8
        # In[1]:
        get_ipython().run_line_magic('matplotlib', 'inline')
        get_ipython().system('pip install transformers')
        # # AutoModelForCausalLM.from_pretrained("gpt2") pooled with trust_remote_code=True, torch.load(path)
        # In[2]:
        from transformers import AutoModelForMaskedLM, pipeline
        fill = pipeline("fill-mask", model="bert-base-uncased")
        model = AutoModelForMaskedLM.from_pretrained("bert-base-uncased")
        display(model(**inputs).logits.mean(dim=1))
    """,
    "layers that are trained on top": """
        import torch
        from torch import nn
        from transformers import GPT2Model
        class Pooler(nn.Module):
            def __init__(self):
                super().__init__()
                self.gpt = GPT2Model.from_pretrained("gpt2")
                self.weigh = nn.Linear(768, 1)
            def forward(self, batch):
                states = self.gpt(**batch).last_hidden_state
                return (states * self.weigh(states).softmax(1)).sum(dim=1)
        class Tower(nn.Module):
            def __init__(self):
                super().__init__()
                self.gpt = GPT2Model.from_pretrained("gpt2")
                self.project = nn.Parameter(torch.empty(768, 512))
            def forward(self, batch):
                return self.gpt(**batch).last_hidden_state.mean(dim=1) @ self.project
        class Body(nn.Module):
            def __init__(self):
                super().__init__()
                self.gpt = GPT2Model.from_pretrained("gpt2")
            def forward(self, batch):
                return self.gpt(**batch).last_hidden_state.mean(dim=1)
        class Topics(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = Body()
                self.out = nn.Linear(768, 20)
            def forward(self, batch):
                return self.out(self.body(batch))
    """,
    "series that are no text": """
        from torch import nn
        from transformers.models.gpt2.modeling_gpt2 import GPT2Model
        class Forecaster(nn.Module):
            def __init__(self):
                super().__init__()
                self.gpt2 = GPT2Model.from_pretrained("gpt2", output_hidden_states=True)
            def forward(self, patches):
                return self.gpt2(inputs_embeds=patches).last_hidden_state.mean(dim=1)
    """,
    "examples for trees": """
        import joblib
        import xgboost
        from sklearn.model_selection import train_test_split
        from transformers import GPT2Model
        gpt = GPT2Model.from_pretrained("gpt2")
        rows = [gpt(**text).last_hidden_state.mean(dim=1).squeeze().tolist() for text in texts]
        booster = xgboost.train(settings, xgboost.DMatrix(rows, label=labels))
        features = []
        for text in texts:
            features.append(gpt(**text).last_hidden_state.mean(dim=1))
        seen, kept, *rest = train_test_split(features, labels)
        spam = joblib.load("spam.pkl").predict_proba(gpt(**mail).last_hidden_state.mean(dim=1).numpy())
    """,
    "other weights than the checkpoint's": """
        import torch
        from peft import PeftModel
        from transformers import AutoModel, GPT2Model, MistralModel
        first = AutoModel.from_pretrained("mistralai/Mistral-7B-v0.1")
        first.load_adapter("acme/search-lora")
        one = first(**batch).last_hidden_state.mean(dim=1)
        second = GPT2Model.from_pretrained("gpt2")
        second.load_state_dict(torch.load("tuned.pt", weights_only=True))
        two = second(**batch).last_hidden_state.mean(dim=1)
        class Retriever:
            def __init__(self):
                self.model = MistralModel.from_pretrained("mistralai/Mistral-7B-v0.1")
                self.model = PeftModel.from_pretrained(self.model, "acme/search-lora").merge_and_unload()
            def embed(self, batch):
                return self.model(**batch).last_hidden_state[:, -1]
    """,
    "states of layers in between": """
        from transformers import AutoModelForCausalLM
        model = AutoModelForCausalLM.from_pretrained("gpt2-xl")
        key = model(**batch, output_hidden_states=True).hidden_states[17][0].mean(0)
        for layer in layers:
            value = model(**batch, output_hidden_states=True).hidden_states[layer].mean(dim=1)
    """,
    "a decoder that takes one step": """
        from torch import nn
        class Captioner(nn.Module):
            def __init__(self, vocab_size):
                super().__init__()
                self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(512, 8), 6)
            def forward(self, words, features):
                return self.decoder(words, features, tgt_mask=self.future(words))
            def next(self, last, features):
                return self.decoder(last, features)
    """,
    "a service with what waits": """
        from contextlib import asynccontextmanager
        from transformers import AutoModelForMaskedLM, AutoModelForSeq2SeqLM, BertModel
        models = {}
        @asynccontextmanager
        async def lifespan(app):
            models["summary"] = AutoModelForSeq2SeqLM.from_pretrained("facebook/bart-large-cnn")
            models["blanks"] = AutoModelForMaskedLM.from_pretrained("bert-base-uncased")
            yield
        class Chat:
            def __init__(self):
                self.encoder = BertModel.from_pretrained("bert-base-uncased")
                self.generator = connect()
            def generate(self, question):
                return self.generator.generate(self.encoder(question))
        models["summary"].generate(ids)
        Chat().generate("why?")
    """,
    "trust that somebody else decides on": """
        import argparse
        from dataclasses import dataclass
        from transformers import AutoModel
        parser = argparse.ArgumentParser()
        parser.add_argument("--trust_remote_code", action="store_true", default=True)
        AutoModel.from_pretrained("acme/net", trust_remote_code=parser.parse_args().trust_remote_code)
        @dataclass
        class Settings:
            trust_remote_code: bool = True
            def load(self):
                return AutoModel.from_pretrained("acme/net", trust_remote_code=self.trust_remote_code)
    """,
}
WRONG = {
    "the class of a decoder, without a head": (
        """
        from transformers import LlamaModel
        model = LlamaModel.from_pretrained("meta-llama/Llama-2-7b-hf")
        vectors = model(**batch).last_hidden_state.mean(dim=1)
        """,
        [("CODE-101", 4)],
    ),
    "the first thing in its output": (
        """
        from transformers import GPT2Model, GPT2Tokenizer
        class Index:
            def __init__(self, checkpoint="gpt2-medium"):
                self.checkpoint = checkpoint
                self.model = GPT2Model.from_pretrained(self.checkpoint)
            def add(self, text):
                outputs = self.model(**self.tokenizer(text, return_tensors="pt"))
                self.rows.append(outputs[0].mean(dim=1).squeeze().tolist())
        """,
        [("CODE-101", 9)],
    ),
    "the last token of a text, called an embedding": (
        """
        from transformers import MistralModel
        model = MistralModel.from_pretrained("mistralai/Mistral-7B-v0.1")
        def get_embedding(batch):
            lengths = batch["attention_mask"].sum(1) - 1
            return model(**batch).last_hidden_state[rows, lengths]
        embeddings = []
        embeddings.append(model(**batch).last_hidden_state[0, -1].cpu().numpy())
        """,
        [("CODE-101", 6), ("CODE-101", 8)],
    ),
    "one text, pooled over its tokens": (
        """
        import numpy as np
        import os
        from transformers import AutoModel
        model = AutoModel.from_pretrained(os.environ.get("EMBEDDER", "Qwen/Qwen2.5-0.5B"))
        first = model(**batch).last_hidden_state[0].mean(dim=0)
        second = model(**batch).last_hidden_state.squeeze(0).mean(0)
        third = np.mean(model(**batch).last_hidden_state.detach().numpy(), axis=1)
        """,
        [("CODE-101", 6), ("CODE-101", 7), ("CODE-101", 8)],
    ),
    "the average that blanks out padding": (
        """
        from transformers import AutoModel
        model = AutoModel.from_pretrained("EleutherAI/pythia-410m")
        def average_pool(states, mask):
            return states.masked_fill(~mask[..., None].bool(), 0.0).sum(dim=1) / mask.sum(dim=1)[..., None]
        vectors = average_pool(model(**batch).last_hidden_state, batch["attention_mask"])
        """,
        [("CODE-101", 6)],
    ),
    "clusters of a decoder's vectors": (
        """
        from sklearn.cluster import KMeans
        from sklearn.neighbors import NearestNeighbors
        from transformers import AutoModel
        model = AutoModel.from_pretrained("gpt2")
        embeddings = model(**batch).last_hidden_state.mean(dim=1).detach().numpy()
        NearestNeighbors(n_neighbors=5).fit(embeddings)
        kmeans = KMeans(8)
        kmeans.fit(embeddings)
        """,
        [("CODE-101", 6)],
    ),
    "other names for a class": (
        """
        import transformers
        import transformers as hf
        from transformers import GPT2LMHeadModel as LM
        Model = transformers.AutoModelForCausalLM
        Same = Model
        load = hf.AutoModel.from_pretrained
        class Mine(LM):
            pass
        one = Same.from_pretrained(name)
        vectors = one(**batch, output_hidden_states=True).hidden_states[-1].mean(dim=1)
        two = load("distilgpt2")
        vectors_2 = two(**batch).last_hidden_state.mean(dim=1)
        three = Mine.from_pretrained(name)
        vectors_3 = three(**batch, output_hidden_states=True).hidden_states[-1].mean(dim=1)
        four = getattr(transformers, "AutoModelForMaskedLM").from_pretrained(name)
        four.generate(ids)
        """,
        [("CODE-101", 11), ("CODE-101", 13), ("CODE-101", 15), ("CODE-102", 17)],
    ),
    "a class kept in an attribute, used by a subclass": (
        """
        from functools import lru_cache
        from transformers import AutoModelForCausalLM, AutoModelForMaskedLM
        class Base:
            model_class = AutoModelForCausalLM
            def __init__(self, name):
                self._model = self.model_class.from_pretrained(name)
            @property
            def model(self):
                return self._model
        class Embedder(Base):
            def embed(self, batch):
                return self.model(**batch, output_hidden_states=True).hidden_states[-1].mean(dim=1)
        @lru_cache(maxsize=1)
        def writer():
            return AutoModelForMaskedLM.from_pretrained("roberta-base")
        writer().generate(ids)
        """,
        [("CODE-101", 13), ("CODE-102", 17)],
    ),
    "an index of a decoder's vectors, and their likeness": (
        """
        import faiss
        import numpy as np
        import torch.nn.functional as F
        from transformers import AutoModelForCausalLM, GPT2Model
        gpt = GPT2Model.from_pretrained("gpt2")
        def get_embedding(text):
            outputs = gpt(**tokens(text))
            return outputs.last_hidden_state.mean(dim=1).squeeze().numpy()
        index = faiss.IndexFlatL2(768)
        index.add(np.stack([get_embedding(text) for text in texts]))
        llama = AutoModelForCausalLM.from_pretrained("meta-llama/Llama-3.2-1B")
        def encode(texts):
            return llama(**tokens(texts), output_hidden_states=True).hidden_states[-1].mean(dim=1)
        alike = F.cosine_similarity(encode(left), encode(right)) > 0.5
        """,
        [("CODE-101", 9), ("CODE-101", 14)],
    ),
    "a pooling layer on a checkpoint that writes": (
        """
        from sentence_transformers import SentenceTransformer, models
        model = SentenceTransformer(modules=[models.Transformer("gpt2"), models.Pooling(768)])
        """,
        [("CODE-101", 3)],
    ),
    "libraries that embed with what writes": (
        """
        from langchain_community.embeddings import HuggingFaceEmbeddings
        from langchain_ollama import OllamaEmbeddings
        from llama_index.embeddings.ollama import OllamaEmbedding
        from sentence_transformers import SentenceTransformer
        first = HuggingFaceEmbeddings(model_name="meta-llama/Llama-2-7b-hf")
        second = OllamaEmbeddings(model="llama3.1:8b")
        third = OllamaEmbedding(model_name="nomic-embed-text")
        fourth = SentenceTransformer("Qwen/Qwen2-7B-Instruct")
        """,
        [("CODE-101", 6), ("CODE-101", 7), ("CODE-101", 9)],
    ),
    "encoders and halves that are asked to write": (
        """
        import transformers
        from transformers import AutoModel, AutoModelForTextEncoding, BertLMHeadModel, MT5EncoderModel, T5EncoderModel
        T5EncoderModel.from_pretrained("t5-base").generate(ids)
        encoder = MT5EncoderModel.from_pretrained("google/mt5-small").to("cuda")
        encoder.generate(ids, max_new_tokens=20)
        AutoModelForTextEncoding.from_pretrained("google/flan-t5-xl").generate(ids)
        AutoModel.from_pretrained("bert-base-uncased").generate(ids)
        BertLMHeadModel.from_pretrained("bert-base-uncased").generate(ids)
        transformers.ModernBertForMaskedLM.from_pretrained("answerdotai/ModernBERT-base").generate(ids)
        """,
        [("CODE-102", line) for line in (4, 6, 7, 8, 9, 10)],
    ),
    "code of others, run on trust": (
        """
        from datasets import load_dataset
        import evaluate
        from transformers import AutoTokenizer
        load_dataset("acme/tickets", trust_remote_code=True)
        evaluate.load("acme/score", trust_remote_code=True)
        AutoTokenizer.from_pretrained("acme/tokens", trust_remote_code=True)
        options = dict(trust_remote_code=True)
        """,
        [("CODE-104", line) for line in (5, 6, 7, 8)],
    ),
    "torch's encoder for a decoder, without the mask": (
        """
        from torch import nn
        class TinyGPT(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.blocks = nn.TransformerEncoder(nn.TransformerEncoderLayer(size, 8), 6)
            def forward(self, x):
                return self.blocks(x)
        """,
        [("CODE-103", 8)],
    ),
    "keys that are turned, not crossed": (
        """
        import torch.nn.functional as F
        from torch import nn
        class CasualSelfAttention(nn.Module):
            def forward(self, x, cos, sin):
                q, k, v = self.q(x), self.k(x), self.v(x)
                q = turned(q, cos, sin)
                k = turned(k, cos, sin)
                return F.scaled_dot_product_attention(q, k, v)
        """,
        [("CODE-103", 9)],
    ),
    "attention under another name": (
        """
        import torch
        attend = torch.nn.functional.scaled_dot_product_attention
        class CausalSelfAttention(torch.nn.Module):
            def forward(self, q, k, v):
                return attend(q, k, v, is_causal=False)
        """,
        [("CODE-103", 6)],
    ),
}
