"""Writes few_shot.json: the examples CPython itself chooses, for files of 6 to 50,000 rows.

The order within a choice is that of a Python set, which 3.9 fills in another way; 3.10 to 3.13
agree. The sizes lie on both sides of every switch: from a list to a set when sampling, and
from one size of the set's table to the next.
"""

import json
import random
import sys

assert sys.version_info >= (3, 10), "sets of older versions are in another order"

SIZES = [6, 7, 9, 21, 22, 50, 84, 85, 86, 87, 100, 277, 278, 413, 1172, 2117, 10_570, 50_000]
SHOTS = [1, 2, 3, 4, 5, 6, 8, 10, 13, 19, 20, 21, 22, 25]


def choose(rows, shots, row, generator):
    chosen = set(generator.sample(range(rows), shots))
    if row in chosen:
        chosen.remove(row)
        other = generator.choice(range(rows))
        while other in chosen or other == row:
            other = generator.choice(range(rows))
        chosen.add(other)
        return list(chosen), True
    return list(chosen), False


def vector(rows, shots, seed):
    generator = random.Random(seed)
    first, collisions = [], []
    for row in range(rows):
        chosen, collided = choose(rows, shots, row, generator)
        if row < 3:
            first.append(chosen)
        elif collided and len(collisions) < 3:
            collisions.append([row, chosen])
    return {
        "dataset_size": rows,
        "num_fewshot": shots,
        "seed": seed,
        "first8_in_iteration_order": first,
        "collision_examples": collisions,
        "rng_check_random_after_all": generator.random(),
    }


vectors = []
for size in SIZES:
    for shots in SHOTS:
        # Large files cost seconds each in a test that is not optimised; three shots suffice.
        if shots < size and (size < 10_000 or shots in (1, 5, 25)):
            vectors.append(vector(size, shots, 1234))
vectors += [vector(100, 5, seed) for seed in (0, 17, 2**32 - 1, 2**40 + 7)]



def history(generator):
    """A set some numbers are added to and removed from (written as -1 - number), and its order."""
    numbers, steps = set(), []
    most = generator.choice([12, 40, 300, 5_000])
    for _ in range(generator.randrange(5, 60)):
        if numbers and generator.random() < 0.35:
            number = generator.choice(sorted(numbers))
            numbers.remove(number)
            steps.append(-1 - number)
        else:
            number = generator.randrange(most)
            numbers.add(number)
            steps.append(number)
    return {"steps": steps, "order": list(numbers)}


generator = random.Random(7)
sets = [history(generator) for _ in range(60)]

with open("few_shot.json", "w", encoding="utf-8") as file:
    lines = ",\n".join(json.dumps(one) for one in vectors)
    histories = ",\n".join(json.dumps(one) for one in sets)
    file.write(f'{{"sets": [\n{histories}\n],\n"vectors": [\n{lines}\n]}}\n')
