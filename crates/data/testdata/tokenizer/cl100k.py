"""Makes cl100k.json: what Python's tiktoken says to texts that are easy to get wrong.

Needs tiktoken (which downloads its rank file once, or finds it in TIKTOKEN_CACHE_DIR) and, for the
sampled documents, the `zstd` command and the corpora. Run from this folder:

    python cl100k.py ../../../../../shared/corpora > cl100k.json
"""

import json
import pathlib
import random
import subprocess
import sys

import tiktoken

TRICKY = [
    "",
    " ",
    "\n",
    "hello world",
    "Hello, World! How's it going? I'd say they'll've DON'T WE'RE 'S 'Tis o'clock 'LL",
    "it'\u017f it'\u017fo \u212aelvin '\u0130",  # the long s folds to s
    "1 12 123 1234 12345 1234567890 3.14159 1,000,000 0x1F \u0661\u0662\u0663\u0664 \u00bd\u00b2 \u2163 \u0967\u0968",
    "trailing spaces   ",
    "trailing newlines\n\n\n",
    "trailing both \n  ",
    "trailing tabs\t\t\n\t",
    "   leading",
    "\n\n  \n x\r\n\r\n y\r z \r\n",
    "a  b   c    d     e",
    "a \n b \n\n c \t\n d",
    "nbsp\u00a0\u00a0x thin\u2009x ideographic\u3000x\u3000\u3000 line\u2028sep para\u2029sep nel\u0085x",
    "zero\u200bwidth\u200djoiner \ufeffbom soft\u00adhyphen",
    "e\u0301 combining a\u0308\u0323 \u0915\u094d\u0937\u093f \u0e01\u0e33\u0e25\u0e31\u0e07",
    "Gr\u00fc\u00dfe, \u041f\u0440\u0438\u0432\u0435\u0442, \u0393\u03b5\u03b9\u03ac, \u05e9\u05dc\u05d5\u05dd, \u0645\u0631\u062d\u0628\u0627, \u4f60\u597d, \u3053\u3093\u306b\u3061\u306f, \uc548\ub155",
    "\U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f1e9\U0001f1ea \u2764\ufe0f \U0001f3f4\U000e0067\U000e0062",
    "\U00020000\U0002a6d6 \U0001d538\U0001d7d8 \U00010400\U0001e900",
    "\x00\x01\x02\x1b[0m\x7f \u0080 \ufffd \ue000 \U0010ffff",
    "<|endoftext|>",
    "a<|endoftext|>b <|fim_prefix|><|fim_middle|><|fim_suffix|> <|endofprompt|>",
    "def f(x):\n    return x  # \t done\n\n\nclass A:\n\tpass\n",
    'fn main() { println!("{:?}", vec![1, 2, 3]); } // -> () => <= >= != && ||\r\n',
    "$\\frac{a_1^2}{\\sqrt{b}} \\leq \\sum_{i=0}^{\\infty} x_i$",
    "https://example.org/a/b?c=d&e=%20f#g user@example.com C:\\Windows\\x",
    "====----____****####~~~~....,,,,!!!!????",
    "!!!\n\n???\r\n...\n \n",
    "a" * 300,
    " " * 300,
    " " * 300 + "x",
    "\n" * 300,
    "ab" * 300,
    "A" * 17 + "a" * 17,
    "\u4e16\u754c" * 100,
    "=" * 300,
    "supercalifragilisticexpialidocious antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
]

ALPHABET = "aAsStTlLvVeE''  \t\n\r1\u0663\u00e9\u017f\u4e16\u0301\u00a0\u2028\u0085!.<|>_\U0001f600\u200d\x00"


def fold(ids):
    """A 64-bit hash of ids that is a line in any language."""
    h = 0xCBF29CE484222325
    for i in ids:
        h = ((h ^ i) * 0x100000001B3) % 2**64
    return f"{h:016x}"


def main(corpora):
    encode = tiktoken.get_encoding("cl100k_base").encode_ordinary
    rng = random.Random(17)
    mixed = ["".join(rng.choices(ALPHABET, k=rng.randint(1, 24))) for _ in range(400)]
    documents = []
    for path in sorted(corpora.glob("*/*.val.jsonl.zst")):
        lines = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
        text = json.loads(lines.split(b"\n")[1])["text"]
        name = str(path.relative_to(corpora))
        ids = encode(text)
        documents.append({"path": name, "line": 1, "tokens": len(ids), "fold": fold(ids)})
    json.dump(
        {
            "tricky": [{"text": text, "ids": encode(text)} for text in TRICKY],
            "mixed": [{"text": text, "fold": fold(encode(text))} for text in mixed],
            "documents": documents,
        },
        sys.stdout,
        indent=0,
    )
    print()


main(pathlib.Path(sys.argv[1]))
