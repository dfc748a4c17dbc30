/** The ring's sums by the native kernels, which work in place and on bytes of any alignment. */
import { loadKernels } from '../../kernels/addon.js';
import type { SegmentSum } from './sum.js';

const KINDS = { exact: 0, fp32: 1 } as const;

/** Undefined if the kernels are not built. */
export function nativeSum(): SegmentSum | undefined {
  const { kernels } = loadKernels();
  if (kernels === undefined) return undefined;
  return {
    add: (kind, incoming, mine, out) => kernels.addSegment({ kind: KINDS[kind], incoming, mine, out }),
    copy: (incoming, out) => kernels.addSegment({ kind: KINDS.exact, incoming, out }).result,
    checksum: (bytes) => kernels.checksum({ bytes }),
  };
}
