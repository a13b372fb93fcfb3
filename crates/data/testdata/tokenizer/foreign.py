"""Makes tiny tokenizers of the kinds other models have, and says what transformers makes of texts
that are easy to get wrong: foreign/NAME/ as `save_pretrained` leaves it, and foreign.json.

Needs tokenizers and transformers. Run from this folder:

    python foreign.py
"""

import collections
import json
import math
import pathlib
import random
import shutil

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

SENTENCES = """\
The lighthouse keeper counted seven sparks above the quiet harbour, and wrote each of them down.
Don't ask why it's raining; they've said that we'll see, and I'd rather wait than they're right.
In 1998 the 17 boats carried 2,048 crates of oranges, 3.5 tonnes of salt and 0.25 of sugar.
def area(width, height):\n    return width * height  # in square metres\n
    for i in range(10):\n        total += values[i] ** 2\n        print(f"{i}: {total}")\n
Grüße aus Köln! Où est la forêt? El niño mañana. Привет, мир. 你好，世界。 こんにちは。
What is the joy of a river? It is the stone, the light, the stone, the light, and the river.
If a train leaves at 10:45 and arrives at 13:05, how long did the journey take? 140 minutes.
The number 31415926 is written 31415926, and 31415926 again; after it a line that ends.  \n \n  x
$\\frac{a_1^2}{\\sqrt{b}} \\leq \\sum_{i=0}^{n} x_i$ holds for all n > 0, as shown above.
""".split("\n")

TEXTS = [
    "",
    " ",
    "  ",
    "\n",
    "hello world",
    " hello world",
    "Hello, World! How's it going? I'd say they'll've DON'T WE'RE 'S 'Tis o'clock",
    "it'\u017f \u212aelvin '\u0130",  # the long s folds to s
    "1 12 123 1234 12345 3.14159 1,000,000 0x1F \u0661\u0662\u0663 \u00bd\u00b2 \u2163",
    "trailing spaces   ",
    "trailing newlines\n\n\n",
    "trailing both \n  ",
    "trailing tabs\t\t\n\t",
    "   leading",
    "\n\n  \n x\r\n\r\n y\r z \r\n",
    "a  b   c    d     e          f",
    "a \n b \n\n c \t\n d",
    "nbsp\u00a0\u00a0x thin\u2009x ideographic\u3000x line\u2028sep nel\u0085x \u180e\u200b",
    "zero\u200bwidth\u200djoiner \ufeffbom soft\u00adhyphen",
    "e\u0301 combining a\u0308\u0323 \u0915\u094d\u0937\u093f \u0e01\u0e33 \u1e9b\u0323",
    "\ufb01ligature \u2460 \uff21\uff22\uff23 \u33a5 \u1100\u1161\u11a8",  # NFKC folds these
    "Gr\u00fc\u00dfe, \u041f\u0440\u0438\u0432\u0435\u0442, \u05e9\u05dc\u05d5\u05dd, \u4f60\u597d, \uc548\ub155",
    "\U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f1e9\U0001f1ea \u2764\ufe0f",
    "\U00020000 \U0001d538\U0001d7d8 \U00010400\U0001e900 \U00010d4e\U0001e5d1",  # new letters
    "\x01\x02\x1b[0m\x7f \u0080 \ufffd \ue000 \U0010ffff",
    "null \x00 byte",
    "31415926 31415926.5 0031415926",
    "it ends.  \n \n  x  \n\n",
    "<|endoftext|>",
    "a<|endoftext|>b <|padding|> c",
    "a <s>b</s> c <unk> [UNK] [MASK] <pad> x",
    "</s></s> <s> <0x41> <0xE2><0x82>",
    "\u2581under\u2581score \u2581",
    "def f(x):\n    return x  # \t done\n\n\nclass A:\n\tpass\n",
    'fn main() { println!("{:?}", vec![1]); } // -> => <= != && ||\r\n',
    "$\\frac{a_1^2}{\\sqrt{b}} \\leq \\sum_{i=0}^{\\infty} x_i$",
    "https://example.org/a/b?c=d&e=%20f#g user@example.com C:\\Windows\\x",
    "====----____****####~~~~....,,,,!!!!????",
    "!!!\n\n???\r\n...\n \n",
    "a" * 120,
    " " * 60,
    " " * 60 + "x",
    "ab" * 60,
    "\u4e16\u754c" * 20,
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "the stone , the light ! is it n't ? I 'm sure they 've said ' so ' .",
    "The Lighthouse KEEPER counted",
    "the\nstone\tthe\rlight",
    "\u0130stanbul \u1e9e \u03a3\u03c2 \u01c5",
    "x\u0300\u0301\u0302\u0303 \u200f\u202eabc",
    "Question: what is it?\nAnswer:",
    " A. harbour\n B. river",
    "'", "\"", "''", "' ", " '", "-1", "\t", "\r\n", "\u00a0", "\u3000", "\u0085",
]

