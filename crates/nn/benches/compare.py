"""Alternates our step with PyTorch's, so that both meet the same machine, and prints the ratios.

Beside the clock it counts the seconds of all cores: on a busy machine they are the fairer measure.
Linux only.

Run: cargo bench -p sparkjoy-nn --bench step --no-run   (prints the path of the program)
     python compare.py PROGRAM [SHAPE...] [--rounds 9] [--threads 2] [--engines eager,transformers]
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys

from torch_step import SHAPES


class Engine:
    def __init__(self, command):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        ready = self.process.stdout.readline()
        assert ready.startswith("ready"), f"{command} said {ready!r}"

    def step(self):
        """Seconds on the clock and of all cores together."""
        before = self.cpu()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline()), self.cpu() - before

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("shapes", nargs="*", default=["10M", "40M"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--engines", default="eager,transformers")
    options = parser.parse_args()
    torch_step = pathlib.Path(__file__).with_name("torch_step.py")
    for shape in options.shapes:
        engines = {"sparkjoy": Engine([options.program, "serve", shape, options.threads])}
        for name in options.engines.split(","):
            engines[name] = Engine([sys.executable, str(torch_step), name, shape, options.threads])
        times = {name: [] for name in engines}
        for _ in range(options.rounds):
            for name, engine in engines.items():
                times[name].append(engine.step())
        tokens = SHAPES[shape][4] * SHAPES[shape][5]
        print(f"{shape}: medians of {options.rounds} alternating steps, {options.threads} threads")
        for name, pairs in times.items():
            clock, cpu = (statistics.median(column) for column in zip(*pairs))
            ratios = [[t / o for t, o in zip(*both)] for both in zip(pairs, times["sparkjoy"])]
            by_clock, by_cpu = (statistics.median(column) for column in zip(*ratios))
            print(f"  {name:13} {tokens / clock:8.0f} tokens/s, {by_clock:5.2f}x our time   "
                  f"CPU {cpu:6.2f} s, {by_cpu:5.2f}x ours", flush=True)
        for engine in engines.values():
            engine.close()


if __name__ == "__main__":
    main()
