"""A language model worker of PyTorch and transformers, as `docs/engines.md` asks for.

    python worker.py FOLDER [DEVICE]

FOLDER: a Hugging Face model folder; a checkpoint of ours is one. DEVICE: `cpu` (default), `cuda`.
Plain on purpose: no padding, no cache, one forward pass for each sequence and each token.
"""

import json
import struct
import sys

import torch
from transformers import AutoModelForCausalLM

MAGIC, VERSION, END = b"sjw1", 1, 0xFFFFFFFF
INPUT, OUTPUT = sys.stdin.buffer, sys.stdout.buffer
sys.stdout = sys.stderr  # Whatever libraries print must not stand between messages.


def send(header, *arrays):
    body = b"".join(array.contiguous().numpy().tobytes() for array in arrays)
    text = json.dumps(header).encode()
    OUTPUT.write(MAGIC + struct.pack("<IQ", len(text), len(body)) + text + body)
    OUTPUT.flush()


def receive():
    prefix = INPUT.read(16)
    if len(prefix) < 16:
        return None, []  # The end of our input: nobody asks any more.
    header_bytes, array_bytes = struct.unpack("<4xIQ", prefix)
    header = json.loads(INPUT.read(header_bytes))
    return header, [word for (word,) in struct.iter_unpack("<I", INPUT.read(array_bytes))]


def cut(values, *counts):
    """`values` cut into parts of these lengths."""
    parts, start = [], 0
    for count in counts:
        parts.append(values[start : start + count])
        start += count
    return parts


@torch.no_grad()
def log_probabilities(tokens):
    """`[len(tokens), vocab]`: of the token after each."""
    logits = model(torch.tensor([tokens], device=device)).logits[0]
    return torch.log_softmax(logits.float(), -1).cpu()


def scores(tokens, scored):
    """Nats of the last `scored` tokens, and whether each is the argmax (the lowest id of equals)."""
    rows = log_probabilities(tokens[:-1])[len(tokens) - 1 - scored :]
    targets = torch.tensor(tokens[len(tokens) - scored :])
    best = (rows == rows.max(-1, keepdim=True).values).int().argmax(-1)
    return -rows.gather(-1, targets[:, None])[:, 0], (best == targets).to(torch.uint8)


def losses(call, arrays):
    sequences = cut(arrays, *[call["context"]] * call["sequences"])
    nats = [scores(tokens, len(tokens) - 1)[0] for tokens in sequences]
    send({"reply": "losses"}, *nats)


def score(call, arrays):
    counts = [call["groups"], call["sequences"], call["sequences"], call["tokens"]]
    _, lengths, scored, tokens = cut(arrays, *counts)
    found = [scores(*pair) for pair in zip(cut(tokens, *lengths), scored) if pair[1]]
    send({"reply": "score"}, *[nats for nats, _ in found], *[greedy for _, greedy in found])


def generate(call, arrays):
    n = call["prompts"]
    lengths, most, samples, tokens = cut(arrays, n, n, n, call["tokens"])
    for prompt, tokens in enumerate(cut(tokens, *lengths)):
        for sample in range(samples[prompt]):
            text = list(tokens)
            while len(text) < len(tokens) + most[prompt]:
                logits = log_probabilities(text)[-1]  # Logits but for a constant.
                place = torch.tensor([prompt, sample], dtype=torch.int32)
                send({"reply": "logits", "rows": 1}, place, logits)
                _, [token] = receive()
                if token == END:
                    break
                text.append(token)
    send({"reply": "generate"})


device = sys.argv[2] if len(sys.argv) > 2 else "cpu"
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).to(device).eval()
send({
    "reply": "hello",
    "version": VERSION,
    "vocab": model.config.vocab_size,
    "context": getattr(model.config, "max_seq_len", None) or model.config.max_position_embeddings,
    "kernel": f"torch-{torch.__version__.split('+')[0]}-{device}",
    "promise": "within-noise",
})
while True:
    call, arrays = receive()
    if call is None:
        break
    if call["call"] == "losses":
        losses(call, arrays)
    elif call["call"] == "remember":
        send({"reply": "remember"})  # Nothing is kept: every sequence is computed by itself.
    elif call["call"] == "score":
        score(call, arrays)
    elif call["call"] == "generate":
        generate(call, arrays)
    else:
        send({"reply": "error", "error": f"no call: {call}"})
