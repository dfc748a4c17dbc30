/** README.md of an exported model: how to load it, what it was trained on, and how well it does. Pure. */
import type { EvaluationView } from '../../run/model/evaluation-view.js';
import type { ModelSpec } from '../../run/model/model-spec.js';
import type { WeightsFormat } from './exported-tensors.js';

export interface CardContent {
  readonly format: WeightsFormat;
  readonly spec: ModelSpec;
  readonly view: EvaluationView;
  readonly classes: readonly string[];
  readonly step: number;
  /** Of the checkpoint on the images that chose it; null if it is not the best of its run. */
  readonly best: { readonly accuracy: number; readonly loss: number } | null;
  /** SHA-256 over the weights, as `vitrail digest` prints it. */
  readonly digest: string;
  readonly manifestDigest: string;
  /** Options of the run that differ from their defaults, as YAML would have them. */
  readonly options: readonly (readonly [key: string, value: string])[];
}

/** The lines that make torchvision's transform of a view. */
function torchvisionTransform({
  resize,
  resizeTo,
  centerCrop,
  interpolation,
  mean,
  std,
}: EvaluationView): string {
  const size = resize === 'shorter-side' ? `${resizeTo}` : `(${resizeTo}, ${resizeTo})`;
  return `transform = transforms.Compose([
    transforms.Resize(${size}, transforms.InterpolationMode.${interpolation.toUpperCase()}),
    transforms.CenterCrop(${centerCrop}),
    transforms.ToTensor(),
    transforms.Normalize([${mean.join(', ')}], [${std.join(', ')}]),
])`;
}

function loading({ format, spec, view }: CardContent): string {
  if (format === 'hf') {
    return `from transformers import AutoImageProcessor, AutoModelForImageClassification

processor = AutoImageProcessor.from_pretrained("FOLDER")
model = AutoModelForImageClassification.from_pretrained("FOLDER")`;
  }
  if (format === 'timm') {
    return `import timm

model = timm.create_model("local-dir:FOLDER", pretrained=True).eval()
transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))`;
  }
  const pre = spec.preLogits > 0 ? `, representation_size=${spec.preLogits}` : '';
  return `from safetensors.torch import load_file
from torchvision import transforms
from torchvision.models import VisionTransformer

model = VisionTransformer(
    image_size=${spec.imageSize}, patch_size=${spec.patch}, num_layers=${spec.layers}, num_heads=${spec.heads},
    hidden_dim=${spec.hidden}, mlp_dim=${spec.mlp}, num_classes=${spec.classes}${pre},
).eval()
model.load_state_dict(load_file("FOLDER/model.safetensors"))
${torchvisionTransform(view)}`;
}

function preprocessing({ view }: CardContent): string {
  const how = view.resize === 'shorter-side' ? 'The shorter side is' : 'Both sides are';
  const crop = `the centred ${view.centerCrop} x ${view.centerCrop} pixels are kept`;
  const numbers = `mean ${view.mean.join(', ')} and standard deviation ${view.std.join(', ')}`;
  return `${how} resized to ${view.resizeTo} (${view.interpolation}, antialiased), ${crop}, and values in [0, 1] normalised with ${numbers}.`;
}

const LIBRARY = { hf: 'transformers', timm: 'timm', torchvision: 'torchvision' } as const;

export function modelCard(content: CardContent): string {
  const { format, spec, classes, step, best, digest, manifestDigest, options } = content;
  const figures =
    best === null
      ? 'The checkpoint was not evaluated.'
      : `Top-1 accuracy ${(best.accuracy * 100).toFixed(2)} %, loss ${best.loss.toFixed(4)}, on the images that chose the checkpoint.`;
  return `---
library_name: ${LIBRARY[format]}
pipeline_tag: image-classification
tags: [image-classification, vision, vitrail]
---

# ${spec.name}, ${classes.length} classes

A Vision Transformer with ${spec.layers} layers of width ${spec.hidden} for images of ${spec.imageSize} x ${spec.imageSize} pixels, trained with vitrail.

\`\`\`python
${loading(content)}
\`\`\`

## Images

${preprocessing(content)}

Classes, in the order of the logits:

${classes.map((name, i) => `${i}. ${JSON.stringify(name)}`).join('\n')}

## Training

${step} steps on the images with manifest digest \`${manifestDigest}\`. ${figures}

SHA-256 of the weights (\`vitrail digest\`): \`${digest}\`

| option | value |
| --- | --- |
${options.map(([key, value]) => `| \`${key}\` | \`${value}\` |`).join('\n')}
`;
}
