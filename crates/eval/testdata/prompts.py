"""Writes prompts/prompts.json: the token sequences of the invented rows in prompts/.

A second reading of the original's rules (in_context_learning_evaluation.py of LLM Foundry), from
its source and not from ours. Choices are CPython's own; tokens are those of the Hugging Face
library, from the tokenizer that `cargo run -p sparkjoy-eval --example prompt_tokenizer` writes.
One tokenizer merges ` a` and one is of single bytes, as the original asks which it is.
"""

import json
import random
import re
import tomllib
from pathlib import Path

from tokenizers import Tokenizer

HERE = Path("prompts")
CONTEXTS = (96, 1024)


class Bytes:
    """Single bytes, in the order of GPT-2's alphabet: first those that are printed, then the rest."""

    def __init__(self):
        printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
        order = printed + [b for b in range(256) if b not in printed]
        self.ids = {byte: i for i, byte in enumerate(order)}

    def __call__(self, text):
        return [self.ids[byte] for byte in text.encode("utf-8")]


class Merged:
    def __init__(self):
        self.tokenizer = Tokenizer.from_file(str(HERE / "tokenizer/tokenizer.json"))

    def __call__(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids


def few_shot(size, shots, row, generator):
    chosen = set(generator.sample(range(0, size), min(size - 1, shots)))
    if row in chosen:
        chosen.remove(row)
        other = generator.choice(range(0, size))
        while other in chosen or other == row:
            other = generator.choice(range(0, size))
        chosen.add(other)
    return chosen


def lettered(query):
    """An option a line, as MMLU's authors write them."""
    match = re.fullmatch(
        r"Question: (.*)\n\(A\) (.*) \(B\) (.*) \(C\) (.*) \(D\) (.*)", query, re.DOTALL
    )
    return "\n".join([match[1], *(f"{x}. {match[i]}" for i, x in enumerate("ABCD", 2))])


class Task:
    def __init__(self, definition, encode, context):
        self.definition, self.encode, self.context = definition, encode, context
        self.type = definition["type"]
        default = "" if self.type == "code" else " "
        self.delimiter = definition.get("continuation_delimiter", default)
        self.example = definition.get("example_delimiter", "\n")
        self.prelimiter = definition.get("prelimiter", "")
        self.cot = definition.get("cot_delimiter", "")
        self.prefix_space = len(encode(" a")) == 1
        raw = self.read(definition["files"])
        self.raw = list(enumerate(raw))
        self.dev = self.read(definition["few_shot_files"]) if "few_shot_files" in definition else None

    def read(self, file):
        lines = (HERE / file).read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    def strip(self, row):
        if self.type == "code":
            return row
        row = {k: v.strip() if isinstance(v, str) else v for k, v in row.items()}
        if self.definition.get("format") == "lettered-lines":
            row["query"] = lettered(row["query"])
        return row

    def context_of(self, row):
        return row[{"multiple-choice": "query", "code": "prompt"}.get(self.type, "context")]

    def answer(self, row):
        if self.type == "multiple-choice":
            return row["choices"][row["gold"]]
        if self.type == "generation":
            if "chain_of_thought" in row:
                return f'{row["chain_of_thought"]}{self.cot}{row["answer"]}'
            return row["answer"]
        return row["canonical_solution" if self.type == "code" else "continuation"]

    def shown(self, row, preceding):
        if self.type == "schema":
            context = row["context_options"][row["gold"]]
            if preceding:
                context = self.example + context
            return self.prelimiter + context + self.delimiter + row["continuation"]
        return self.asked(row, preceding) + self.answer(row)

    def asked(self, row, preceding):
        text = self.prelimiter + self.context_of(row)
        if preceding:
            text = self.example + text
        return text + self.delimiter

    def spaced(self, answer):
        return " " + answer if self.prefix_space and not answer.startswith(" ") else answer

    def join(self, prompt, answer):
        space = self.context - len(answer)
        kept = prompt[-space:] if len(prompt) > space else prompt
        return {"tokens": kept + answer, "scored": len(answer)}, len(prompt) - len(kept)

    def items(self):
        groups = [self.raw]
        if self.definition.get("aggregation") == "subcategories":
            names = sorted({row["category"] for _, row in self.raw})
            groups = [[(i, r) for i, r in self.raw if r["category"] == name] for name in names]
        items = [item for group in groups for item in self.group(group)]
        return sorted(items, key=lambda item: item["index"])

    def group(self, group):
        generator = random.Random(self.definition.get("few_shot_seed", 1234))
        rows = [self.strip(row) for _, row in group]
        max_new, kept_free = self.lengths([row for _, row in group])
        shots = self.definition["shots"]
        for at, (index, raw) in enumerate(group):
            preamble = self.definition.get("prompt", "")
            preamble = preamble.replace("{subject}", raw.get("category", "").replace("_", " "))
            if self.dev is not None:
                same = [row for row in self.dev if row["category"] == raw["category"]]
                shown = [self.strip(row) for row in same[:shots]]
            else:
                chosen = few_shot(len(rows), shots, at, generator) if shots else []
                shown = [rows[i] for i in chosen]
            for row in shown:
                preamble += self.shown(row, preamble)
            yield self.item(index, rows[at], preamble, max_new, kept_free)

    def lengths(self, raw):
        """How much may be generated, and how much of the context is kept free for it."""
        if self.type == "generation":
            longest = 0
            for row in raw:
                for answer in [row["answer"], *row.get("aliases", [])]:
                    text = self.answer({**row, "answer": answer})
                    longest = max(longest, len(self.encode(text)))
            longest += 10 if self.cot else 0
            return max(longest, 1), longest
        if self.type == "code":
            prompt = max(len(self.encode(row["prompt"])) for row in raw)
            solution = max(len(self.encode(row["canonical_solution"])) for row in raw)
            max_new = min(solution + 10, self.context - prompt)
            return max_new, max_new
        return None, 0

    def item(self, index, row, preamble, max_new, kept_free):
        before = self.encode(preamble)
        if self.type == "schema":
            if preamble:
                start, end = self.prelimiter + self.example, self.delimiter.rstrip()
            else:
                start, end = self.prelimiter, ""
            prompts = [before + self.encode(start + o + end) for o in row["context_options"]]
            answer = self.spaced(row["continuation"])
            pairs = [(prompt, answer) for prompt in prompts]
            gold = row["gold"]
        else:
            text = self.asked(row, preamble)
            prompt = before + self.encode(text if self.type == "code" else text.rstrip())
            answers = row["choices"] if self.type == "multiple-choice" else [self.answer(row)]
            if self.type != "code":
                answers = [self.spaced(answer) for answer in answers]
            pairs = [(prompt, answer) for answer in answers]
            gold = row.get("gold", 0)
        joined = [self.join(prompt, self.encode(answer)) for prompt, answer in pairs]
        item = {
            "index": index,
            "gold": gold,
            "gold_bytes": len(pairs[gold][1].encode("utf-8")),
            "sequences": [sequence for sequence, _ in joined],
            "truncated": max(cut for _, cut in joined),
        }
        if max_new is not None:
            space = self.context - kept_free
            kept = prompt[-space:] if len(prompt) > space else prompt
            item |= {"prompt": kept, "max_new": max_new, "truncated": len(prompt) - len(kept)}
        return item


definitions = tomllib.loads((HERE / "tasks.toml").read_text(encoding="utf-8"))["tasks"]
cases = []
for name, encode in (("merged", Merged()), ("bytes", Bytes())):
    for context in CONTEXTS:
        for definition in definitions:
            # Single bytes need more space than the smaller contexts have.
            if name == "bytes" and context < 1024:
                continue
            items = Task(definition, encode, context).items()
            cases.append(
                {"tokenizer": name, "context": context, "task": definition["name"], "items": items}
            )

with open(HERE / "prompts.json", "w", encoding="utf-8") as file:
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    file.write(f"[\n{lines}\n]\n")
