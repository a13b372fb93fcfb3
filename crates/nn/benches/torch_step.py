"""One training step of the same model in PyTorch, timed on demand.

Run: python torch_step.py ENGINE SHAPE THREADS     ENGINE: eager, transformers
Prints `ready`, then the seconds of one step for every line read. `compare.py` drives it.

`eager` is the decoder written plainly with fused attention (scaled_dot_product_attention with the
ALiBi bias as its mask); `transformers` is MptForCausalLM. Both fp32, LionW over foreach lists.
"""

import math
import sys
import time

import torch
import torch.nn.functional as F

SHAPES = {  # layers, width, heads, vocabulary, context, batch
    "2M": (6, 128, 4, 4096, 256, 32),
    "4M": (6, 192, 6, 4096, 256, 32),
    "10M": (6, 256, 8, 8192, 256, 16),
    "40M": (8, 512, 8, 8192, 512, 4),
}


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
    def __init__(self, layers, d, heads, vocab, context):
        super().__init__()
        self.wte = torch.nn.Embedding(vocab, d)
        torch.nn.init.normal_(self.wte.weight, std=(2 / d) ** 0.5)
        self.blocks = torch.nn.ModuleList(Block(d, heads) for _ in range(layers))
        self.norm_f = torch.nn.LayerNorm(d, bias=False)
        slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)
        i = torch.arange(context)
        bias = -slopes[:, None, None] * (i[:, None] - i[None, :])
        self.register_buffer("bias", bias.masked_fill(i[None, :] > i[:, None], -math.inf)[None])

    def loss(self, tokens):
        x = self.wte(tokens)
        for block in self.blocks:
            x = block(x, self.bias)
        logits = F.linear(self.norm_f(x), self.wte.weight)[:, :-1]
        return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), tokens[:, 1:].reshape(-1))


def make(engine, layers, d, heads, vocab, context):
    if engine == "eager":
        model = Decoder(layers, d, heads, vocab, context)
        return model, model.loss
    from transformers import MptConfig, MptForCausalLM

    config = MptConfig(
        d_model=d, n_heads=heads, n_layers=layers, max_seq_len=context, vocab_size=vocab,
        no_bias=True, use_cache=False,
    )
    model = MptForCausalLM(config)
    return model, lambda tokens: model(input_ids=tokens, labels=tokens).loss


def main():
    engine, shape, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.manual_seed(17)
    *size, batch = SHAPES[shape]
    model, loss_of = make(engine, *size)
    params = [p for p in model.parameters() if p.requires_grad]
    momenta = [torch.zeros_like(p) for p in params]
    tokens = (torch.arange(batch * size[4]) * 7919 % size[3]).view(batch, size[4])

    def step():
        start = time.perf_counter()
        loss_of(tokens).backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        with torch.no_grad():
            grads = [p.grad for p in params]
            torch._foreach_mul_(params, 1 - 1.2e-4)
            update = torch._foreach_mul(momenta, 0.9)
            torch._foreach_add_(update, grads, alpha=0.1)
            torch._foreach_sign_(update)
            torch._foreach_add_(params, update, alpha=-3e-4)
            torch._foreach_mul_(momenta, 0.95)
            torch._foreach_add_(momenta, grads, alpha=0.05)
            for p in params:
                p.grad = None
        return time.perf_counter() - start

    step()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(step(), flush=True)


if __name__ == "__main__":
    main()
