"""Opens what `vitrail export` wrote with the libraries it is for, and compares their logits with vitrail's own.

    python3 bench/interop/check-exports.py RUN IMAGE... [--vitrail "node dist/src/cli.js"]

RUN is a run folder. It is exported to a temporary folder, to every format that takes it; `vitrail predict` gives our
logits. The libraries read the same image files with Pillow and preprocess them with their own code, from the exported
configuration. A row of the table is a format; a difference above 1e-5 of the largest logit fails.

Needs: torch torchvision timm transformers safetensors pillow onnxruntime. Pillow up to 12 (docs/images.md).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode

LIMIT = 1e-5
parser = argparse.ArgumentParser()
parser.add_argument("run")
parser.add_argument("images", nargs="+")
parser.add_argument("--vitrail", default="node dist/src/cli.js")
arguments = parser.parse_args()


def vitrail(*words):
    return subprocess.run([*arguments.vitrail.split(), *words], capture_output=True, text=True)


def pictures():
    return [Image.open(path).convert("RGB") for path in arguments.images]


def timm_logits(folder):
    import timm

    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
    return model(torch.stack([transform(image) for image in pictures()]))


def hf_logits(folder):
    """With Pillow's filters: the processors of transformers 5 resize tensors, whose pixels differ by one at times."""
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder)
    config = json.load(open(os.path.join(folder, "preprocessor_config.json")))
    size = config["size"]
    to = size.get("shortest_edge") or (size["height"], size["width"])
    mode = {2: InterpolationMode.BILINEAR, 3: InterpolationMode.BICUBIC}[config["resample"]]
    steps = [transforms.Resize(to, mode)]
    if config.get("do_center_crop"):
        steps.append(transforms.CenterCrop(config["crop_size"]["height"]))
    steps += [transforms.ToTensor(), transforms.Normalize(config["image_mean"], config["image_std"])]
    exact = torch.stack([transforms.Compose(steps)(image) for image in pictures()])
    own = processor(pictures(), return_tensors="pt")["pixel_values"]
    print(f"  hf: its processor's pixels differ by at most {(own - exact).abs().max():.2g}", file=sys.stderr)
    assert sorted(model.config.label2id.values()) == list(range(model.config.num_labels))
    return model(exact).logits


def torchvision_logits(folder):
    """Follows the model card: the code there is run as it is."""
    card = open(os.path.join(folder, "README.md")).read()
    code = card.split("```python\n")[1].split("```")[0].replace("FOLDER", folder)
    scope = {}
    exec(code, scope)
    timm_folder = os.path.join(os.path.dirname(folder), "timm")
    if not os.path.exists(timm_folder):
        return None
    import timm

    config = json.load(open(os.path.join(timm_folder, "config.json")))["pretrained_cfg"]
    fields = {key: config[key] for key in ("input_size", "interpolation", "mean", "std", "crop_pct", "crop_mode")}
    fields["input_size"] = tuple(fields["input_size"])
    transform = timm.data.create_transform(**fields, is_training=False)
    return scope["model"](torch.stack([transform(image) for image in pictures()]))


def onnx_logits(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map
    view = json.loads(told["preprocessing"])
    to = view["resizeTo"] if view["resize"] == "shorter-side" else (view["resizeTo"], view["resizeTo"])
    transform = transforms.Compose(
        [
            transforms.Resize(to, InterpolationMode(view["interpolation"])),
            transforms.CenterCrop(view["centerCrop"]),
            transforms.ToTensor(),
            transforms.Normalize(view["mean"], view["std"]),
        ]
    )
    batch = torch.stack([transform(image) for image in pictures()]).numpy()
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: batch})[0])


READERS = {"timm": timm_logits, "hf": hf_logits, "torchvision": torchvision_logits, "onnx": onnx_logits}

predicted = vitrail("predict", arguments.run, *arguments.images, "--json")
assert predicted.returncode == 0, predicted.stderr
ours = numpy.array([image["logits"] for image in json.loads(predicted.stdout)])
failed = False
with tempfile.TemporaryDirectory() as temporary, torch.no_grad():
    for name, logits_of in READERS.items():
        out = os.path.join(temporary, name if name != "onnx" else "model.onnx")
        made = vitrail("export", arguments.run, "--to", name, "--out", out)
        if made.returncode != 0:
            print(f"| {arguments.run} | {name} | not exported | {made.stderr.strip().splitlines()[0]} |")
            continue
        logits = logits_of(out)
        if logits is None:
            continue
        difference = numpy.abs(logits.double().numpy() - ours).max() / numpy.abs(ours).max()
        failed |= not difference <= LIMIT
        print(f"| {arguments.run} | {name} | {len(ours)} images | {difference:.2g} |")
sys.exit(1 if failed else 0)
