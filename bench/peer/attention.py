"""Times torch's attention for bench/attention.ts: a line of JSON in, a line of JSON out.

In:  {"precision": "fp32" | "bf16", "images": B, "tokens": S, "heads": H, "width": d, "ms": budget}
Out: {"ms": the fastest of the runs, forward and backward together, that the budget allowed}

softmax(q k^T / sqrt(d)) v from packed q, k, v, as a model without fused attention writes it; the gradient is that of
the packed tensor.
"""

import json
import sys
import time

import torch

torch.set_num_threads(1)


def attention(qkv, images, tokens, heads, width):
    q, k, v = qkv.view(images, tokens, 3, heads, width).permute(2, 0, 3, 1, 4)
    weights = torch.softmax((q @ k.transpose(-2, -1)) * width**-0.5, -1)
    return (weights @ v).transpose(1, 2).reshape(images, tokens, heads * width)


def once(qkv, d_out, shape):
    qkv.grad = None
    start = time.perf_counter()
    attention(qkv, *shape).backward(d_out)
    return (time.perf_counter() - start) * 1000


for line in sys.stdin:
    asked = json.loads(line)
    shape = [asked[name] for name in ("images", "tokens", "heads", "width")]
    images, tokens, heads, width = shape
    dtype = torch.bfloat16 if asked["precision"] == "bf16" else torch.float32
    qkv = torch.randn(images, tokens, 3 * heads * width, dtype=dtype, requires_grad=True)
    d_out = torch.randn(images, tokens, heads * width, dtype=dtype)
    once(qkv, d_out, shape)
    times = []
    while len(times) < 3 or sum(times) < asked["ms"]:
        times.append(once(qkv, d_out, shape))
    print(json.dumps({"ms": min(times)}), flush=True)
