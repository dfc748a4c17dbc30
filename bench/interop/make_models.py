"""Makes models of timm, Hugging Face, torchvision and vit_jax with random weights, saved by the libraries' own code,
and the logits that the libraries compute for fixed images at two resolutions.

    python make_models.py OUT            small models: what test/fixtures/interop holds
    python make_models.py OUT --real     published sizes: Ti/16 (torchvision: S/16) for 224 pixels, DINOv2's patches of 14
    python make_models.py OUT --only hf  those whose names begin so

Every folder of OUT holds what a user would download, and expected.json.
"""

import argparse
import json
import pathlib

import numpy as np
import timm
import torch
import torchvision
import transformers
from timm.layers import resample_abs_pos_embed
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer

IMAGES = 2
CLASSES = 7


def images(side):
    """Values in [-1, 1) that agreement.ts makes in the same way: [IMAGES, 3, side, side]."""
    index = np.arange(IMAGES * 3 * side * side, dtype=np.uint64)
    bits = (index * np.uint64(2654435761) + np.uint64(12345)) % np.uint64(2**32)
    return torch.from_numpy((bits.astype(np.float64) / 2**31 - 1).astype(np.float32)).reshape(IMAGES, 3, side, side)


def randomise(model, seed):
    """Every parameter random: no zero heads, and LayerScale far from its first values."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = torch.randn(parameter.shape, generator=generator)
            is_norm = 'norm' in name or '.ln' in name
            if is_norm and name.endswith('weight'):
                value = 1 + 0.2 * value
            elif 'gamma' in name or 'lambda1' in name:
                value = 0.5 + 0.2 * value
            elif parameter.ndim >= 2 and name.endswith('weight'):
                value = value / (parameter[0].numel() ** 0.5)
            else:
                value = 0.3 * value
            parameter.copy_(value)
    return model.eval()


def logits(compute, model, side):
    with torch.no_grad():
        return compute(model.double(), images(side).double()).tolist()


# Sides of the grid of patches in models of published sizes: 224 pixels and more.
REAL_GRIDS = {14: (16, 18), 16: (14, 16)}


def of_published_size(patch, grids, real):
    """Patch and grids of a case; small models have small patches where published ones have 16."""
    if not real:
        return patch, grids
    patch = 14 if patch == 14 else 16
    return patch, REAL_GRIDS[patch]


class Cases:
    def __init__(self, out, real, only):
        self.out = out
        self.real = real
        self.only = only

    def wanted(self, name):
        return name.startswith(self.only)

    def write(self, name, architecture, interpolation, heads, native, other):
        (side, of_native), (other_side, of_other) = native, other
        expected = {
            'architecture': architecture,
            'heads': heads,
            'interpolation': interpolation,
            'native': {'side': side, 'logits': of_native},
            'other': {'side': other_side, 'logits': of_other},
        }
        (self.out / name / 'expected.json').write_text(json.dumps(expected) + '\n')
        print(f'{name}: {architecture}')

    def folder(self, name):
        folder = self.out / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


# --- timm -----------------------------------------------------------------------------------------------------------


def timm_model(make, side, **arguments):
    return make(img_size=side, num_classes=CLASSES, **arguments)


def resized_timm(make, model, side, other, **arguments):
    """The same weights at another resolution, by timm's own interpolation of the position embedding."""
    resized = timm_model(make, other, **arguments)
    state = dict(model.state_dict())
    prefix = 0 if arguments.get('no_embed_class') else model.num_prefix_tokens
    grid = (other // arguments['patch_size'],) * 2
    state['pos_embed'] = resample_abs_pos_embed(state['pos_embed'].float(), grid, num_prefix_tokens=prefix)
    resized.load_state_dict(state)
    return resized.eval()


def save_timm(model, folder, form, arguments):
    state = model.state_dict()
    if form == 'pth':
        torch.save(state, folder / 'model.pth')
    elif form == 'pth-nested':
        torch.save({'model': state, 'epoch': 3}, folder / 'model.pth')
    elif form == 'pth-strided':
        # Kernels that lie transposed in their storage, and two tensors that share one.
        shared = torch.cat([state['norm.weight'], state['norm.bias']])
        width = state['norm.weight'].numel()
        state = {
            name: value.t().contiguous().t() if value.ndim == 2 else value for name, value in state.items()
        }
        state['norm.weight'], state['norm.bias'] = shared[:width], shared[width:]
        torch.save(state, folder / 'model.pth')
    else:
        names = {'img_size', 'no_embed_class', 'reg_tokens', 'qkv_bias', 'patch_size', 'embed_dim', 'depth'}
        config = {
            'architecture': 'vit_small_patch16_224',
            'num_classes': CLASSES,
            'global_pool': arguments.get('global_pool', 'token'),
            'model_args': {k: v for k, v in arguments.items() if k in names | {'num_heads'}},
        }
        (folder / 'config.json').write_text(json.dumps(config))
        from safetensors.torch import save_file

        save_file(state, folder / 'model.safetensors', metadata={'format': 'pt'})


def timm_cases(cases):
    width = dict(embed_dim=192, depth=12, num_heads=3) if cases.real else dict(embed_dim=16, depth=2, num_heads=2)
    mlp = {} if cases.real else dict(mlp_ratio=2.0)

    def case(name, architecture, patch, grids, form='safetensors', make=VisionTransformer, dtype=None, **more):
        if not cases.wanted(name):
            return
        patch, grids = of_published_size(patch, grids, cases.real)
        side, other = (grid * patch for grid in grids)
        arguments = {**width, **mlp, 'patch_size': patch, **more}
        model = randomise(timm_model(make, side, **arguments), seed=len(name))
        if dtype is not None:
            model = model.to(dtype)
        folder = cases.folder(name)
        save_timm(model, folder, form, {**arguments, 'img_size': side})
        model = model.float()
        resized = resized_timm(make, model, side, other, **arguments)
        compute = lambda m, x: m(x)
        cases.write(
            name,
            architecture,
            'bicubic-antialias',
            width['num_heads'],
            (side, logits(compute, model, side)),
            (other, logits(compute, resized, other)),
        )

    case('timm-vit', 'timm ViT', 8, (4, 6))
    case('timm-vit-f16', 'timm ViT, saved as F16', 8, (5, 3), dtype=torch.float16)
    case('timm-vit-bf16', 'timm ViT, saved as BF16', 4, (6, 5), dtype=torch.bfloat16)
    case('timm-augreg', 'timm ViT (augreg) of patch 16, .pth', 16, (3, 4), form='pth')
    case('timm-vit-strided', 'timm ViT, transposed storages', 4, (4, 7), form='pth-strided')
    case('timm-vit-avg', 'timm ViT, average pooling, fc_norm', 8, (4, 6), global_pool='avg')
    case('timm-vit-avg-norm', 'timm ViT, average pooling, norm', 8, (4, 6), global_pool='avg', fc_norm=False)
    case('timm-vit-no-qkv-bias', 'timm ViT without QKV bias', 8, (4, 3), qkv_bias=False)
    case('timm-deit', 'timm DeiT', 8, (4, 6), form='pth-nested')
    case('timm-deit-distilled', 'timm DeiT, distilled', 8, (4, 6), form='pth-nested', make=VisionTransformerDistilled)
    case('timm-deit3', 'timm DeiT III', 8, (4, 6), no_embed_class=True, init_values=1e-6)
    case('timm-dinov2', 'timm DINOv2', 14, (4, 3), init_values=1e-5)
    case(
        'timm-dinov2-reg4',
        'timm DINOv2 with registers',
        14,
        (4, 5),
        init_values=1e-5,
        reg_tokens=4,
        no_embed_class=True,
    )
    npz_case(cases, width, mlp)


# --- vit_jax's .npz -------------------------------------------------------------------------------------------------


def npz_arrays(model, heads):
    """The arrays of a timm model under vit_jax's names: the inverse of timm's _load_weights, which reads them below."""
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    dim = model.embed_dim
    arrays = {
        'cls': state['cls_token'],
        'embedding/kernel': state['patch_embed.proj.weight'].transpose(2, 3, 1, 0),
        'embedding/bias': state['patch_embed.proj.bias'],
        'Transformer/posembed_input/pos_embedding': state['pos_embed'],
        'Transformer/encoder_norm/scale': state['norm.weight'],
        'Transformer/encoder_norm/bias': state['norm.bias'],
        'head/kernel': state['head.weight'].T,
        'head/bias': state['head.bias'],
    }
    for i in range(len(model.blocks)):
        ours, theirs = f'blocks.{i}', f'Transformer/encoderblock_{i}'
        attention = f'{theirs}/MultiHeadDotProductAttention_1'
        for at, name in enumerate(('query', 'key', 'value')):
            kernel = state[f'{ours}.attn.qkv.weight'][at * dim : (at + 1) * dim]
            bias = state[f'{ours}.attn.qkv.bias'][at * dim : (at + 1) * dim]
            arrays[f'{attention}/{name}/kernel'] = kernel.T.reshape(dim, heads, dim // heads)
            arrays[f'{attention}/{name}/bias'] = bias.reshape(heads, dim // heads)
        arrays[f'{attention}/out/kernel'] = state[f'{ours}.attn.proj.weight'].T.reshape(heads, dim // heads, dim)
        arrays[f'{attention}/out/bias'] = state[f'{ours}.attn.proj.bias']
        for at in range(2):
            layer = f'{theirs}/MlpBlock_3/Dense_{at}'
            arrays[f'{layer}/kernel'] = state[f'{ours}.mlp.fc{at + 1}.weight'].T
            arrays[f'{layer}/bias'] = state[f'{ours}.mlp.fc{at + 1}.bias']
        for norm, number in (('norm1', 0), ('norm2', 2)):
            arrays[f'{theirs}/LayerNorm_{number}/scale'] = state[f'{ours}.{norm}.weight']
            arrays[f'{theirs}/LayerNorm_{number}/bias'] = state[f'{ours}.{norm}.bias']
    return arrays


def npz_case(cases, width, mlp):
    patch, grids = of_published_size(8, (4, 6), cases.real)
    side, other = (grid * patch for grid in grids)
    arguments = {**width, **mlp, 'patch_size': patch, 'act_layer': 'gelu_tanh'}
    model = randomise(timm_model(VisionTransformer, side, **arguments), seed=77)
    for name, save in (('jax-npz', np.savez), ('jax-npz-packed', np.savez_compressed)):
        if not cases.wanted(name):
            continue
        path = cases.folder(name) / 'model.npz'
        save(path, **npz_arrays(model, width['num_heads']))

        read = timm_model(VisionTransformer, side, **arguments)
        read.load_pretrained(str(path))
        # vit_jax resizes with scipy.ndimage.zoom of order 1: bilinear with aligned corners.
        state = dict(read.state_dict())
        positions = state['pos_embed']
        grid = positions[:, 1:].reshape(1, grids[0], grids[0], -1).permute(0, 3, 1, 2)
        to = (grids[1], grids[1])
        grid = torch.nn.functional.interpolate(grid, size=to, mode='bilinear', align_corners=True)
        state['pos_embed'] = torch.cat([positions[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)
        resized = timm_model(VisionTransformer, other, **arguments)
        resized.load_state_dict(state)
        compute = lambda m, x: m(x)
        cases.write(
            name,
            'vit_jax .npz (as timm reads it)' if name == 'jax-npz' else 'vit_jax .npz, deflated',
            'bilinear',
            None,
            (side, logits(compute, read.eval(), side)),
            (other, logits(compute, resized.eval(), other)),
        )


# --- Hugging Face ---------------------------------------------------------------------------------------------------


def hugging_face_cases(cases):
    sizes = (
        dict(hidden_size=192, num_hidden_layers=12, num_attention_heads=3)
        if cases.real
        else dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2)
    )
    plain = {**sizes, 'intermediate_size': sizes['hidden_size'] * (4 if cases.real else 2)}
    ratio = {**sizes, 'mlp_ratio': 4 if cases.real else 2}

    def case(name, architecture, model_class, config, grids, form='safetensors', interpolates=True, way='bicubic'):
        if not cases.wanted(name):
            return
        config.patch_size, grids = of_published_size(config.patch_size, grids, cases.real)
        side, other = (grid * config.patch_size for grid in grids)
        config.image_size = side
        config.num_labels = CLASSES
        model = randomise(model_class(config), seed=len(name) + 100)
        folder = cases.folder(name)
        if form == 'bin':
            torch.save(model.state_dict(), folder / 'pytorch_model.bin')
            model.config.architectures = [model_class.__name__]
            model.config.save_pretrained(folder)
        elif form == 'sharded':
            model.save_pretrained(folder, max_shard_size='8MB' if cases.real else '20KB')
        else:
            model.save_pretrained(folder)
        more = dict(interpolate_pos_encoding=True) if interpolates else {}
        cases.write(
            name,
            architecture,
            way,
            None,
            (side, logits(lambda m, x: m(x).logits, model, side)),
            (other, logits(lambda m, x: m(x, **more).logits, model, other)),
        )

    t = transformers
    case('hf-vit', 'Hugging Face ViT', t.ViTForImageClassification, t.ViTConfig(**plain, patch_size=8), (4, 6))
    case(
        'hf-vit-sharded',
        'Hugging Face ViT, sharded, GELU by tanh, no QKV bias',
        t.ViTForImageClassification,
        t.ViTConfig(**plain, patch_size=8, hidden_act='gelu_pytorch_tanh', qkv_bias=False, layer_norm_eps=1e-6),
        (4, 3),
        form='sharded',
    )
    case(
        'hf-deit',
        'Hugging Face DeiT, .bin',
        t.DeiTForImageClassification,
        t.DeiTConfig(**plain, patch_size=8),
        (4, 6),
        form='bin',
    )
    case(
        'hf-deit-teacher',
        'Hugging Face DeiT with teacher',
        t.DeiTForImageClassificationWithTeacher,
        t.DeiTConfig(**plain, patch_size=8),
        (4, 6),
    )
    case(
        'hf-dinov2',
        'Hugging Face Dinov2',
        t.Dinov2ForImageClassification,
        t.Dinov2Config(**ratio, patch_size=14),
        (4, 5),
        interpolates=False,
    )
    case(
        'hf-dinov2-reg4',
        'Hugging Face Dinov2 with registers',
        t.Dinov2WithRegistersForImageClassification,
        t.Dinov2WithRegistersConfig(**ratio, patch_size=14),
        (4, 5),
        interpolates=False,
        way='bicubic-antialias',
    )


# --- torchvision ----------------------------------------------------------------------------------------------------


def torchvision_cases(cases):
    from torchvision.models.vision_transformer import VisionTransformer as TorchvisionViT, interpolate_embeddings

    if not cases.wanted('torchvision-vit'):
        return

    sizes = (
        dict(num_layers=12, num_heads=6, hidden_dim=384, mlp_dim=1536)
        if cases.real
        else dict(num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32)
    )
    patch, grids = of_published_size(8, (4, 6), cases.real)
    side, other = (grid * patch for grid in grids)
    make = lambda side: TorchvisionViT(image_size=side, patch_size=patch, num_classes=CLASSES, **sizes)
    model = randomise(make(side), seed=5)
    folder = cases.folder('torchvision-vit')
    torch.save(model.state_dict(), folder / 'model.pth')
    resized = make(other)
    resized.load_state_dict(interpolate_embeddings(other, patch, model.state_dict()))
    compute = lambda m, x: m(x)
    cases.write(
        'torchvision-vit',
        'torchvision ViT',
        'bicubic-aligned',
        sizes['num_heads'],
        (side, logits(compute, model, side)),
        (other, logits(compute, resized.eval(), other)),
    )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=pathlib.Path)
    parser.add_argument('--real', action='store_true')
    parser.add_argument('--only', default='', help='the beginning of the names of the models to make')
    given = parser.parse_args()
    torch.manual_seed(0)
    print(
        f'torch {torch.__version__}, timm {timm.__version__}, transformers {transformers.__version__}, '
        f'torchvision {torchvision.__version__}, numpy {np.__version__}'
    )
    all_cases = Cases(given.out, given.real, given.only)
    timm_cases(all_cases)
    hugging_face_cases(all_cases)
    torchvision_cases(all_cases)
