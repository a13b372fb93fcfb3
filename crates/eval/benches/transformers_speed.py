"""Items per second of sparkjoy and of transformers on the same items of the same model, in turn.

    python crates/eval/benches/transformers_speed.py SPARKJOY MODEL DATA [ROUNDS] [ITEMS]

`cargo xtask bench eval MODEL DATA` runs it. Needs torch and transformers. transformers computes
every choice of an item as a sequence of its own, as LLM Foundry and lm-evaluation-harness do, in
fp32, in batches of sequences sorted by length and padded to the longest of the batch; texts are
generated in batches with its own cache. Both use all cores. Loading is in neither time.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

sys.path.insert(0, str(Path(__file__).parent.parent / "parity"))
import transformers_scores as derived  # noqa: E402

TASKS = ["arc_easy", "hellaswag", "lambada_openai", "mmlu", "winogrande", "gsm8k"]
BATCH = 32


def ours(program, model, data, task, items):
    with tempfile.TemporaryDirectory() as out:
        command = [program, "eval", model, "--tasks", task, "--eval-data", data]
        command += ["--limit", str(items), "--out", out, "--json"]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        path = next(Path(out).glob("*.jsonl"))
        asked = json.loads(path.open(encoding="utf-8").readline())["asked"]
        lines = [json.loads(line) for line in path.open(encoding="utf-8")]
        indices = [line["index"] for line in lines if "index" in line]
        return json.loads(run.stdout)["work"][task]["seconds"], asked, sorted(indices)


def score(model, sequences):
    """Nats of each answer, in batches padded on the right."""
    sequences = sorted(sequences, key=lambda pair: len(pair[0]) + len(pair[1]))
    for start in range(0, len(sequences), BATCH):
        batch = sequences[start : start + BATCH]
        longest = max(len(prompt) + len(answer) for prompt, answer in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, (prompt, answer) in enumerate(batch):
            n = len(prompt) + len(answer)
            ids[row, :n] = torch.tensor(prompt + answer)
            mask[row, :n] = 1
        with torch.no_grad():
            logits = model(ids, attention_mask=mask).logits
        for row, (prompt, answer) in enumerate(batch):
            part = logits[row, len(prompt) - 1 : len(prompt) + len(answer) - 1]
            torch.nn.functional.cross_entropy(part, torch.tensor(answer)).item()


def generate(model, prompts, most):
    prompts = sorted(prompts, key=len)
    for start in range(0, len(prompts), BATCH):
        batch = prompts[start : start + BATCH]
        longest = max(map(len, batch))
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(batch):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask[row, longest - len(prompt) :] = 1
        model.generate(ids, attention_mask=mask, max_new_tokens=most, do_sample=False,
                       pad_token_id=model.config.eos_token_id)


def theirs(model, tokenizer, data, asked, indices):
    task, context = asked["task"], asked["context"]
    rows = derived.read(data, task["files"])
    prompts = derived.Prompts(task, tokenizer, context)
    wanted = set(indices)
    sequences = []
    for i, shown in derived.shown_examples(task, rows):
        if i in wanted:
            sequences.extend(prompts.sequences(rows[i], [rows[s] for s in shown]))
    # Tokens are made before the clock starts; ours are made while it runs.
    if prompts.what == "generation":
        most = derived.longest_answer(prompts, rows)
        cut = [prompts.cut(prompt, context - most) for prompt, _ in sequences]
        begin = time.perf_counter()
        generate(model, cut, most)
    else:
        cut = [(prompts.cut(p, context - len(a)), a) for p, a in sequences]
        begin = time.perf_counter()
        score(model, cut)
    return time.perf_counter() - begin


def main():
    program, folder, data = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    items = int(sys.argv[5]) if len(sys.argv) > 5 else 200
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    print(f"medians of {rounds} rounds, {items} items of each task, {torch.get_num_threads()} threads")
    print(f"{'task':<18} {'sparkjoy':>12} {'transformers':>14}   ratio, least and most")
    for task in TASKS:
        mine, other = [], []
        for _ in range(rounds):
            seconds, asked, indices = ours(program, folder, data, task, items)
            mine.append(len(indices) / seconds)
            other.append(len(indices) / theirs(model, tokenizer, data, asked, indices))
        ratios = [a / b for a, b in zip(mine, other)]
        print(
            f"{task:<18} {statistics.median(mine):>8.1f} it/s {statistics.median(other):>10.1f} "
            f"it/s   {statistics.median(ratios):.1f}x ({min(ratios):.1f} to {max(ratios):.1f})"
        )


if __name__ == "__main__":
    main()
