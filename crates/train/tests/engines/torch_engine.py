"""An engine for sparkjoy in plain PyTorch: one process, fp32, MPT, AdamW or LionW.

Run: python torch_engine.py JOB      (needs torch, numpy, safetensors; docs/engines.md says what JOB is)
"""

import bisect
import json
import math
import os
import pathlib
import select
import signal
import sys

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

SLOT = numpy.dtype([("source", "<u4"), ("ordinal", "<u8")])


class Source:
    """The tokens of a source, across its shards."""

    def __init__(self, shards):
        self.parts, self.starts, at = [], [], 0
        for path in shards:
            header = numpy.fromfile(path, dtype=numpy.uint8, count=128)
            count = int(header[32:40].view("<u8")[0])
            width = {2: "<u2", 4: "<u4"}[int(header[12])]
            self.parts.append(numpy.memmap(path, dtype=width, mode="r", offset=128, shape=(count,)))
            self.starts.append(at)
            at += count

    def read(self, start, length):
        found = []
        while length > 0:
            shard = bisect.bisect_right(self.starts, start) - 1
            part = self.parts[shard][start - self.starts[shard] :][:length]
            found.append(part.astype(numpy.int64))
            start, length = start + len(part), length - len(part)
        return numpy.concatenate(found)


def alibi(heads, context):
    """The bias [H, 1, T] that is added to scores: what a key's distance costs."""
    powers = 2 ** math.ceil(math.log2(heads))
    slopes = 2.0 ** (-8.0 / powers * torch.arange(1, powers + 1, dtype=torch.float64))
    if powers != heads:
        slopes = torch.cat([slopes[1::2], slopes[::2]])[:heads]
    return (slopes[:, None, None] * torch.arange(1 - context, 1)).float()


def losses(weights, shape, tokens):
    """Mean nats per target of each row; tokens [B, T], of which all but the first are targets."""
    (rows, context), heads, clip = tokens.shape, shape["heads"], shape["clip_qkv"]
    norm = lambda x, name: functional.layer_norm(x, x.shape[-1:], weights[name])
    future = torch.full((context, context), -math.inf).triu(1)
    bias = alibi(heads, context) + future
    x = weights["transformer.wte.weight"][tokens]
    for i in range(shape["layers"]):
        block = f"transformer.blocks.{i}."
        qkv = norm(x, block + "norm_1.weight") @ weights[block + "attn.Wqkv.weight"].T
        qkv = qkv if clip is None else qkv.clamp(-clip, clip)
        q, k, v = (part.view(rows, context, heads, -1).transpose(1, 2) for part in qkv.chunk(3, -1))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]) + bias
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
        x = x + mixed @ weights[block + "attn.out_proj.weight"].T
        up = norm(x, block + "norm_2.weight") @ weights[block + "ffn.up_proj.weight"].T
        x = x + functional.gelu(up) @ weights[block + "ffn.down_proj.weight"].T
    logits = norm(x, "transformer.norm_f.weight") @ weights["transformer.wte.weight"].T
    nats = functional.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")
    return nats.mean(1)


@torch.no_grad()
def update(kind, weight, moments, lr, steps):
    """One step of the optimizer; steps: taken, this one included."""
    (beta1, beta2), grad = kind["betas"], weight.grad
    if kind["kind"] == "lionw":
        (average,) = moments
        weight.mul_(1 - lr / kind["lr"] * kind["weight_decay"])
        weight.sub_(lr * (beta1 * average + (1 - beta1) * grad).sign())
        average.lerp_(grad, 1 - beta2)
        return
    average, square = moments
    average.lerp_(grad, 1 - beta1)
    square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    weight.mul_(1 - lr * kind["weight_decay"])
    root = (square / (1 - beta2**steps)).sqrt() + kind["eps"]
    weight.sub_(lr / (1 - beta1**steps) * average / root)


class Engine:
    def __init__(self, job):
        self.job, self.out = job, pathlib.Path(job["out"])
        self.step = job["opening"]["step"]
        self.steps = job["opening"]["optimizer_steps"]
        opening = pathlib.Path(job["opening"]["folder"])
        self.weights = load_file(opening / "model.safetensors")
        self.moments = load_file(opening / "optimizer.safetensors")
        for weight in self.weights.values():
            weight.requires_grad_(True)
        self.sources = [Source(source["shards"]) for source in job["sources"]]
        self.order = numpy.memmap(job["order"], dtype=SLOT, mode="r")
        self.lr = numpy.fromfile(job["lr"], dtype="<f8")
        self.names = ["exp_avg", "exp_avg_sq"][: len(self.moments) // len(self.weights)]

    def take_step(self, index):
        job, batch, context = self.job, self.job["batch"], self.job["context"]
        slots = self.order[index * batch :][:batch]
        rows = [self.sources[s].read(int(o) * context, context) for s, o in slots]
        each = losses(self.weights, job["spec"]["shape"], torch.from_numpy(numpy.stack(rows)))
        each.mean().backward()
        grads = [weight.grad for weight in self.weights.values()]
        norm = math.sqrt(sum(float(grad.double().square().sum()) for grad in grads))
        if job["grad_clip"] is not None and norm > job["grad_clip"]:
            torch._foreach_mul_(grads, job["grad_clip"] / (norm + 1e-6))
        self.step, self.steps, lr = self.step + 1, self.steps + 1, float(self.lr[index])
        for name, weight in self.weights.items():
            moments = [self.moments[f"{moment}.{name}"] for moment in self.names]
            update(job["optimizer"], weight, moments, lr, self.steps)
            weight.grad = None
        tokens, nats = {}, {}
        for (source, _), loss in zip(slots, each.tolist()):
            name = job["sources"][source]["name"]
            tokens[name] = tokens.get(name, 0) + context
            nats.setdefault(name, []).append(loss)
        means = {name: sum(values) / len(values) for name, values in nats.items()}
        loss = sum(each.tolist()) / batch
        return dict(step=self.step, loss=loss, grad_norm=norm, lr=lr, tokens=tokens, losses=means)

    def save(self):
        folder = self.out / f"step-{self.step}.partial"
        folder.mkdir()
        weights = {name: weight.detach() for name, weight in self.weights.items()}
        save_file(weights, folder / "model.safetensors")
        save_file(self.moments, folder / "optimizer.safetensors")
        note = dict(run=self.job["run"], step=self.step, optimizer_steps=self.steps)
        (folder / "checkpoint.json").write_text(json.dumps(note))
        folder.rename(self.out / f"step-{self.step}")


def main():
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    job = json.loads(pathlib.Path(sys.argv[1]).read_text())
    if job["sparkjoy_job"] != 1 or job["targets"] != "inside" or job["precision"] != "fp32":
        sys.exit("this engine does jobs of version 1 with targets inside the rows, in fp32")
    engine = Engine(job)
    name = f"torch-{torch.__version__.split('+')[0]}-cpu-x1"
    (engine.out / "engine.tmp").write_text(json.dumps(dict(sparkjoy_engine=1, name=name)))
    (engine.out / "engine.tmp").rename(engine.out / "engine.json")
    keep = set(job["keep"])
    with open(engine.out / "metrics.jsonl", "a", buffering=1) as metrics:
        for index in range(job["target"] - engine.step):
            metrics.write(json.dumps(engine.take_step(index)) + "\n")
            is_asked = select.select([0], [], [], 0)[0] and os.read(0, 4096)
            if engine.step in keep or stop or is_asked:
                engine.save()
            if stop:
                return


if __name__ == "__main__":
    main()
