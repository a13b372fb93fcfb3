"""Alternates our step with other engines', so that all meet the same machine, and prints the table.

Beside the median by the clock stand the fastest step and the seconds of all cores. PyTorch's
threads spin while they wait for one that lost its core, so only a quiet machine is fair to it:
the table says when ours had less than nearly all of its cores.
The machine's ceiling is measured in every round too. Engines take turns two at a time, ours and
one other: memory must hold no more, and a ratio needs no more. Linux only.

Run: cargo bench -p sparkjoy-nn --bench step --no-run   (prints the path of PROGRAM)
     python compare.py PROGRAM [--shapes 10M,40M] [--rounds 5] [--threads 2]
         [--engines eager,bf16] [--peers PROGRAM] [--json FILE]
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

TORCH = ["eager", "compiled", "bf16", "compiled-bf16"]
OURS = "sparkjoy bf16"
# glibc then keeps what PyTorch frees instead of asking the kernel for the pages again.
ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": "8000000000", "MALLOC_MMAP_THRESHOLD_": "8000000000"}


class Engine:
    """A process that answers every line, with the times and the memory of what it answered."""

    def __init__(self, command, environment={}):
        pipe = subprocess.PIPE
        environment = os.environ | environment
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, env=environment
        )
        word, _, about = self.process.stdout.readline().partition(" ")
        if word != "ready":
            sys.exit(f"`{' '.join(command)}` did not get ready")
        self.about = json.loads(about)

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def step(self):
        """Seconds on the clock and of all cores together."""
        before = self.cpu()
        return self.ask(), self.cpu() - before

    def cpu(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak(self):
        """The most memory it ever held, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start(name, shape, options):
    """The engine called `name`, after its first step."""
    if name.startswith("sparkjoy"):
        precision = name.split()[1]
        return Engine([options.program, "serve", shape["name"], options.threads, precision])
    if name in ("burn", "candle"):
        threads = {"RAYON_NUM_THREADS": options.threads}
        return Engine([options.peers, name, json.dumps(shape)], threads)
    program = [sys.executable, str(pathlib.Path(__file__).with_name("torch_step.py"))]
    return Engine([*program, name, json.dumps(shape), options.threads], ENVIRONMENT)


def measure(shape, options):
    """Every engine against ours. A list of rows, ours first, and the ceilings."""
    ceiling = Engine([options.program, "ceiling", options.threads])
    ours = start(OURS, shape, options)
    ours_steps, ceilings, rows = [], [], []
    for name in ["sparkjoy fp32", *options.engines]:
        other = start(name, shape, options)
        rounds = []
        for _ in range(options.rounds):
            ceilings.append(ceiling.ask())
            rounds.append((ours.step(), other.step()))
        ours_steps += [step for step, _ in rounds]
        ratio = statistics.median(step[0] / mine[0] for mine, step in rounds)
        by_cpu = statistics.median(step[1] / max(mine[1], 0.01) for mine, step in rounds)
        rows.append(row(name, [step for _, step in rounds], other.peak(), ratio, by_cpu))
        other.close()
    rows.insert(0, row(OURS, ours_steps, ours.peak(), 1.0, 1.0))
    kernel = ours.about["kernel"]
    ours.close()
    ceiling.close()
    return rows, {kind: summary(ceilings, kind) for kind in ("fp32", "bf16")}, kernel


def row(name, steps, peak, ratio, ratio_cpu):
    seconds, cpu = (statistics.median(column) for column in zip(*steps))
    return {"engine": name, "seconds": seconds, "cpu": cpu, "peak_mib": peak, "all": steps,
            "least": min(seconds for seconds, _ in steps), "ratio": ratio, "ratio_cpu": ratio_cpu}


def summary(ceilings, kind):
    """The median, which shares are taken of, and the highest: what nobody disturbed."""
    values = [ceiling[kind] for ceiling in ceilings]
    known = None not in values
    return {"median": statistics.median(values), "highest": max(values)} if known else None


def share(shape, seconds, ceiling):
    if not ceiling:
        return "unknown"
    return f"{shape['flops'] / seconds / 1e7 / ceiling['median']:.1f} %"


