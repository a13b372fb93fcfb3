"""Draws the loss curves of runs on the same batches, and prints how far apart they are.

Run: python precision.py OUT.svg NAME=RUN_FOLDER NAME=RUN_FOLDER
The run folders hold metrics.jsonl. The first run is what the second is compared with. Nothing but
Python is needed.
"""

import json
import math
import pathlib
import statistics
import sys

WINDOW = 50  # steps a point of a curve is the mean of
ROWS = 10
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 760, 400, 56, 40, 16
COLORS = ["#3b6fb6", "#d9822b"]


def read(folder):
    lines = pathlib.Path(folder, "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    tokens = sum(steps[0]["tokens"].values())
    return [step["loss"] for step in steps], tokens


def smooth(losses):
    ends = range(WINDOW, len(losses) + 1, WINDOW)
    return [(end, statistics.fmean(losses[end - WINDOW:end])) for end in ends]


def draw(curves, tokens, path):
    points = {name: smooth(losses) for name, losses in curves.items()}
    last = max(step for curve in points.values() for step, _ in curve)
    values = [loss for curve in points.values() for _, loss in curve]
    low, high = math.floor(min(values) * 2) / 2, math.ceil(max(values) * 2) / 2
    x = lambda step: LEFT + (WIDTH - LEFT - 16) * step / last
    y = lambda loss: TOP + (HEIGHT - TOP - BOTTOM) * (high - loss) / (high - low)
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12" role="img">',
           "<title>Training loss in fp32 and in bf16</title>",
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    loss = low
    while loss <= high:
        svg.append(f'<path d="M{LEFT} {y(loss):.1f}H{WIDTH - 16}" stroke="#dddddd"/>'
                   f'<text x="{LEFT - 8}" y="{y(loss) + 4:.1f}" text-anchor="end">{loss:g}</text>')
        loss += 0.5
    for million in range(0, int(last * tokens / 1e6) + 1, 5):
        at = x(million * 1e6 / tokens)
        svg.append(f'<text x="{at:.1f}" y="{HEIGHT - 20}" text-anchor="middle">{million}M</text>')
    svg.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 4}" text-anchor="middle">tokens</text>')
    for (name, curve), color, dash in zip(points.items(), COLORS, ["", ' stroke-dasharray="5 4"']):
        line = " ".join(f"{x(step):.1f},{y(loss):.1f}" for step, loss in curve)
        svg.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"{dash}/>')
    for i, (name, color) in enumerate(zip(points, COLORS)):
        svg.append(f'<text x="{WIDTH - 120}" y="{TOP + 20 + 18 * i}" fill="{color}">{name}</text>')
    path.write_text("\n".join([*svg, "</svg>"]) + "\n")


def main():
    out, *runs = sys.argv[1:]
    read_runs = {name: read(folder) for name, folder in (run.split("=", 1) for run in runs)}
    tokens = {tokens for _, tokens in read_runs.values()}
    assert len(tokens) == 1, "runs of another batch"
    tokens = tokens.pop()
    curves = {name: losses for name, (losses, _) in read_runs.items()}
    draw(curves, tokens, pathlib.Path(out))

    (first, a), (second, b) = curves.items()
    steps = min(len(a), len(b))
    print(f"mean training loss, nats per token, {steps:,} steps of {tokens:,} tokens\n")
    print(f"| tokens | {first} | {second} | difference | standard error |")
    print("|---|---|---|---|---|")
    for row in range(ROWS):
        part = range(row * steps // ROWS, (row + 1) * steps // ROWS)
        apart = [b[i] - a[i] for i in part]
        mean_a, mean_b = (statistics.fmean(losses[i] for i in part) for losses in (a, b))
        error = statistics.stdev(apart) / math.sqrt(len(apart))
        print(f"| {part.start * tokens / 1e6:.1f}M to {part.stop * tokens / 1e6:.1f}M | "
              f"{mean_a:.4f} | {mean_b:.4f} | {statistics.fmean(apart):+.4f} | {error:.4f} |")


if __name__ == "__main__":
    main()
