"""PyTorch's side of bench/torch-step.ts: the same training step of the same Vision Transformer.

Reads one JSON object a line from stdin and answers with one: {"steps": n} runs n steps and gives their seconds.
The first line of output gives versions and the parameter count. Threads are set by the caller: OPENBLAS_NUM_THREADS
and OMP_NUM_THREADS in the environment, torch's own by --threads.
"""
import argparse
import json
import resource
import sys
import time

import torch
from torchvision.models import VisionTransformer

parser = argparse.ArgumentParser()
for name in ["layers", "hidden", "mlp", "heads", "patch", "image", "classes", "batch", "threads"]:
    parser.add_argument(f"--{name}", type=int, required=True)
parser.add_argument("--precision", choices=["fp32", "bf16"], required=True)
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
torch.manual_seed(1)


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


before = peak_bytes()
model = VisionTransformer(
    image_size=arguments.image,
    patch_size=arguments.patch,
    num_layers=arguments.layers,
    num_heads=arguments.heads,
    hidden_dim=arguments.hidden,
    mlp_dim=arguments.mlp,
    num_classes=arguments.classes,
    dropout=0.1,
)
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
images = torch.rand(arguments.batch, 3, arguments.image, arguments.image) * 2 - 1
labels = torch.arange(arguments.batch) % arguments.classes
loss_function = torch.nn.CrossEntropyLoss()


def step():
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.precision == "bf16"):
        loss = loss_function(model(images).float(), labels)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def answer(**values):
    print(json.dumps(values), flush=True)


answer(torch=torch.__version__, parameters=sum(p.numel() for p in model.parameters()))
for line in sys.stdin:
    request = json.loads(line)
    start = time.perf_counter()
    for _ in range(request["steps"]):
        loss = step()
    seconds = time.perf_counter() - start
    answer(seconds=seconds, loss=loss, peakBytes=peak_bytes() - before)