def gflops(ceiling):
    if not ceiling:
        return "unknown"
    return f"{ceiling['median']:,.0f} GFLOP/s (at most {ceiling['highest']:,.0f})"


def show(shape, rows, ceilings, kernel, options):
    print(f"\n{shape['name']}: {shape['layers']} layers of {shape['width']}, vocabulary "
          f"{shape['vocab']:,}, {shape['batch']} x {shape['context']:,} tokens, "
          f"{shape['flops'] / 1e9:,.0f} GFLOP a step")
    print(f"kernel {kernel}, {options.threads} threads, medians of {options.rounds} steps in turn\n"
          f"ceiling bf16 {gflops(ceilings['bf16'])}, fp32 {gflops(ceilings['fp32'])}\n")
    print(f"{'engine':18} {'tokens/s':>9} {'share of bf16':>14} {'peak memory':>12} {'time':>7} "
          f"{'our ratio':>10} {'least':>7} {'our ratio':>10} {'CPU time':>9} {'our ratio':>10}")
    print(f"{'':18} {'':>9} {'ceiling':>14} {'MiB':>12} {'s':>7} "
          f"{'':>10} {'s':>7} {'':>10} {'s':>9}")
    for r in rows:
        print(f"{r['engine']:18} {shape['tokens'] / r['seconds']:9,.0f} "
              f"{share(shape, r['seconds'], ceilings['bf16']):>14} {r['peak_mib']:12,.0f} "
              f"{r['seconds']:7.3f} {r['ratio']:9.2f}x "
              f"{r['least']:7.3f} {r['least'] / rows[0]['least']:9.2f}x "
              f"{r['cpu']:9.2f} {r['ratio_cpu']:9.2f}x")
    had = rows[0]["cpu"] / rows[0]["seconds"] / int(options.threads)
    if had < 0.85:
        print(f"\nbusy machine: ours had {had:.0%} of its cores; measure again when it is quiet")
    torch = [r for r in rows if r["engine"] in TORCH]
    if torch:
        print()
        verdict("medians", torch, lambda r: r["ratio"])
        verdict("fastest steps", torch, lambda r: r["least"] / rows[0]["least"])
        least = min(r["peak_mib"] for r in torch)
        share_of_least = rows[0]["peak_mib"] / least
        print(f"peak memory: ours / least of PyTorch: {share_of_least:.2f}", flush=True)


def verdict(what, torch, ratio):
    best = min(torch, key=ratio)
    line = f"{what}: ours / best of PyTorch ({best['engine']}): {ratio(best):.2f}x"
    for r in torch:
        if r["engine"] == "eager":
            line += f"; ours / PyTorch eager fp32: {ratio(r):.2f}x"
    print(line, flush=True)


def show_scaling(results):
    print(f"\nscaling of {OURS}: time over FLOPs\n")
    print(f"{'shape':6} {'GFLOP a step':>13} {'s a step':>9} {'GFLOP/s':>8} "
          f"{'of bf16 ceiling':>16}")
    for result in results:
        shape, seconds = result["shape"], result["rows"][0]["seconds"]
        print(f"{shape['name']:6} {shape['flops'] / 1e9:13,.0f} {seconds:9.3f} "
              f"{shape['flops'] / seconds / 1e9:8,.0f} "
              f"{share(shape, seconds, result['ceilings']['bf16']):>16}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--shapes", default="1M,2M,4M,10M,40M,125M")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--engines", default=",".join(TORCH))
    parser.add_argument("--peers", help="the program of `peers/`; adds Burn and Candle")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.engines = options.engines.split(",") if options.engines else []
    options.engines += ["burn", "candle"] if options.peers else []
    listed = subprocess.run(
        [options.program, "shapes"], check=True, capture_output=True, text=True
    ).stdout
    shapes = {shape["name"]: shape for shape in map(json.loads, listed.splitlines())}
    results = []
    for name in options.shapes.split(","):
        if name not in shapes:
            sys.exit(f"no shape `{name}`, expected one of {', '.join(shapes)}")
        rows, ceilings, kernel = measure(shapes[name], options)
        show(shapes[name], rows, ceilings, kernel, options)
        results.append({"shape": shapes[name], "ceilings": ceilings, "rows": rows})
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n")
    show_scaling(results)


if __name__ == "__main__":
    main()
