/** Errors of weights that other programs wrote, and of where they come from. */
import { define, type Definition } from './definition.js';

export const WEIGHT_ERRORS = {
  WEIGHTS_MALFORMED: define(
    '{path} cannot be read as {format}: {problem}',
    'copy or download it again, or save it again with the program that wrote it',
  ),
  WEIGHTS_UNREADABLE: define('cannot read {path}: {reason}', 'check the path and its permissions'),
  WEIGHTS_FORMAT_UNKNOWN: define(
    '{path} is {what}, which holds no weights that can be read here',
    'give a run or checkpoint of vitrail, a .safetensors file or its index, a PyTorch state dict (.pt, .pth, .bin), an .npz file of vit_jax, or a folder with one of them',
  ),
  WEIGHTS_LEGACY_PICKLE: define(
    '{path} is of the form that PyTorch wrote before 1.6, a bare pickle',
    'save it again with a newer PyTorch: torch.save(torch.load(FILE, map_location="cpu"), NEW_FILE)',
  ),
  WEIGHTS_PICKLE_REFUSED: define(
    '{path} holds more than tensors: its pickle asks for {name}, and nothing in a file is ever called here',
    'if you trust the file, save its weights alone with PyTorch: torch.save(model.state_dict(), NEW_FILE)',
  ),
  WEIGHTS_TYPE_UNKNOWN: define(
    '{path}: tensor {tensor} has elements of type {type}',
    'save the weights as F32, F16 or BF16',
  ),
  WEIGHTS_NOT_FINITE: define(
    '{path}: tensor {tensor} holds {value} at position {position}',
    'use weights from before the training went wrong',
  ),
  WEIGHTS_NAMES_UNKNOWN: define(
    '{path} holds no Vision Transformer of a form that is known here: {problem}',
    'give weights of timm, Hugging Face (ViT, DeiT, Dinov2), torchvision or vit_jax',
  ),
  WEIGHTS_FEATURE_MISSING: define(
    '{path} is a model with {feature}, which vitrail does not compute',
    'choose a model without it, for example vit_base_patch16_224 of timm',
  ),
  WEIGHTS_WITHOUT_HEAD: define(
    '{path} is a model without a classifier',
    'train one on your own classes: vitrail train --preset linear-probe --init-from PATH --data DIR',
  ),
  WEIGHTS_OTHER_MODEL: define(
    '{path} is of another model: {difference}',
    'leave the option out, so that it comes from the file, or choose other weights',
  ),
  WEIGHTS_CHANGED: define(
    '{path} holds other weights than the run is to start from: their digest is {found}, and {expected} was noted',
    'bring back the weights of then, or start a new run with another --out (and without --init-digest)',
  ),
  PREPROCESSING_UNSUPPORTED: define(
    '{path}: {key} is {value}; vitrail does {expected}',
    'give what the model was trained with by --mean, --std, --interpolation, --crop-mode, --crop-fraction and --image-size',
  ),
  EXPORT_IMPOSSIBLE: define(
    'the model {model} cannot be exported to {format}: {reason}',
    'export it to another format: vitrail export --help lists them',
  ),
  EXPORT_EXISTS: define('{path} exists already', 'remove it, or name another place with --out'),
  EXPORT_DIFFERS: define(
    'what was exported to {format} gives other logits: they differ by {difference}, {limit} is the rounding of the format',
    'nothing was written; report this with the run, because it is an error of vitrail',
  ),
  EXPORT_RUNTIME_MISSING: define(
    'no ONNX runtime is installed with which an exported file could be compared: {reason}',
    'npm install onnxruntime-web (or onnxruntime-node)',
  ),
  EXPORT_WRITE_FAILED: define('cannot write {path}: {reason}', 'check free space and permissions'),
  HUB_NAME_INVALID: define(
    '{name} is no name of a model on a hub',
    'write hf:OWNER/NAME or hf:OWNER/NAME@REVISION, for example hf:google/vit-base-patch16-224',
  ),
  HUB_NOT_FOUND: define(
    '{endpoint} has no model {repository} at {revision} for you (status {status})',
    'check the name and the revision; for a private or gated model set HF_TOKEN',
  ),
  HUB_UNREACHABLE: define(
    'cannot fetch {url}: {reason}',
    'check the network and HF_ENDPOINT and start again: what has come is kept; --offline uses the cache alone',
  ),
  HUB_NOT_CACHED: define(
    '{name} is not in the cache {cache}',
    'fetch it once without --offline, or copy a cache that has it and set HF_HUB_CACHE',
  ),
  HUB_DAMAGED: define(
    '{url} has the checksum {found}, and the hub names {expected}',
    'start again; if it happens twice, something between the hub and this machine changes files',
  ),
  HUB_CACHE_FAILED: define(
    'cannot write the cache {path}: {reason}',
    'check free space and permissions, or set HF_HUB_CACHE',
  ),
} as const satisfies Record<string, Definition>;
