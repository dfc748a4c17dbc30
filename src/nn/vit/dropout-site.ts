/**
 * Numbers of the sites of dropout in the network. They are part of a run's identity: never renumber, only
 * append.
 */

const SITES_PER_BLOCK = 3;

export const DROPOUT_SITE = {
  embedding: 0,
  attentionOutput: (layer: number) => 1 + SITES_PER_BLOCK * layer,
  mlpHidden: (layer: number) => 2 + SITES_PER_BLOCK * layer,
  mlpOutput: (layer: number) => 3 + SITES_PER_BLOCK * layer,
} as const;
