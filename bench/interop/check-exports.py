"""Opens what `vitrail export` wrote with the libraries it is for, and compares their logits with vitrail's own.

    python check-exports.py RUN... --images IMAGE... [--keep OUT] [--vitrail "node dist/src/cli.js"]

RUN is a run folder. It is exported to every format that takes it; `vitrail predict` gives our logits, from the run and
from the exported folders. The libraries read the same image files with Pillow and preprocess them with their own code,
from the exported configuration. A row of the table is a run, a column a format: the largest difference of the logits by
the largest logit. One above 1e-5 fails. `--keep` leaves the exported models in OUT/RUN/FORMAT, with our predictions of
the images beside them, for transformers-js.mjs.

Needs what requirements.txt lists.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
import timm
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode
from transformers import AutoImageProcessor, AutoModelForImageClassification

LIMIT = 1e-5
parser = argparse.ArgumentParser()
parser.add_argument('runs', nargs='+', type=pathlib.Path)
parser.add_argument('--images', nargs='+', required=True)
parser.add_argument('--keep', type=pathlib.Path)
parser.add_argument('--vitrail', default='node dist/src/cli.js')
arguments = parser.parse_args()


def vitrail(*words):
    command = [*arguments.vitrail.split(), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=1800)


def predictions(path):
    done = vitrail('predict', path, *arguments.images, '--json')
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def logits_in(predicted):
    return numpy.array([image['logits'] for image in predicted])


def pictures():
    return [Image.open(path).convert('RGB') for path in arguments.images]


def as_view(view):
    """The transforms that an exported view describes (docs/images.md)."""
    to = view['resizeTo'] if view['resize'] == 'shorter-side' else (view['resizeTo'], view['resizeTo'])
    return transforms.Compose(
        [
            transforms.Resize(to, InterpolationMode(view['interpolation'])),
            transforms.CenterCrop(view['centerCrop']),
            transforms.ToTensor(),
            transforms.Normalize(view['mean'], view['std']),
        ]
    )


def timm_logits(folder):
    model = timm.create_model(f'local-dir:{folder}', pretrained=True).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
    return model(torch.stack([transform(image) for image in pictures()]))


def hf_logits(folder):
    """With Pillow's filters: the processors of transformers 5 resize tensors, whose pixels differ by one at times."""
    model = AutoModelForImageClassification.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder)
    config = json.loads((folder / 'preprocessor_config.json').read_text())
    size = config['size']
    to = size.get('shortest_edge') or (size['height'], size['width'])
    mode = {2: InterpolationMode.BILINEAR, 3: InterpolationMode.BICUBIC}[config['resample']]
    steps = [transforms.Resize(to, mode)]
    if config.get('do_center_crop'):
        steps.append(transforms.CenterCrop(config['crop_size']['height']))
    steps += [transforms.ToTensor(), transforms.Normalize(config['image_mean'], config['image_std'])]
    exact = torch.stack([transforms.Compose(steps)(image) for image in pictures()])
    own = processor(pictures(), return_tensors='pt')['pixel_values']
    classes = [model.config.id2label[label] for label in range(model.config.num_labels)]
    agree = model(own).logits.argmax(1) == model(exact).logits.argmax(1)
    print(
        f'  {folder}: pixels of its {type(processor).__name__} differ by at most {(own - exact).abs().max():.2g}; '
        f'{int(agree.sum())} of {len(agree)} labels are the same',
        file=sys.stderr,
    )
    assert sorted(model.config.label2id.values()) == list(range(len(classes)))
    return model(exact).logits


def torchvision_logits(folder):
    """Follows the model card: the code there is run as it is."""
    card = (folder / 'README.md').read_text()
    code = card.split('```python\n')[1].split('```')[0].replace('FOLDER', str(folder))
    scope = {}
    exec(code, scope)
    return scope['model'](torch.stack([scope['transform'](image) for image in pictures()]))


def onnx_logits(path):
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    told = session.get_modelmeta().custom_metadata_map
    transform = as_view(json.loads(told['preprocessing']))
    batch = torch.stack([transform(image) for image in pictures()]).numpy()
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: batch})[0])


READERS = {'hf': hf_logits, 'timm': timm_logits, 'torchvision': torchvision_logits, 'onnx': onnx_logits}


def relative(found, expected):
    return numpy.abs(found - expected).max() / numpy.abs(expected).max()


def cell(run, form, out, predicted):
    """What the table says of a format, and whether it is right."""
    made = vitrail('export', run, '--to', form, '--out', out)
    if made.returncode != 0:
        error = made.stderr.strip().splitlines()[0]
        # A format that cannot say what the model is. Everything else is a failure.
        return ('-', True) if 'EXPORT_IMPOSSIBLE' in made.stderr else (error, False)
    ours = logits_in(predicted)
    theirs = relative(READERS[form](out).double().numpy(), ours)
    again = 0 if form == 'onnx' else relative(logits_in(predictions(out)), ours)
    text = f'{theirs:.1e}' if again <= LIMIT else f'{theirs:.1e}, read again by vitrail {again:.1e}'
    return text, bool(theirs <= LIMIT and again <= LIMIT)


def main(keep):
    failed = False
    print(f'| run | {" | ".join(READERS)} |')
    print(f'| --- |{" --- |" * len(READERS)}')
    for run in arguments.runs:
        predicted = predictions(run)
        folder = keep / run.name
        folder.mkdir(parents=True)
        (folder / 'predicted.json').write_text(json.dumps(predicted))
        cells = []
        for form in READERS:
            text, right = cell(run, form, folder / ('model.onnx' if form == 'onnx' else form), predicted)
            failed |= not right
            cells.append(text)
        print(f'| {run.name} | {" | ".join(cells)} |', flush=True)
    return 1 if failed else 0


with tempfile.TemporaryDirectory() as temporary, torch.no_grad():
    code = main(arguments.keep or pathlib.Path(temporary))
sys.exit(code)
