"""The checks of a declared design that are no rules: what each looks for, why, and when it does not hold.

A rule compares an answer with a set; these compare two things with each other: a choice with the advice, a claim with a
file, a figure with a budget. The mistakes of a design are rules, and live in the rules folder.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.review.kind import CheckKind

CHOICE = "ARC-001"
MODEL = "ARC-002"
CONTEXT = "ARC-003"
PROBE = "ARC-004"
UNUSED_WAIVER = "WVR-001"

PARAMETERS = "BUD-101"
WEIGHTS = "BUD-102"
CACHE = "BUD-103"
FLOPS = "BUD-104"
MEASURED = "BUD-200"
P95 = "BUD-201"
THROUGHPUT = "BUD-202"
PEAK_MEMORY = "BUD-203"

_KINDS = (
    CheckKind(
        CHOICE,
        "The choice does not follow from the workload",
        "error",
        "The declared architecture is not the one that the rules advise for the declared workload.",
        "An architecture that does not suit its task costs quality, money or both for as long as it runs. The finding "
        "names the rule, its source, and the smallest change of answers that would make the choice right.",
        "Choose the advised architecture, or correct the answers where they do not say what the component does.",
        ("G20", "G22", "G24", "G25", "G26"),
        "How bad it is follows from the rule: an error where the rule is strong, a warning where it is a default, a "
        "note where it is weak. Where a mistake explains the choice, only the mistake is reported; where the model "
        "named is of the advised architecture, only ARC-002 is.",
        "workload: {task: text-classification, requests_per_second: 200}\nchoice: {architecture: encoder-decoder}",
    ),
    CheckKind(
        MODEL,
        "The model is not what the file says",
        "error",
        "The architecture declared for a component is not that of the model it names, by the model's config.json (of "
        "an adapter, the model it is for), by its entry in the catalogue, or by the name it is published under.",
        "Everything else is judged by the declared architecture: where that is wrong, a review of it proves nothing.",
        "Declare the architecture the model has, or name the model that was meant.",
        ("G71",),
        "Not checked where the model cannot be told: no such folder here, a hub id that is not known here, a file cut "
        "off or left as a pointer by Git LFS, a model type that is not known, code of its own.",
        "choice: {architecture: encoder-only, model: gpt2}",
    ),
    CheckKind(
        CONTEXT,
        "The input is longer than the model can read",
        "error",
        "The stated input (and the output, where both share the context) is longer than the positions the model has.",
        "Beyond its last position a model has nothing to tell tokens apart by: the text is cut off, or the call fails.",
        "Take a model with a longer context, or cut the text into pieces and say so in input_tokens.",
        ("G71", "G63"),
        "Models with relative positions, such as T5, read on past their training length; S2S-104 speaks of those. Not "
        "checked where the longest input of the model is not known here.",
        "workload: {task: text-classification, input_tokens: 2000}\n"
        "choice: {architecture: encoder-only, model: bert-base}",
    ),
    CheckKind(
        PROBE,
        "Attention that was not looked at",
        "note",
        "A model lies in a folder, and what its attention layers do was not seen: its weights are not there, or it "
        "cannot be built here. Its config.json alone is believed.",
        "Real weights can do something else than their config says: a mask left out shows in the layers alone. It is "
        "reported, so that no pass is taken for more than it is.",
        "Keep the weights beside the config as safetensors, and review where the extra profile is installed.",
        ("G41", "G71"),
        "What was seen is reported by ARC-002, and a mask that lets a writing model see ahead by GEN-102. An id of the "
        "catalogue is judged by its entry.",
        "choice: {architecture: decoder-only, model: models/ours}\nwhere models/ours holds config.json alone",
    ),
    CheckKind(
        PARAMETERS,
        "More parameters than budgeted",
        "error",
        "The model has more parameters than the component may have. Of a pipeline, its models together.",
        "Parameters are what is read for every request and paid for in memory.",
        "Take a smaller model, or raise the budget where the size is wanted.",
        ("G71",),
        "Counted by closed form from the config or the catalogue; not checked where there is neither.",
        "choice: {architecture: encoder-only, model: bert-large}\nbudgets: {parameters: 200e6}",
    ),
    CheckKind(
        WEIGHTS,
        "More weight bytes than budgeted",
        "error",
        "The weights take more GiB than the component may use. Of a pipeline, its models together.",
        "Weights stay in memory for as long as the component runs, and bound how many replicas fit a machine.",
        "Serve in a narrower dtype (say so with dtype), or take a smaller model.",
        ("G71",),
        "The dtype is the declared one, else the one the config names, else float32. Of quantised weights the config "
        "does not say what they take: not checked, unless a dtype is declared.",
        "choice: {architecture: decoder-only, model: llama-2-7b}\nbudgets: {weights_gib: 8}",
    ),
    CheckKind(
        CACHE,
        "More cache per token than budgeted",
        "error",
        "The key-value cache grows by more bytes with each token written than the component may use. Of a pipeline, "
        "the generator's.",
        "The cache bounds how many answers can be written at the same time, and how long they may be.",
        "Take a model with fewer key-value heads or layers, or a narrower dtype.",
        ("G71", "G08"),
        "An encoder keeps no cache: its figure is 0.",
        "choice: {architecture: decoder-only, model: llama-2-7b}\nbudgets: {kv_bytes_per_token: 100e3}",
    ),
    CheckKind(
        FLOPS,
        "More arithmetic per token than budgeted",
        "error",
        "One token costs more floating-point operations than budgeted: of an encoder a token read, of what writes a "
        "token written at the depth of the whole request. Of a pipeline, the generator's.",
        "Arithmetic per token is what large batches are bound by, whatever the machine.",
        "Take a smaller model, or a shorter context.",
        ("G71",),
        "By closed form, a multiply-add as two operations.",
        "choice: {architecture: encoder-only, model: bert-large}\nbudgets: {flops_per_token: 300e6}",
    ),
    CheckKind(
        MEASURED,
        "A committed measurement that is of no use",
        "note",
        "A file under measured is missing, damaged or no profile, or holds none of the declared model made on the "
        "testbed; or the component has no timed budget to hold against it.",
        "What was measured elsewhere, or of another model, says nothing of this component: its timed budgets would "
        "pass or fail on somebody else's figures.",
        "Measure the declared model on the testbed and commit that: advisor profile MODEL --samples --output FILE.json",
        ("G71",),
        "Where the review itself runs on the testbed, it measures, and the file is reported all the same.",
        "budgets: {p95_ms: 20}\ntestbed: 0123456789ab\nmeasured: bench/profile.json   # made on another machine",
    ),
    CheckKind(
        P95,
        "Slower than budgeted",
        "error",
        "On the testbed, 95 of 100 requests are not answered within the budget, however many replicas share the rate.",
        "Users feel the slow requests, not the middle one.",
        "Take a smaller model or a narrower dtype, shorten texts, or raise the budget.",
        ("G71",),
        "Judged by intervals: where the budget lies inside, or nearer to the figure than two runs of the same machine "
        "are to each other, it is inconclusive. Not checked on another machine than the testbed.",
        "budgets: {p95_ms: 20}\ntestbed: 0123456789ab\nmeasured: bench/profile.json",
    ),
    CheckKind(
        THROUGHPUT,
        "Less throughput than budgeted",
        "error",
        "One replica like the testbed carries fewer requests per second than budgeted.",
        "Too little throughput shows as queues at the peak, or as more replicas than planned.",
        "Serve in a narrower dtype or larger batches, take a smaller model, or lower the budget.",
        ("G71",),
        "Judged by intervals, as p95_ms is. The latency budget of the workload holds while it is judged.",
        "budgets: {throughput_per_s: 500}\ntestbed: 0123456789ab\nmeasured: bench/profile.json",
    ),
    CheckKind(
        PEAK_MEMORY,
        "More memory at the peak than budgeted",
        "error",
        "What serves the model holds more GiB at its peak than budgeted. Of a pipeline, its parts together.",
        "What is over the limit is killed at its first large batch.",
        "Serve smaller batches or in a narrower dtype, or take a smaller model.",
        ("G71",),
        "Measured peaks of two processes differ by a few per cent; a budget that close is inconclusive.",
        "budgets: {peak_memory_gib: 0.5}\ntestbed: 0123456789ab\nmeasured: bench/profile.json",
    ),
    CheckKind(
        UNUSED_WAIVER,
        "A waiver that waives nothing",
        "warning",
        "The check a waiver names passes, or has nothing to say of its component; or its ceiling is no looser than the "
        "budget.",
        "A waiver left behind hides the next finding of its kind.",
        "Remove it.",
        ("G71",),
        "A waiver whose check could not be made here is left alone.",
        "waivers: [{check: EMB-101, component: search, …}] where search is encoder-only",
    ),
)
DESIGN_KINDS: Mapping[str, CheckKind] = {kind.id: kind for kind in _KINDS}
"""By id."""

BUDGETS: Mapping[str, str] = {
    "parameters": PARAMETERS,
    "weights_gib": WEIGHTS,
    "kv_bytes_per_token": CACHE,
    "flops_per_token": FLOPS,
    "p95_ms": P95,
    "throughput_per_s": THROUGHPUT,
    "peak_memory_gib": PEAK_MEMORY,
}
"""The check that holds each budget."""
STATIC = ("parameters", "weights_gib", "kv_bytes_per_token", "flops_per_token")
TIMED = ("p95_ms", "throughput_per_s", "peak_memory_gib")
