"""Scores of branches, computed again by transformers from the files on disk.

Reads what docs/formats.md describes: the held-out shards, the checkpoint, `scores-*.json`.

Run: python crates/eval/parity/held_out.py RUNS PREPARED BRANCH...
     (a branch as `sparkjoy plan --json` names it: upsampled-30%-r0)
"""

import glob
import json
import sys

import numpy
import torch
from transformers import AutoModelForCausalLM

SEQUENCES_PER_SOURCE = 8
TOLERANCE = 1e-4  # nats per token


def only(pattern):
    found = sorted(glob.glob(pattern))
    assert found, f"nothing matches {pattern}"
    return found[-1]


def held_out_tokens(folder):
    """All held-out tokens of a prepared source, in order."""
    parts = []
    for shard in json.load(open(f"{folder}/source.json"))["parts"]["validation"]["shards"]:
        raw = open(f"{folder}/{shard['file']}", "rb").read()
        count, width = int.from_bytes(raw[32:40], "little"), raw[12]
        parts.append(numpy.frombuffer(raw, f"<u{width}", count, 128).astype(numpy.int64))
    return numpy.concatenate(parts)


def nats(model, tokens):
    with torch.no_grad():
        logits = model(torch.tensor(tokens)[None]).logits[0, :-1].double()
    chosen = torch.log_softmax(logits, -1)[torch.arange(len(tokens) - 1), tokens[1:]]
    return -chosen.sum().item()


def check(runs, prepared, branch):
    run = only(f"{runs}/{glob.escape(branch)}-*")
    scores = json.load(open(only(f"{run}/scores-*.json")))["held_out"]
    model = AutoModelForCausalLM.from_pretrained(only(f"{run}/step-*"), dtype=torch.float32).eval()
    context = model.config.max_seq_len
    worst, sequences = 0.0, 0
    for score in scores:
        tokens = held_out_tokens(only(f"{prepared}/{score['source']}-*"))
        for ordinal, ours in list(zip(score["ordinals"], score["nats"]))[:SEQUENCES_PER_SOURCE]:
            theirs = nats(model, tokens[ordinal * context : (ordinal + 1) * context])
            worst = max(worst, abs(ours - theirs) / (context - 1))
            sequences += 1
    print(
        f"{branch}: {sequences} held-out sequences of {len(scores)} sources, "
        f"largest difference {worst:.1e} nats per token"
    )
    assert worst < TOLERANCE, f"expected less than {TOLERANCE}"


if __name__ == "__main__":
    runs, prepared, *branches = sys.argv[1:]
    for branch in branches:
        check(runs, prepared, branch)
