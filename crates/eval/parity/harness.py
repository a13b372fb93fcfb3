"""lm-evaluation-harness on the same model and rows: the accuracies must be ours.

    sparkjoy eval MODEL --tasks crates/eval/parity/harness.toml --eval-data DATA --out RESULTS
    python crates/eval/parity/harness.py MODEL DATA RESULTS

`cargo xtask parity tasks MODEL DATA` runs both. Needs lm_eval, torch and transformers. The rows are
read by the harness from the same local files, through task definitions of its own; only what the
two rules have in common is compared: prompt, answers, summed log-likelihood or greedy agreement.
Exits 1 if an accuracy differs by more than the items whose best answers are closer than 1e-3 nats.
"""

import glob
import json
import sys

from lm_eval.api.task import ConfigurableTask
from lm_eval.evaluator import evaluate
from lm_eval.models.huggingface import HFLM

TIE = 1e-3  # nats


def rows(path):
    return {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": path}}}


def tasks(data):
    choices = {
        "output_type": "multiple_choice",
        "doc_to_text": lambda row: row["query"].strip() + "\nAnswer:",
        "doc_to_choice": lambda row: row["choices"],
        "doc_to_target": lambda row: row["gold"],
        "metric_list": [{"metric": "acc"}],
    }
    # One choice only: whether it is greedy is in the sample, beside its likelihood.
    greedy = {
        "output_type": "multiple_choice",
        "doc_to_text": lambda row: row["context"].strip(),
        "doc_to_choice": lambda row: [row["continuation"].strip()],
        "doc_to_target": lambda row: 0,
        "metric_list": [{"metric": "acc"}],
    }
    files = {
        "harness-piqa": (f"{data}/commonsense_reasoning/piqa.jsonl", choices),
        "harness-arc-easy": (f"{data}/world_knowledge/arc_easy.jsonl", choices),
        "harness-lambada": (f"{data}/language_understanding/lambada_openai.jsonl", greedy),
    }
    for name, (path, how) in files.items():
        config = {"task": name, "test_split": "test", "num_fewshot": 0, "target_delimiter": " "}
        yield name, ConfigurableTask(config={**config, **rows(path), **how})


def correct(name, sample):
    if name == "harness-lambada":
        return float(sample["filtered_resps"][0][1] in (True, "True"))
    return sample["acc"]


def ours(results, name):
    (path,) = glob.glob(f"{results}/{name}-*.jsonl")
    lines = [json.loads(line) for line in open(path)]
    return {line["index"]: line for line in lines if "index" in line}


def close(result):
    """Whether the best two answers are too close for two programs to agree on the best."""
    nats = sorted(choice["nats"] for choice in result["choices"])
    return len(nats) > 1 and nats[1] - nats[0] < TIE


def main():
    model, data, results = sys.argv[1:]
    harness = HFLM(pretrained=model, dtype="float32", device="cpu", batch_size=32)
    failed = False
    for name, task in tasks(data):
        found = evaluate(harness, task_dict={name: task}, bootstrap_iters=0, log_samples=True)
        theirs = {s["doc_id"]: correct(name, s) for s in found["samples"][name]}
        mine = ours(results, name)
        assert mine.keys() == theirs.keys(), f"{name}: {len(mine)} and {len(theirs)} items"
        differ = [i for i in theirs if bool(theirs[i]) != bool(mine[i]["correct"])]
        unsure = [i for i in differ if close(mine[i])]
        accuracy = [sum(map(float, values)) / len(mine) for values in (
            theirs.values(), (result["correct"] for result in mine.values()))]
        print(
            f"{name:<18} {len(mine):>6} items   harness {accuracy[0]:.6f}   sparkjoy "
            f"{accuracy[1]:.6f}   {len(differ)} judged differently, {len(unsure)} of them ties"
        )
        failed |= len(differ) > len(unsure)
    sys.exit(failed)


if __name__ == "__main__":
    main()
