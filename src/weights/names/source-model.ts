/** A model of another library, as the names, shapes and config.json of its weights describe it. */
import type { ModelSpec } from '../../run/model/model-spec.js';
import type { Dialect } from './slot-source.js';

export type Library = 'timm' | 'Hugging Face' | 'torchvision' | 'vit_jax';

export interface SourceModel {
  readonly library: Library;
  /** `imageSize` is that of the position embedding; `classes` is 0 if the file has no head. */
  readonly spec: ModelSpec;
  /** What each parameter of ours is made from. */
  readonly sources: Dialect;
}

/** What shapes do not tell, as a library's config.json or the user gives it. */
export interface SourceHints {
  /** The parsed config.json beside the weights; null without one. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** Heads of the model that the user named; null if none was named. */
  readonly heads: number | null;
}
