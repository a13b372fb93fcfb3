"""Per-item log-likelihoods and greedy texts of the Gauntlet, computed again by transformers.

    sparkjoy eval MODEL --tasks gauntlet-v0.3,mmlu-dev --eval-data DATA --out RESULTS
    python crates/eval/parity/transformers_scores.py MODEL DATA RESULTS

`cargo xtask parity tasks MODEL DATA` runs both. Needs torch and transformers. Everything between
the rows and the numbers is done again here: the choice of examples with CPython's own `random`,
the prompts, the tokens with transformers' tokenizer, the model with `MptForCausalLM`. Only the
definition of a task is read from the first line of its results.

Exits 1 if a log-likelihood differs by more than 1e-3 nats, a greedy flag where the two best tokens
are not as close, a choice or a generated token.
"""

import glob
import json
import random
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SCORED = 80  # items of each task
GENERATED = 70  # of each task that generates
TOLERANCE = 1e-3  # nats


def read(data, files):
    for name in files:
        try:
            lines = open(f"{data}/{name}", encoding="utf-8").read().split("\n")
        except FileNotFoundError:
            continue
        rows = [json.loads(line) for line in lines if line.strip()]
        strip = lambda value: value.strip() if isinstance(value, str) else value
        return [{key: strip(value) for key, value in row.items()} for row in rows]
    raise FileNotFoundError(files)


def examples(task, rows):
    """Which rows are shown before each row, in order."""
    shots, rng = task["few_shot"]["shots"], random.Random(task["few_shot"]["seed"])
    for i in range(len(rows)):
        chosen = set(rng.sample(range(len(rows)), min(shots, len(rows) - 1)))
        if i in chosen:
            chosen.remove(i)
            other = i
            while other in chosen or other == i:
                other = rng.choice(range(len(rows)))
            chosen.add(other)
        yield list(chosen)


def shown_examples(task, rows):
    """Each row and the rows shown before it: of its own subcategory where these are apart."""
    by_category = {}
    for i, row in enumerate(rows):
        key = row.get("category") if task["aggregation"] == "subcategories" else None
        by_category.setdefault(key, []).append(i)
    shown = {}
    for members in by_category.values():
        for i, chosen in zip(members, examples(task, [rows[m] for m in members])):
            shown[i] = [members[s] for s in chosen]
    return sorted(shown.items())


def kind(task):
    """The type and its options."""
    return next(iter(task["kind"].items())) if isinstance(task["kind"], dict) else (task["kind"], {})


def answer_of(task, row):
    what, how = kind(task)
    if what == "multiple-choice":
        return row["choices"][row["gold"]]
    if what == "generation":
        reasoning = row.get("chain_of_thought")
        return (reasoning + how["cot_delimiter"] if reasoning else "") + row["answer"]
    return row["continuation"]


def context_of(task, row):
    what, _ = kind(task)
    if what == "schema":
        return row["context_options"][row["gold"]]
    return row["query"] if what == "multiple-choice" else row["context"]


class Prompts:
    def __init__(self, task, tokenizer, context):
        self.task, self.tokenizer, self.context = task, tokenizer, context
        self.what, self.how = kind(task)
        self.delimiters = task["delimiters"]
        self.space = len(self.ids(" a")) == 1

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids

    def preamble(self, shown):
        text = self.task["prompt"]
        for row in shown:
            if text:
                text += self.delimiters["example"]
            text += self.delimiters["prelimiter"] + context_of(self.task, row)
            text += self.delimiters["continuation"] + answer_of(self.task, row)
        return text

    def spaced(self, answer):
        return f" {answer}" if self.space and not answer.startswith(" ") else answer

    def sequences(self, row, shown):
        """(prompt ids, answer ids) of each choice, before anything is cut off."""
        preamble = self.preamble(shown)
        begin = self.tokenizer(preamble, split_special_tokens=True).input_ids if preamble else []
        joint = self.delimiters["example"] if preamble else ""
        if self.what == "schema":
            end = self.delimiters["continuation"].rstrip() if shown else ""
            for option in row["context_options"]:
                text = self.delimiters["prelimiter"] + joint + option + end
                yield begin + self.ids(text), self.ids(self.spaced(row["continuation"]))
            return
        text = joint + self.delimiters["prelimiter"] + context_of(self.task, row)
        prompt = begin + self.ids((text + self.delimiters["continuation"]).rstrip())
        answers = row["choices"] if self.what == "multiple-choice" else [answer_of(self.task, row)]
        for answer in answers:
            yield prompt, self.ids(self.spaced(answer))

    def cut(self, prompt, space):
        return prompt[-min(space, len(prompt)):] if space else prompt


