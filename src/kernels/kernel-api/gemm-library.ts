/** Chooses who computes a GPU's gemms and by which algorithms. Only GPUs have this. */

export interface GemmSettings {
  /** `library`: cuBLASLt; `own`: kernels of our own, slower, for comparison. */
  readonly gemm?: 'own' | 'library';
  /** For a gemm without a choice, times all algorithms that the library proposes, and keeps the fastest. */
  readonly tune?: boolean;
  /** fp32 products may round their operands to the 10 bits of TF32. */
  readonly tf32?: boolean;
}

/** How one kind of gemm is computed. It is valid for one version of the library and one kind of GPU. */
export interface GemmChoice {
  /** Sizes, storage and everything else that the choice depends on. */
  readonly key: string;
  /**
   * `own`, or two parts: what is fused, and the library's algorithm in hexadecimal. `5:first` means its first
   * proposal.
   */
  readonly algorithm: string;
  /** Time of the whole gemm; 0 if the first proposal was taken without timing. */
  readonly microseconds: number;
}

export interface GemmLibrary {
  readonly name: 'own' | 'cublaslt';
  /** For example 13.1.0; empty for our own kernels. */
  readonly version: string;
  /** The library's file; empty for our own kernels. */
  readonly path: string;
  /**
   * Digest of the library's version, the kind of GPU and all choices that were timed or set. Part of a run's
   * identity.
   */
  readonly digest: string;
}

export interface GemmLibraryKernels {
  /** @throws if the library is wanted but missing, naming where it was looked for. The first gemm would throw the same */
  gemmLibrary(): GemmLibrary;
  /** The library that would compute gemms. Needs no GPU. @throws as `gemmLibrary` */
  findGemmLibrary(): Pick<GemmLibrary, 'path' | 'version'>;
  /** Files that are tried for the library, in order. */
  gemmLibraryCandidates(): string[];
  /** In the order of their keys. */
  gemmChoices(): GemmChoice[];
  /**
   * Replaces all choices. A choice that does not fit the library or the GPU is an error when its gemm is
   * computed.
   */
  setGemmChoices(by: { readonly choices: readonly GemmChoice[] }): void;
  configure(by: GemmSettings): Required<GemmSettings>;
}
