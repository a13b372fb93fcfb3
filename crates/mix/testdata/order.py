"""An order computed a second time, by counting instead of by formula, in plain Python.

Writes order.json beside itself, which tests/golden.rs compares with. Needs nothing installed:
    python3 crates/mix/testdata/order.py
"""

import json
from pathlib import Path

WORD, CIRCLE = 2**32, 2**64
GOLDEN = 11400714819323198485

# BLAKE3 for inputs of one chunk (at most 1,024 bytes), after the paper's section 2.
IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
PERMUTED = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
CHUNK_START, CHUNK_END, ROOT, CONTEXT, MATERIAL = 1, 2, 8, 32, 64


def compress(chain, block, length, flags):
    s = chain + IV[:4] + [0, 0, length, flags]

    def mix(a, b, c, d, x, y):
        for word, turns in ((x, (16, 12)), (y, (8, 7))):
            s[a] = (s[a] + s[b] + word) % WORD
            s[d] = turned(s[d] ^ s[a], turns[0])
            s[c] = (s[c] + s[d]) % WORD
            s[b] = turned(s[b] ^ s[c], turns[1])

    def turned(x, by):
        return (x >> by | x << (32 - by)) % WORD

    m = block
    for _ in range(7):
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1])
        for i in range(4):
            mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i])
        m = [m[i] for i in PERMUTED]
    return [s[i] ^ s[i + 8] for i in range(8)]


def blake3(data, key=IV, mode=0):
    assert len(data) <= 1024
    blocks = [data[i : i + 64] for i in range(0, len(data), 64)] or [b""]
    chain = list(key)
    for i, block in enumerate(blocks):
        flags = mode
        flags |= CHUNK_START if i == 0 else 0
        flags |= CHUNK_END | ROOT if i == len(blocks) - 1 else 0
        padded = block.ljust(64, b"\0")
        words = [int.from_bytes(padded[j : j + 4], "little") for j in range(0, 64, 4)]
        chain = compress(chain, words, len(block), flags)
    return b"".join(word.to_bytes(4, "little") for word in chain)


def key(seed, purpose, *address):
    """Four words that depend on seed, purpose and address; see `Key` in the base crate."""
    context = blake3(b"sparkjoy 2026-11 keyed randomness v1", mode=CONTEXT)
    context = [int.from_bytes(context[i : i + 4], "little") for i in range(0, 32, 4)]
    material = seed.to_bytes(8, "little")
    for part in (purpose.encode(), *address):
        material += len(part).to_bytes(8, "little") + part
    out = blake3(material, context, MATERIAL)
    return [int.from_bytes(out[i : i + 8], "little") for i in range(0, 32, 8)]


def permuted(position, n, words):
    """Where a position of 0..n goes: a Feistel network on 2^k rows, walked into range."""
    rows = 2 ** ((n - 1).bit_length() // 2)
    columns = -(-n // rows)

    def mixed(x):
        x = x * 0xFF51AFD7ED558CCD % CIRCLE
        return ((x ^ x >> 32) * 0xC4CEB9FE1A85EC53 % CIRCLE) >> 32

    while True:
        column, row = divmod(position, rows)
        for i in range(12 if n < 1024 else 3):
            turn = 11 * i % 64
            first, second = (
                (w << turn | w >> (64 - turn)) % CIRCLE for w in words[2 * (i % 2) : 2 * (i % 2) + 2]
            )
            row ^= mixed(column ^ first) % rows
            column = (column + (mixed(row ^ second) * columns >> 32)) % columns
        position = column * rows + row
        if position < n:
            return position


def order(seed, replicate, sources, opening, first_phase, phases):
    """All draws as [source, epoch, ordinal], by counting from the first slot."""
    names = sorted(sources)
    drawn = {name: opening.get(name, 0) for name in names}
    draws = []
    for number, (mixture, slots) in enumerate(phases, first_phase):
        point = key(seed, "phase-offset", number.to_bytes(8, "little"), replicate.to_bytes(4, "little"))[0]
        for _ in range(slots):
            parts = 0
            for name in sorted(mixture):
                parts += mixture[name]
                if point < parts * CIRCLE // 1_000_000:
                    break
            draws.append([names.index(name), *draw(seed, replicate, name, sources[name], opening.get(name, 0), drawn[name])])
            drawn[name] += 1
            point = (point + GOLDEN) % CIRCLE
    return draws


def draw(seed, replicate, name, n, opened, drawn):
    """Epoch and ordinal of one draw of a source whose content is its name."""
    content = blake3(name.encode())
    epoch, position = divmod(drawn, n)
    trunk = (content, epoch.to_bytes(8, "little"))
    own = (*trunk, replicate.to_bytes(4, "little"))
    if replicate > 0 and epoch == opened // n:
        start = opened % n
        rest = key(seed, "replicate-order", *own)
        position = start + permuted(position - start, n - start, rest)
    elif replicate > 0:
        trunk = own
    return epoch, permuted(position, n, key(seed, "source-order", *trunk))


SOURCES = {"web": 2500, "code": 40, "math": 7}
BASE = ({"web": 700_000, "code": 200_000, "math": 100_000}, 120)
UPSAMPLED = ({"web": 333_334, "code": 333_333, "math": 333_333}, 90)
LEDGER = {"web": 83, "code": 25, "math": 12}

if __name__ == "__main__":
    golden = {
        "trunk": order(17, 0, SOURCES, {}, 0, [BASE, UPSAMPLED]),
        "branch": order(17, 0, SOURCES, LEDGER, 1, [UPSAMPLED]),
        "replicate": order(17, 2, SOURCES, LEDGER, 1, [UPSAMPLED]),
    }
    lines = (f'  "{name}": {json.dumps(draws)}' for name, draws in golden.items())
    Path(__file__).with_name("order.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
