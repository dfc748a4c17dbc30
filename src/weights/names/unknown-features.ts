/** Names what a file has beyond the parameters of our model. */

/** Parts that do not change the logits: they serve pretraining, or another output. */
const WITHOUT_EFFECT =
  /(?:^|\.)(?:mask_token|pooler\.(?:dense\.)?(?:weight|bias)|position_ids)$|^(?:decoder|optimizer)\b/;

/** Parts of published models that vitrail does not compute, by the names of their tensors. */
const FEATURES: readonly (readonly [RegExp, string])[] = [
  [/(?:mlp\.(?:w12|w3|w1|w2|gate_proj|weights_in|weights_out|fc1_[gx])|mlp\.norm)\b/, 'a SwiGLU MLP'],
  [/\brope\b|rotary|freqs|periods/, 'rotary positions'],
  [/norm_pre|pre_layrnorm|pre_layernorm/, 'a LayerNorm before the blocks'],
  [/q_norm|k_norm/, 'normalised queries and keys'],
  [/relative_position/, 'relative positions'],
  [/attn_pool|\bmap_head|MAPHead/, 'attention pooling'],
  [/patch_embed\.(?:backbone|norm|conv)|^root_block\/|^block\d\//, 'convolutions before the patches'],
  [/attn\.norm\b|inner_attn_ln/, 'a LayerNorm in the attention'],
  [/[qv]_bias$/, 'a bias of queries and values alone'],
];

/** The first tensor that is not used, as a feature; null if there is none that would change the logits. */
export function unknownFeature(names: Iterable<string>, used: ReadonlySet<string>): string | null {
  for (const name of names) {
    if (used.has(name) || WITHOUT_EFFECT.test(name)) continue;
    const known = FEATURES.find(([part]) => part.test(name))?.[1];
    return known === undefined ? `the tensor ${name}` : `${known} (${name})`;
  }
  return null;
}
