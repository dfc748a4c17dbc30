/** Flags, behind those of a small run, of one that takes seconds on any machine: processes are hit at any moment of it. */
export const LONG_RUN: readonly string[] = ['--model', 'vit-micro/8', '--epochs', '8', '--backend', 'wasm'];
