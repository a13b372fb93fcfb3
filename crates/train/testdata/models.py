"""Makes tiny MPT folders as other programs write them, and the logits transformers gives for them:
models/NAME/ and models/logits.json.

Needs torch, transformers and safetensors. Run from this folder:

    python models.py
"""

import json
import math
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from transformers import MptConfig, MptForCausalLM

PLACE = pathlib.Path("models")
ROWS = [[7, 1, 30, 2, 2, 19, 11, 4, 23, 9, 0, 31], [5], [31, 31, 31, 31, 3]]


def model(
    d_model, n_heads, n_layers, dtype=torch.float32, vocab_size=32, max_seq_len=12, **attention
):
    """A model whose every part shows in its logits: weights are large and norms uneven."""
    torch.manual_seed(d_model + n_heads)
    attn_config = {"alibi": True, "alibi_bias_max": 8, **attention}
    shape = {"d_model": d_model, "n_heads": n_heads, "n_layers": n_layers}
    shape |= {"vocab_size": vocab_size, "max_seq_len": max_seq_len}
    config = MptConfig(**shape, attn_config=attn_config)
    made = MptForCausalLM(config)
    for name, parameter in made.named_parameters():
        normal = torch.randn_like(parameter)
        parameter.data = 1 + 0.3 * normal if "norm" in name else 0.4 * normal
    return made.to(dtype)


def logits(made):
    """In fp32, from the weights as they are stored."""
    with torch.no_grad():
        rows = [made.float()(torch.tensor([row])).logits[0].flatten() for row in ROWS]
    return [[float(f"{x:.7g}") for x in row.tolist()] for row in rows]


def foundry_config(made):
    """As LLM Foundry writes it: other defaults, other names, and what only training needs."""
    return {
        "architectures": ["MPTForCausalLM"],
        "attn_config": {
            "alibi": True,
            "alibi_bias_max": 8,
            "attn_impl": "flash",
            "attn_logit_softcapping": None,
            "attn_pdrop": 0.1,
            "attn_temperature_tuning": {"attn_scale": 0.0, "floor_scale": 8192},
            "attn_type": "multihead_attention",
            "attn_uses_sequence_id": False,
            "clip_qkv": None,
            "fused_qkv": True,
            "kv_dim": None,
            "kv_n_heads": made.config.n_heads,
            "nope": False,
            "qk_gn": False,
            "qk_ln": False,
            "rope": False,
            "rope_theta": 10000,
            "sliding_window_size": -1,
            "softmax_scale": 1 / math.sqrt(made.config.d_model / made.config.n_heads),
        },
        "auto_map": {"AutoConfig": "configuration_mpt.MPTConfig"},
        "block_overrides": None,
        "d_model": made.config.d_model,
        "emb_pdrop": 0.1,
        "embedding_fraction": 1.0,
        "expansion_ratio": 4.0,
        "fc_type": {"name": "torch"},
        "ffn_config": {"fc_type": {"name": "torch"}, "ffn_type": "mptmlp"},
        "final_logit_softcapping": None,
        "init_config": {"fan_mode": "fan_in", "init_gain": 0.0, "name": "kaiming_normal_"},
        "init_device": "cpu",
        "learned_pos_emb": True,
        "logit_scale": None,
        "max_seq_len": made.config.max_seq_len,
        "model_type": "mpt",
        "n_heads": made.config.n_heads,
        "n_layers": made.config.n_layers,
        "no_bias": True,
        "norm_eps": 1e-05,
        "norm_type": "low_precision_layernorm",
        "resid_pdrop": 0.1,
        "tie_word_embeddings": True,
        "use_cache": False,
        "use_pad_tok_in_ffn": True,
        "vocab_size": made.config.vocab_size,
    }


def write_foundry(folder, made, prefix, head):
    """The tensors under other names, and perhaps the head although it is the embedding."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(foundry_config(made), indent=1) + "\n")
    tensors = {k: v.clone() for k, v in made.state_dict().items() if k != "lm_head.weight"}
    tensors = {k.replace("transformer.", prefix): v for k, v in tensors.items()}
    if head:
        tensors[head] = made.transformer.wte.weight.detach().clone()
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


# What `src/tests/import.rs` reads at the first step of a run that starts from the model; it refuses
# other ones. Each row is a sequence.
BATCH = [
    [267, 271, 256, 79, 64, 81, 74, 220, 76, 64, 259, 256, 258, 77, 68, 220],
    [256, 79, 64, 81, 74, 220, 278, 67, 256, 79, 64, 81, 74, 274, 220, 86],
    [76, 64, 259, 220, 259, 68, 264, 264, 256, 258, 77, 68, 267, 220, 76, 64],
    [278, 67, 277, 274, 220, 259, 68, 220, 278, 67, 220, 86, 68, 65, 277, 13],
]


def first_loss():
    """A model with rows that no token uses and a longer context than the run's: the mean loss over
    the batch, each sequence scored from its second token on."""
    made = model(16, 2, 2, torch.bfloat16, vocab_size=300, max_seq_len=32)
    made.save_pretrained(PLACE / "first-loss")
    rows = torch.tensor(BATCH)
    with torch.no_grad():
        loss = made.float()(rows, labels=rows).loss.item()
    told = {"rows": BATCH, "loss": float(f"{loss:.8g}")}
    (PLACE / "first-loss.json").write_text(json.dumps(told, separators=(",", ":")) + "\n")


def main():
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    sharded = model(16, 2, 2)
    sharded.save_pretrained(PLACE / "sharded", max_shard_size="12KB")
    clipped = model(16, 4, 1, torch.bfloat16, clip_qkv=0.75)
    clipped.save_pretrained(PLACE / "bf16-clipped")
    # Three heads: slopes where their number is no power of two.
    odd = model(12, 3, 2, torch.float16)
    odd.save_pretrained(PLACE / "f16-odd")
    composer = model(8, 2, 1)
    write_foundry(PLACE / "composer", composer, "model.transformer.", None)
    bare = model(8, 1, 1)
    write_foundry(PLACE / "bare", bare, "", "lm_head.weight")

    first_loss()

    for path in PLACE.glob("*/generation_config.json"):
        path.unlink()
    made = {"sharded": sharded, "bf16-clipped": clipped, "f16-odd": odd}
    made |= {"composer": composer, "bare": bare}
    told = {"rows": ROWS, "logits": {name: logits(model) for name, model in made.items()}}
    (PLACE / "logits.json").write_text(json.dumps(told, separators=(",", ":")) + "\n")


main()
