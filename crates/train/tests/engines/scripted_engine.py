"""An engine that trains nothing: it speaks the protocol of docs/engines.md, and breaks it on demand.

Run: python3 scripted_engine.py JOB HOW      (needs nothing but Python)

HOW is `honest` or the name of the one thing that is wrong.
"""

import json
import os
import pathlib
import select
import shutil
import signal
import struct
import subprocess
import sys
import time

job = json.loads(pathlib.Path(sys.argv[1]).read_text())
how = sys.argv[2]
out, opening = pathlib.Path(job["out"]), pathlib.Path(job["opening"]["folder"])
order = pathlib.Path(job["order"]).read_bytes()
rates = struct.iter_unpack("<d", pathlib.Path(job["lr"]).read_bytes())
names = [source["name"] for source in job["sources"]]
weights = bytearray((opening / "model.safetensors").read_bytes())
moments = bytearray((opening / "optimizer.safetensors").read_bytes())
stop = []


def header(tensors):
    """The header of a file of tensors, and where its data begins."""
    (length,) = struct.unpack("<Q", tensors[:8])
    return json.loads(tensors[8 : 8 + length]), 8 + length


def with_header(tensors, change):
    """The same data under another header."""
    old, data = header(tensors)
    change(old)
    text = json.dumps(old).encode()
    return struct.pack("<Q", len(text)) + text + tensors[data:]


def record(step, lr):
    batch = job["batch"]
    at = (step - job["opening"]["step"] - 1) * batch * 12
    slots = struct.iter_unpack("<IQ", order[at : at + batch * 12])
    tokens = {}
    for source, _ in slots:
        tokens[names[source]] = tokens.get(names[source], 0) + job["context"]
    loss = 6 - step / 100
    losses = dict.fromkeys(tokens, loss)
    line = dict(step=step, loss=loss, grad_norm=1.5, lr=lr, tokens=tokens, losses=losses)
    first = next(iter(tokens))
    match how:
        case "other-step":
            line["step"] += 1
        case "other-rate":
            line["lr"] = lr + 1e-3
        case "other-tokens":
            tokens[first] += job["context"]
        case "other-sources":
            losses["elsewhere"] = losses.pop(first)
        case "other-mean":
            losses[first] += 1
        case "loss-not-finite":
            line["loss"] = float("nan")
        case "loss-below-zero":
            line["loss"] = -1
        case "norm-below-zero":
            line["grad_norm"] = -1
    return json.dumps(line) + "\n"


def save(step):
    folder = out / f"step-{step}.partial"
    folder.mkdir()
    model, optimizer = weights, moments
    note = dict(run=job["run"], step=step, optimizer_steps=job["opening"]["optimizer_steps"])
    note["optimizer_steps"] += step - job["opening"]["step"]
    _, data = header(weights)
    first = "transformer.wte.weight"
    match how:
        case "same-weights":
            pass
        case "weight-not-finite":
            model[data : data + 4] = struct.pack("<f", float("inf"))
        case _:
            model[data] ^= 1
    match how:
        case "moment-not-finite":
            optimizer[-4:] = struct.pack("<f", float("nan"))
        case "other-shape":
            model = with_header(model, lambda h: h[first]["shape"].reverse())
        case "other-tensor":
            model = with_header(model, lambda h: h.update(surplus=h.pop(first)))
        case "other-type":
            model = with_header(model, lambda h: h[first].update(dtype="I32"))
        case "cut":
            model = model[:-4]
        case "header-without-end":
            model = struct.pack("<Q", 1 << 62) + model[8:]
        case "other-run":
            note["run"] = "0" * 64
        case "other-checkpoint-step":
            note["step"] += 1
        case "other-optimizer-steps":
            note["optimizer_steps"] += 1
        case "long-note":
            note["more"] = "x" * 100_000
    (folder / "model.safetensors").write_bytes(model)
    (folder / "optimizer.safetensors").write_bytes(optimizer)
    (folder / "checkpoint.json").write_text(json.dumps(note))
    if how == "linked-weights":
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors").symlink_to(opening / "model.safetensors")
    if how == "pipe-for-weights":
        (folder / "model.safetensors").unlink()
        os.mkfifo(folder / "model.safetensors")
    if how == "linked-checkpoint":
        shutil.move(folder, out / "elsewhere")
        folder.symlink_to(out / "elsewhere")
    folder.rename(out / f"step-{step}")


def greet():
    name = dict(our_name="avx2", other="scripted-2.0").get(how.replace("-", "_"), "scripted-1.0")
    name = "torch 2.15/gpu" if how == "odd-name" else name
    version = 2 if how == "other-version" else 1
    greeting = dict(sparkjoy_engine=version, name=name, same_bits=how == "same-bits")
    (out / "engine.tmp").write_text(json.dumps(greeting))
    (out / "engine.tmp").rename(out / "engine.json")


def main():
    if how == "crash":
        print("a bell rang", file=sys.stderr)
        sys.exit(3)
    if how == "no-greeting":
        (out / "metrics.jsonl").write_text(record(1, 0.0))
        time.sleep(60)
    greet()
    if how == "silent":
        time.sleep(600)
    if how == "child":
        child = subprocess.Popen(["sleep", "600"])
        (pathlib.Path(job["out"]).parent.parent / "child").write_text(f"{os.getpid()} {child.pid}")
        time.sleep(600)
    if how == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif how != "dies":
        signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    path = out / "metrics.jsonl"
    if how == "linked-metrics":
        (out / "elsewhere").touch()
        path.symlink_to(out / "elsewhere")
    if how == "pipe-for-metrics":
        os.mkfifo(path)
        time.sleep(60)
    with open(path, "a", buffering=1) as metrics:
        if how == "long-line":
            metrics.write("x" * (1 << 22))
            metrics.flush()
            time.sleep(60)
        if how == "deep-line":
            metrics.write("[" * 100_000 + "\n")
        for step in range(job["opening"]["step"] + 1, job["target"] + 1):
            (lr,) = next(rates)
            metrics.write(record(step, lr))
            is_asked = select.select([0], [], [], 0)[0] and os.read(0, 4096)
            if how not in ("no-checkpoint", "unsaved") and (step in job["keep"] or stop or is_asked):
                save(step)
            if stop:
                return
            if how in ("slow", "deaf", "dies"):
                time.sleep(0.2)
    if how in ("unsaved", "lingering"):
        time.sleep(60)


main()
