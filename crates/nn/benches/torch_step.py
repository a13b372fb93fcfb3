"""One training step of the same model in PyTorch, timed on demand.

Run: python torch_step.py VARIANT SHAPE THREADS
     VARIANT: eager, compiled, bf16, compiled-bf16, transformers, transformers-bf16
     SHAPE: JSON, a line of what the benchmark `step` prints for `shapes`
Prints `ready` and JSON, then the seconds of one step for every line read. `compare.py` drives it.

`eager` is the decoder written plainly with fused attention (scaled_dot_product_attention with the
ALiBi bias as its mask, kept in the type of the queries so that the CPU's flash kernel takes it);
`transformers` is MptForCausalLM. `bf16` is torch.autocast around forward and loss, weights stay
fp32. `compiled` is torch.compile of the whole loss (fullgraph; its backward pass is compiled with
it) and of clipping and LionW as one function; elsewhere LionW is foreach lists.

Each variant got the fastest of what was tried on the 10M shape; what did not help it:
- cutting off the last position after the logits instead of before (copies the logits), or keeping
  it with an ignored target: slower or the same;
- ALiBi folded into eight more columns of queries and keys, so that attention is `is_causal` and
  skips half of its blocks: the same in fp32, slower in bf16;
- leaving the compiled norm's backward pass to ATen: the same;
- transparent huge pages (THP_MEM_ALLOC_ENABLE=1), lerp in LionW: the same.
What helped most is glibc's allocator keeping its memory (MALLOC_TRIM_THRESHOLD_ and
MALLOC_MMAP_THRESHOLD_, set by compare.py): a fifth of the time in bf16.
"""

import contextlib
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

VARIANTS = ["eager", "compiled", "bf16", "compiled-bf16", "transformers", "transformers-bf16"]


class Block(torch.nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm_1 = torch.nn.LayerNorm(d, bias=False)
        self.wqkv = torch.nn.Linear(d, 3 * d, bias=False)
        self.out_proj = torch.nn.Linear(d, d, bias=False)
        self.norm_2 = torch.nn.LayerNorm(d, bias=False)
        self.up_proj = torch.nn.Linear(d, 4 * d, bias=False)
        self.down_proj = torch.nn.Linear(4 * d, d, bias=False)

    def forward(self, x, bias):
        b, t, d = x.shape
        q, k, v = self.wqkv(self.norm_1(x)).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = x + self.out_proj(y.transpose(1, 2).reshape(b, t, d))
        return x + self.down_proj(F.gelu(self.up_proj(self.norm_2(x))))


class Decoder(torch.nn.Module):
    def __init__(self, layers, d, heads, vocab, context, dtype):
        super().__init__()
        self.wte = torch.nn.Embedding(vocab, d)
        torch.nn.init.normal_(self.wte.weight, std=(2 / d) ** 0.5)
        self.blocks = torch.nn.ModuleList(Block(d, heads) for _ in range(layers))
        self.norm_f = torch.nn.LayerNorm(d, bias=False)
        slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)
        i = torch.arange(context)
        bias = -slopes[:, None, None] * (i[:, None] - i[None, :])
        bias = bias.masked_fill(i[None, :] > i[:, None], -math.inf)[None]
        self.register_buffer("bias", bias.to(dtype).contiguous())

    def loss(self, tokens):
        x = self.wte(tokens)
        for block in self.blocks:
            x = block(x, self.bias)
        x = self.norm_f(x)[:, :-1].flatten(0, 1)
        return F.cross_entropy(F.linear(x, self.wte.weight), tokens[:, 1:].flatten())


def make(family, size, dtype):
    """A model and its loss as a function of tokens."""
    layers, d, heads, vocab, context = size
    if family != "transformers":
        model = Decoder(layers, d, heads, vocab, context, dtype)
        return model, model.loss
    from transformers import MptConfig, MptForCausalLM

    config = MptConfig(
        d_model=d, n_heads=heads, n_layers=layers, max_seq_len=context, vocab_size=vocab,
        no_bias=True, use_cache=False,
    )
    model = MptForCausalLM(config)
    return model, lambda tokens: model(input_ids=tokens, labels=tokens).loss


def clip_and_lion(params, momenta, grads):
    torch.nn.utils.clip_grads_with_norm_(params, 1.0, torch.nn.utils.get_total_norm(grads))
    torch._foreach_mul_(params, 1 - 1.2e-4)
    update = torch._foreach_mul(momenta, 0.9)
    torch._foreach_add_(update, grads, alpha=0.1)
    torch._foreach_sign_(update)
    torch._foreach_add_(params, update, alpha=-3e-4)
    torch._foreach_mul_(momenta, 0.95)
    torch._foreach_add_(momenta, grads, alpha=0.05)


def clip_and_lion_to_compile(params, momenta, grads):
    """The same, so that the compiler makes one loop of it: reads every gradient once."""
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
    scale = torch.clamp(1.0 / (norm + 1e-6), max=1.0)
    for p, m, g in zip(params, momenta, grads):
        g = g * scale
        update = torch.sign(m * 0.9 + g * 0.1)
        p.mul_(1 - 1.2e-4).sub_(update * 3e-4)
        m.mul_(0.95).add_(g * 0.05)


def main():
    variant, shape, threads = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.manual_seed(17)
    half = variant.endswith("bf16")
    size = [shape[name] for name in ("layers", "width", "heads", "vocab", "context")]
    model, loss_of = make(variant.split("-")[0], size, torch.bfloat16 if half else torch.float32)
    params = [p for p in model.parameters() if p.requires_grad]
    momenta = [torch.zeros_like(p) for p in params]
    count = shape["batch"] * shape["context"]
    tokens = (torch.arange(count) * 7919 % shape["vocab"]).view(shape["batch"], shape["context"])

    def loss(tokens):
        with torch.autocast("cpu", torch.bfloat16) if half else contextlib.nullcontext():
            return loss_of(tokens)

    update = clip_and_lion
    if variant.startswith("compiled"):
        loss = torch.compile(loss, fullgraph=True, dynamic=False)
        update = torch.compile(clip_and_lion_to_compile, fullgraph=True, dynamic=False)

    def step():
        start = time.perf_counter()
        loss(tokens).backward()
        with torch.no_grad():
            update(params, momenta, [p.grad for p in params])
            for p in params:
                p.grad = None
        return time.perf_counter() - start

    step()
    step()
    print("ready", json.dumps({"kernel": f"torch {torch.__version__}"}), flush=True)
    for _ in sys.stdin:
        print(step(), flush=True)


if __name__ == "__main__":
    main()
