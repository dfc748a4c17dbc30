"""PyTorch's side of bench/torch-step.ts on a GPU: the same training step of the same Vision Transformer.

As a careful user would write it today: bf16 autocast, scaled_dot_product_attention, fused AdamW, TF32 off, images that
lie on the GPU already; torch.compile where asked. Speaks as vit_step.py does.
"""
import argparse
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

parser = argparse.ArgumentParser()
for name in ["layers", "hidden", "mlp", "heads", "patch", "image", "classes", "batch", "accumulate", "compile"]:
    parser.add_argument(f"--{name}", type=int, required=True)
parser.add_argument("--device", required=True)
parser.add_argument("--precision", choices=["fp32", "bf16"], required=True)
a = parser.parse_args()

torch.manual_seed(1)
device = torch.device(a.device)
torch.cuda.set_device(device)
DROPOUT = 0.1


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(a.hidden, eps=1e-6)
        self.qkv = nn.Linear(a.hidden, 3 * a.hidden)
        self.out = nn.Linear(a.hidden, a.hidden)
        self.norm2 = nn.LayerNorm(a.hidden, eps=1e-6)
        self.fc1 = nn.Linear(a.hidden, a.mlp)
        self.fc2 = nn.Linear(a.mlp, a.hidden)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x):
        b, s, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(b, s, 3, a.heads, d // a.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, s, d)
        x = x + self.drop(self.out(mixed))
        return x + self.drop(self.fc2(self.drop(F.gelu(self.fc1(self.norm2(x)), approximate="tanh"))))


class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        tokens = (a.image // a.patch) ** 2 + 1
        self.projection = nn.Conv2d(3, a.hidden, a.patch, a.patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, a.hidden))
        self.position = nn.Parameter(torch.randn(1, tokens, a.hidden) * 0.02)
        self.drop = nn.Dropout(DROPOUT)
        self.blocks = nn.ModuleList(Block() for _ in range(a.layers))
        self.norm = nn.LayerNorm(a.hidden, eps=1e-6)
        self.head = nn.Linear(a.hidden, a.classes)

    def forward(self, images):
        patches = self.projection(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(images), -1, -1), patches], 1)
        x = self.drop(x + self.position)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


model = Vit().to(device).train()
parameters = list(model.parameters())
optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.1, fused=True)
images = torch.rand(a.batch, 3, a.image, a.image, device=device) * 2 - 1
labels = torch.arange(a.batch, device=device) % a.classes


def loss_of(images, labels):
    with torch.autocast("cuda", dtype=torch.bfloat16, enabled=a.precision == "bf16"):
        return F.cross_entropy(model(images).float(), labels)


forward = torch.compile(loss_of) if a.compile else loss_of


def step():
    optimizer.zero_grad(set_to_none=True)
    for _ in range(a.accumulate):
        loss = forward(images, labels)
        (loss / a.accumulate).backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    return loss


def answer(**values):
    print(json.dumps(values), flush=True)


answer(torch=torch.__version__, parameters=sum(p.numel() for p in parameters))
for line in sys.stdin:
    request = json.loads(line)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(request["steps"]):
        loss = step()
    torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    answer(seconds=seconds, loss=loss.item(), peakBytes=torch.cuda.max_memory_allocated())
