/** Who computes a GPU's matrix products, and by which algorithms. Processors have none of this. */

export interface GemmSettings {
  /** `library`: cuBLASLt; `own`: kernels of our own, slower, for comparison. */
  readonly gemm?: 'own' | 'library';
  /** Times all that the library proposes for a product that nothing is chosen for yet, and keeps the fastest. */
  readonly tune?: boolean;
  /** fp32 products may round their operands to the 10 bits of TF32. */
  readonly tf32?: boolean;
}

/** How one kind of product is computed. Fits one version of the library and one kind of GPU. */
export interface GemmChoice {
  /** Sizes, storage and all else that the choice follows from. */
  readonly key: string;
  /** `own`, or what is fused and the library's algorithm, in hexadecimal; `5:first` leaves the algorithm to it. */
  readonly algorithm: string;
  /** Of the whole product when it was timed; 0 where the first proposal was taken. */
  readonly microseconds: number;
}

export interface GemmLibrary {
  readonly name: 'own' | 'cublaslt';
  /** As 13.1.0; empty for our own kernels. */
  readonly version: string;
  /** The library's file; empty for our own kernels. */
  readonly path: string;
  /** Of the library's version, the kind of GPU and all choices that were timed or set: part of a run's identity. */
  readonly digest: string;
}

export interface GemmLibraryKernels {
  /** @throws where the library is wanted and not there, naming where it was looked for; the first product does too */
  gemmLibrary(): GemmLibrary;
  /** The library that products would be computed by, found without a GPU. @throws as `gemmLibrary` */
  findGemmLibrary(): Pick<GemmLibrary, 'path' | 'version'>;
  /** Files that are tried for the library, in order. */
  gemmLibraryCandidates(): string[];
  /** In the order of their keys. */
  gemmChoices(): GemmChoice[];
  /** Replaces all choices. One that does not fit the library or the GPU is an error when its product is computed. */
  setGemmChoices(by: { readonly choices: readonly GemmChoice[] }): void;
  configure(by: GemmSettings): Required<GemmSettings>;
}