ALPHABET = "aAsStTlLvVeE''  \t\n\r1\u0663\u00e9\u017f\u4e16\u0301\u00a0\u2028\u0085!.<|>_\U0001f600\u200d\u2581"

# As tiktoken has it and exports repeat it. Oniguruma, which transformers splits with, reads
# `{1,3}+` as a repetition of up to three and `$` as the end of a line.
CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


def counted(things):
    """How often each is there, in an order that is the same every time (the trainers of WordPiece
    and Unigram have none)."""
    return sorted(collections.Counter(things).items())


def neox():
    """As EleutherAI/gpt-neox-20b, which mosaicml/mpt-7b uses: runs of spaces are tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=["<|endoftext|>", "<|padding|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in range(8, 1, -1)])
    end = "<|endoftext|>"
    return tokenizer, {"bos_token": end, "eos_token": end, "unk_token": end}


def prefixed():
    """Byte-level with a space put first, tiktoken's split, and the clean-up that a BPE is spared."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(CL100K), "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer, {"eos_token": "<|endoftext|>", "clean_up_tokenization_spaces": True}


def llama():
    """A BPE of characters with bytes to fall back on; a template puts <s> before every text."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    space = decoders.Replace("\u2581", " ")
    steps = [space, decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(vocab_size=480, special_tokens=special + byte_tokens)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    # Trained as special tokens only to get the first ids: they are ordinary ones.
    saved = json.loads(tokenizer.to_str())
    saved["added_tokens"] = saved["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def wordpiece():
    """As BERT without its frame: lower case, and spaces that are cleaned up on the way back."""
    words = "\n".join(SENTENCES).lower().split()
    letters = sorted({letter for word in words for letter in word})
    pieces = [word for word, count in counted(words) if count > 1]
    suffixes = [f"##{suffix}" for suffix in letters + ["ing", "ed", "es", "er", "on"]]
    tokens = dict.fromkeys(["[UNK]", "[END]"] + letters + suffixes + pieces)
    vocab = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    special = {"eos_token": "[END]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    return tokenizer, {**special, "clean_up_tokenization_spaces": True}


def unigram():
    """As T5: the best pieces after NFKC, and the end of the text behind every text."""
    words = ["\u2581" + word for word in "\n".join(SENTENCES).split()]
    parts = [word[i:j] for word in words for i in range(len(word)) for j in range(i + 1, i + 7)]
    counts = [(part, count) for part, count in counted(parts) if count > 3 or len(part) == 1]
    pieces = [(part, math.log(count / len(parts)) * len(part) ** 0.5) for part, count in counts]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(special + pieces, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer, {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def told(name, texts):
    """What transformers makes of the texts, from the folder alone."""
    tokenizer = AutoTokenizer.from_pretrained(f"foreign/{name}")
    rows = []
    for text in texts:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        decoded = tokenizer.decode(ids, skip_special_tokens=True)
        rows.append({"ids": ids, "decoded": decoded})
    framed = tokenizer("a")["input_ids"]
    begin = framed[: framed.index(tokenizer("a", add_special_tokens=False)["input_ids"][0])]
    vocab = max(tokenizer.get_vocab().values()) + 1
    return {"vocab": vocab, "begin": begin, "end_of_text": tokenizer.eos_token_id, "rows": rows}


def main():
    rng = random.Random(17)
    mixed = ["".join(rng.choices(ALPHABET, k=rng.randint(1, 24))) for _ in range(60)]
    texts = TEXTS + mixed
    golden = {"texts": texts}
    for kind in [neox, prefixed, llama, wordpiece, unigram]:
        folder = pathlib.Path("foreign", kind.__name__)
        shutil.rmtree(folder, ignore_errors=True)
        tokenizer, config = kind()
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, **config).save_pretrained(folder)
        golden[kind.__name__] = told(kind.__name__, texts)
    with open("foreign.json", "w") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


main()
