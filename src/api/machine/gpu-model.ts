/** The options of a run that decide what its model needs of a GPU. */

export interface GpuModel {
  /** As for `train`, and so are the others. */
  readonly model: string;
  /** In pixels, 224 if missing. */
  readonly imageSize?: number | undefined;
  /** Classes of the data set, 1000 if missing. */
  readonly classes?: number | undefined;
  /** bf16 if missing. */
  readonly precision?: 'fp32' | 'bf16' | undefined;
  /** tanh if missing. */
  readonly gelu?: 'tanh' | 'erf' | undefined;
  /** `cuda:0` if missing. */
  readonly device?: string | undefined;
}
