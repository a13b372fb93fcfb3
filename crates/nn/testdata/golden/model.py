"""Golden numbers of whole models, from MptForCausalLM of transformers (5.x).

Run: python model.py      (needs torch and transformers; writes model.json beside itself)

Weights are filled by formula so that no weight need be stored: value i of tensor number s (in the
order of the flat buffer) is amplitude * sin(1.7 * (i + 1) + s), plus 1 for norms.
"""

import json
import math
import pathlib

import torch
from transformers import MptConfig, MptForCausalLM

CASES = {
    # Heads that are no power of two; tiles of 56 queries and 64 keys are crossed.
    "three-heads": dict(layers=2, width=12, heads=3, context=70, vocab=19, clip_qkv=None, batch=2),
    "clipped": dict(layers=1, width=16, heads=2, context=9, vocab=23, clip_qkv=0.75, batch=3),
    "six-heads": dict(layers=1, width=18, heads=6, context=5, vocab=11, clip_qkv=None, batch=1),
}


def names(layers):
    yield "transformer.wte.weight"
    for i in range(layers):
        for name in ["norm_1", "attn.Wqkv", "attn.out_proj", "norm_2", "ffn.up_proj", "ffn.down_proj"]:
            yield f"transformer.blocks.{i}.{name}.weight"
    yield "transformer.norm_f.weight"


def rounded(tensor):
    return [float(f"{v:.8g}") for v in tensor.detach().flatten().tolist()]


def run(layers, width, heads, context, vocab, clip_qkv, batch):
    config = MptConfig(
        d_model=width, n_heads=heads, n_layers=layers, max_seq_len=context, vocab_size=vocab,
        attn_config=dict(clip_qkv=clip_qkv, alibi=True, alibi_bias_max=8), no_bias=True,
        use_cache=False,
    )
    model = MptForCausalLM(config).double().train()
    state = dict(model.named_parameters())
    with torch.no_grad():
        for s, name in enumerate(names(layers)):
            weight = state[name]
            wave = torch.sin(1.7 * torch.arange(1, weight.numel() + 1, dtype=torch.float64) + s)
            base, amplitude = (1.0, 0.2) if weight.dim() == 1 else (0.0, 1.2 / math.sqrt(weight.shape[1]))
            # The engine holds f32, so the oracle starts from the same f32 values.
            weight.copy_((base + amplitude * wave).float().view_as(weight))
    tokens = torch.tensor([(i * i * 31 + i * 7 + 3) % vocab for i in range(batch * context)])
    tokens = tokens.view(batch, context)
    logits = model(input_ids=tokens).logits
    losses = torch.stack([
        torch.nn.functional.cross_entropy(logits[b, :-1], tokens[b, 1:]) for b in range(batch)
    ])
    losses.mean().backward()
    return dict(
        layers=layers, width=width, heads=heads, context=context, vocab=vocab, clip_qkv=clip_qkv,
        batch=batch, tokens=tokens.flatten().tolist(), losses=rounded(losses),
        logits=rounded(logits[-1]),
        gradients={name: rounded(state[name].grad) for name in names(layers)},
    )


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    cases = {name: run(**case) for name, case in CASES.items()}
    (here / "model.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
