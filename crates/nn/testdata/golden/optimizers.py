"""Golden numbers of optimizers and schedules.

Run: python optimizers.py     (needs torch, transformers and numpy; writes optimizers.json beside itself)

AdamW is torch's; LionW is the formula of llm-foundry's DecoupledLionW in numpy, in f64; schedules
are torch's where torch has them, else the published formula. Weights and gradients follow sines,
and weight 3 never sees a gradient.
"""

import json
import math
import pathlib

import numpy
import torch
from transformers.models.mpt.modeling_mpt import build_mpt_alibi_tensor

COUNT, STEPS = 7, 100


def gradient(step):
    g = numpy.sin(0.9 * numpy.arange(1, COUNT + 1) * (step + 1)) * 10.0 ** (numpy.arange(COUNT) % 3 - 1)
    g[3] = 0.0
    return g.astype(numpy.float32).astype(numpy.float64)


def start():
    return (0.5 + numpy.cos(numpy.arange(COUNT))).astype(numpy.float32).astype(numpy.float64)


def rate(step, peak):
    return peak * (1 - step / (2 * STEPS))


def lionw(peak=3e-3, beta1=0.9, beta2=0.95, decay=1.2e-4):
    p, m = start(), numpy.zeros(COUNT)
    for step in range(STEPS):
        lr, g = rate(step, peak), gradient(step)
        p *= 1 - (lr / peak) * decay
        p -= lr * numpy.sign(beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g
    return dict(lr=peak, betas=[beta1, beta2], weight_decay=decay, weights=p.tolist(), exp_avg=m.tolist())


def adamw(peak=3e-3, beta1=0.9, beta2=0.95, eps=1e-8, decay=0.1):
    p = torch.tensor(start(), requires_grad=True)
    optimizer = torch.optim.AdamW([p], lr=peak, betas=(beta1, beta2), eps=eps, weight_decay=decay)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = rate(step, peak)
        p.grad = torch.tensor(gradient(step))
        optimizer.step()
    state = optimizer.state[p]
    return dict(
        lr=peak, betas=[beta1, beta2], eps=eps, weight_decay=decay, weights=p.tolist(),
        exp_avg=state["exp_avg"].tolist(), exp_avg_sq=state["exp_avg_sq"].tolist(),
    )


def torch_curve(make, points):
    """The factors of a torch scheduler at integer times."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, curve = make(optimizer), []
    for _ in range(max(points) + 1):
        curve.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [curve[t] for t in points]


def inverse_sqrt(t, warmup, scale, cooldown, total):
    """InverseSquareRootWithWarmupScheduler of llm-foundry with alpha_f_decay = alpha_f_cooldown = 0."""
    if t < warmup:
        return t / warmup
    start = max(warmup, total - cooldown)
    if t < start:
        return 1 / math.sqrt((t - warmup + scale) / scale)
    first = 1 / math.sqrt((start - warmup + scale) / scale)
    return first + (min(1.0, (t - start) / cooldown) * (0 - first) if cooldown else 0)


def schedules():
    lr = torch.optim.lr_scheduler
    total, points = 400, [0, 1, 19, 39, 40, 41, 100, 200, 299, 300, 301, 350, 399, 400]
    warm = lambda o: lr.LinearLR(o, start_factor=1e-12, end_factor=1.0, total_iters=40)
    then = lambda o, *parts, at: lr.SequentialLR(o, list(parts), milestones=at)
    flat = lambda o: lr.ConstantLR(o, factor=1.0, total_iters=1)
    return dict(total=total, points=points, cases=[
        dict(kind=dict(kind="inverse-sqrt", warmup=40, scale=30, cooldown=100),
             factors=[inverse_sqrt(t, 40, 30, 100, total) for t in points]),
        dict(kind=dict(kind="inverse-sqrt", warmup=40, scale=40, cooldown=0),
             factors=[inverse_sqrt(t, 40, 40, 0, total) for t in points]),
        dict(kind=dict(kind="warmup-stable-decay", warmup=40, decay=100),
             factors=torch_curve(lambda o: then(o, warm(o), flat(o), lr.LinearLR(
                 o, start_factor=1.0, end_factor=0.0, total_iters=100), at=[40, 300]), points)),
        dict(kind=dict(kind="cosine", warmup=40, floor=0.1),
             factors=torch_curve(lambda o: then(o, warm(o), lr.CosineAnnealingLR(
                 o, T_max=360, eta_min=0.1), at=[40]), points)),
        dict(kind=dict(kind="linear", warmup=40, floor=0.2),
             factors=torch_curve(lambda o: then(o, warm(o), lr.LinearLR(
                 o, start_factor=1.0, end_factor=0.2, total_iters=360), at=[40]), points)),
        dict(kind=dict(kind="constant", warmup=40), factors=torch_curve(warm, points)),
    ])


def slopes(heads):
    """The slopes behind the bias that transformers adds: what one position more costs."""
    bias = build_mpt_alibi_tensor(heads, 2).reshape(heads, 2)
    return (bias[:, 1] - bias[:, 0]).tolist()


if __name__ == "__main__":
    path = pathlib.Path(__file__).with_suffix(".json")
    golden = dict(
        count=COUNT, steps=STEPS, gradients=[gradient(s).tolist() for s in range(STEPS)],
        start=start().tolist(), lionw=lionw(), adamw=adamw(), schedules=schedules(),
        slopes=[slopes(h) for h in range(1, 21)],
    )
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
