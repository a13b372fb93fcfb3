"""Holds checkpoints against transformers: the folder loads as it is and gives the same logits.

    cargo run -p sparkjoy-train --example tiny_checkpoint -- FOLDER
    python crates/train/parity/hugging_face.py FOLDER

Needs torch, transformers and safetensors. Exits 1 if a logit differs by more than 1e-4, if a
tensor is missing or left over, or if the tokenizer does not give the text back.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

TOLERANCE = 1e-4


def largest_difference(run: Path) -> float:
    parity = json.loads((run / "logits.json").read_text())
    folder = run / parity["checkpoint"]
    model, loading = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert type(model).__name__ == "MptForCausalLM", type(model)
    assert model.dtype == torch.float32, model.dtype
    # The head is the embedding's, so its absence is the only one there may be.
    missing = set(loading["missing_keys"]) - {"lm_head.weight"}
    assert not missing and not loading["unexpected_keys"], loading
    assert model.lm_head.weight is model.transformer.wte.weight
    model.eval()

    with safe_open(folder / "optimizer.safetensors", "pt") as moments:
        names = {name for name, _ in model.named_parameters()}
        kinds = {"exp_avg", "exp_avg_sq"}
        assert set(moments.keys()) == {f"{kind}.{name}" for kind in kinds for name in names}

    tokenizer = AutoTokenizer.from_pretrained(folder)
    largest = 0.0
    for row in parity["rows"]:
        with torch.no_grad():
            logits = model(torch.tensor([row["ids"]])).logits[0]
        ours = torch.tensor(row["logits"]).reshape(logits.shape)
        largest = max(largest, (ours - logits).abs().max().item())
        assert tokenizer.decode(row["ids"], skip_special_tokens=True) == row["text"], row["text"]
    scale = max(abs(x) for row in parity["rows"] for x in row["logits"])
    print(f"{run.name}: largest difference {largest:.2e}, largest logit {scale:.2f}")
    return largest


def main() -> None:
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    runs = sorted(path.parent for path in Path(sys.argv[1]).glob("*/logits.json"))
    assert runs, f"no logits.json under {sys.argv[1]}"
    sys.exit(int(max(map(largest_difference, runs)) > TOLERANCE))


if __name__ == "__main__":
    main()