def log_likelihoods(model, sequences):
    """For each answer the nats of its tokens, and by how much another token is likelier at worst."""
    longest = max(len(prompt) + len(answer) for prompt, answer in sequences)
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    for row, (prompt, answer) in enumerate(sequences):
        ids[row, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
    with torch.no_grad():
        # Nothing before the padding sees it.
        all_logits = model(ids).logits
    for logits, (prompt, answer) in zip(all_logits, sequences):
        end = len(prompt) + len(answer) - 1
        logs = torch.log_softmax(logits[len(prompt) - 1 : end].double(), -1)
        own = logs[torch.arange(len(answer)), torch.tensor(answer)]
        yield -own, (logs.max(-1).values - own).max().item()


def spread(items, count):
    return [items[i * len(items) // count] for i in range(count)] if len(items) > count else items


def check_scored(model, prompts, chosen, results):
    worst, flags, picks = 0.0, 0, 0
    for index, row, shown in chosen:
        result, means, sums = results[index], [], []
        sequences = [
            (prompts.cut(prompt, prompts.context - len(answer)), answer)
            for prompt, answer in prompts.sequences(row, shown)
        ]
        for choice, (nats, behind) in enumerate(log_likelihoods(model, sequences)):
            worst = max(worst, abs(nats.sum().item() - result["choices"][choice]["nats"]))
            sums.append(nats.sum().item())
            means.append(nats.mean().item())
            if prompts.what == "language-modeling" and behind > TOLERANCE:
                flags += bool(result["correct"])
            elif prompts.what == "language-modeling" and behind == 0:
                flags += not result["correct"]
        if prompts.what != "language-modeling":
            by = sums if prompts.how == "sum" else means
            best = sorted(by)
            clear = best[1] - best[0] > TOLERANCE
            picks += clear and result["chosen"] != by.index(best[0])
    return worst, flags + picks


def check_generated(model, prompts, chosen, results, most):
    differ = 0
    for index, row, shown in chosen:
        ((prompt, _),) = prompts.sequences(row, shown)
        prompt = prompts.cut(prompt, prompts.context - most)
        theirs = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=min(most, prompts.context - len(prompt)),
            do_sample=False,
            pad_token_id=model.config.eos_token_id,
        )[0, len(prompt) :].tolist()
        if theirs and theirs[-1] == model.config.eos_token_id:
            theirs.pop()
        # We stop at the first stop text, the original goes on and cuts there: the same answer.
        mine = results[index].get("tokens", [])
        differ += theirs[: len(mine)] != mine or not mine and bool(theirs)
    return differ


def longest_answer(prompts, rows):
    """Tokens a generation may have: of the longest answer or alias, and ten for reasoning."""
    longest = 0
    for row in rows:
        for answer in [answer_of(prompts.task, row), *row.get("aliases", [])]:
            longest = max(longest, len(prompts.ids(answer)))
    return longest + (10 if prompts.how["cot_delimiter"] else 0)


def main():
    folder, data, results = sys.argv[1:]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    total = {"scored": 0, "generated": 0}
    failed = False
    for path in sorted(glob.glob(f"{results}/*.jsonl")):
        lines = [json.loads(line) for line in open(path, encoding="utf-8")]
        asked, task = lines[0]["asked"], lines[0]["asked"]["task"]
        results_of = {line["index"]: line for line in lines if "index" in line}
        what, _ = kind(task)
        if what == "code" or task["few_shot"]["files"]:
            print(f"{task['name']:<32} not derived here")
            continue
        rows = read(data, task["files"])
        items = [
            (i, rows[i], [rows[s] for s in shown])
            for i, shown in shown_examples(task, rows)
            if i in results_of
        ]
        prompts = Prompts(task, tokenizer, asked["context"])
        if what == "generation":
            chosen = spread(items, GENERATED)
            most = longest_answer(prompts, rows)
            wrong = check_generated(model, prompts, chosen, results_of, most)
            total["generated"] += len(chosen)
            print(f"{task['name']:<32} {len(chosen):>5} texts   {wrong} differ", flush=True)
        else:
            chosen = spread(items, SCORED)
            worst, wrong = check_scored(model, prompts, chosen, results_of)
            total["scored"] += len(chosen)
            failed |= worst > TOLERANCE
            said = f"{len(chosen):>5} items   {worst:.2e} nats   {wrong} differ"
            print(f"{task['name']:<32} {said}", flush=True)
        failed |= wrong > 0
    print(f"{total['scored']} items scored, {total['generated']} texts generated")
    sys.exit(failed)


if __name__ == "__main__":
    main()
