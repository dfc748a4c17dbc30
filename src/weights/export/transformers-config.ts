/** `config.json` and `preprocessor_config.json` of an exported model for Hugging Face. Pure. */
import type { EvaluationView } from '../../run/model/evaluation-view.js';
import type { ModelSpec } from '../../run/model/model-spec.js';
import { mlpRatio } from './mlp-ratio.js';
import { transformersType } from './transformers-names.js';

const CLASS_OF = {
  vit: 'ViTForImageClassification',
  deit: 'DeiTForImageClassificationWithTeacher',
  dinov2: 'Dinov2ForImageClassification',
  dinov2_with_registers: 'Dinov2WithRegistersForImageClassification',
} as const;

/** @param classes names, in the order of the logits */
export function transformersConfig(spec: ModelSpec, classes: readonly string[]): Record<string, unknown> {
  const type = transformersType(spec);
  // No `layerscale_value`: it only initialises what the file has, and JSON cannot write the float 1.0 that transformers insists on.
  const dinov2 = {
    mlp_ratio: mlpRatio(spec),
    use_swiglu_ffn: false,
    drop_path_rate: 0,
  };
  const own = {
    vit: { intermediate_size: spec.mlp, encoder_stride: spec.patch },
    deit: { intermediate_size: spec.mlp, encoder_stride: spec.patch },
    dinov2,
    dinov2_with_registers: Object.assign({ num_register_tokens: spec.registers }, dinov2),
  }[type];
  const common = {
    architectures: [CLASS_OF[type]],
    model_type: type,
    hidden_size: spec.hidden,
    num_hidden_layers: spec.layers,
    num_attention_heads: spec.heads,
    hidden_act: spec.gelu === 'erf' ? 'gelu' : 'gelu_new',
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    initializer_range: 0.02,
    layer_norm_eps: spec.layerNormEpsilon,
    image_size: spec.imageSize,
    patch_size: spec.patch,
    num_channels: 3,
    qkv_bias: spec.qkvBias,
    problem_type: 'single_label_classification',
    torch_dtype: 'float32',
    id2label: Object.fromEntries(classes.map((name, i) => [String(i), name])),
    label2id: Object.fromEntries(classes.map((name, i) => [name, i])),
  };
  return Object.assign(common, own);
}

/** Squashing to the side itself is ViT's processor; a crop after squashing is DeiT's, after the shorter side Bit's. */
export function transformersPreprocessor(view: EvaluationView): Record<string, unknown> {
  const { resize, resizeTo, centerCrop } = view;
  const square = (side: number) => ({ height: side, width: side });
  const crops = resize === 'shorter-side' || resizeTo !== centerCrop;
  const cropping = resize === 'shorter-side' ? 'BitImageProcessor' : 'DeiTImageProcessor';
  const common = {
    image_processor_type: crops ? cropping : 'ViTImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: resize === 'shorter-side' ? { shortest_edge: resizeTo } : square(resizeTo),
    // Pillow's numbers.
    resample: view.interpolation === 'bilinear' ? 2 : 3,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: view.mean,
    image_std: view.std,
  };
  return crops ? Object.assign(common, { do_center_crop: true, crop_size: square(centerCrop) }) : common;
}
