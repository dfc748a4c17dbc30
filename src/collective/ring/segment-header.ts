/** The first frame of every message in the ring: which segment of which all-reduce the second frame holds. */
import { MAX_SEGMENT_ELEMENTS, type Phase } from './ring-plan.js';

/** How elements are added: 32-bit integers (exact, the default) or fp32 (for comparison). */
export type SumKind = 'exact' | 'fp32';

/** An all-reduce: `round` counts those of one step (repeats, buckets). */
export interface Position {
  readonly generation: number;
  readonly step: number;
  readonly round: number;
}

export interface SegmentHeader extends Position {
  /** Identifies the run. Messages of unknown programs and of other runs do not have it. */
  readonly runToken: bigint;
  readonly phase: Phase;
  readonly kind: SumKind;
  readonly hop: number;
  readonly chunk: number;
  readonly segment: number;
  readonly elements: number;
  /** Sum of the payload's 32-bit words, modulo 2^32. */
  readonly checksum: number;
}

/** Below 128 bytes, so that zeromq.js copies the frame when it is sent. */
export const HEADER_BYTES = 48;
const MAGIC = 0x474e5256; // 'VRNG' in little endian
const VERSION = 1;
const PHASES: readonly Phase[] = ['reduce', 'gather'];
const KINDS: readonly SumKind[] = ['exact', 'fp32'];

/** 48 bytes, little endian, every field aligned to its size. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, VERSION, true);
  view.setUint8(6, PHASES.indexOf(header.phase));
  view.setUint8(7, KINDS.indexOf(header.kind));
  view.setBigUint64(8, header.runToken, true);
  view.setUint32(16, header.generation, true);
  view.setUint32(20, header.step, true);
  view.setUint32(24, header.round, true);
  view.setUint32(28, header.hop, true);
  view.setUint32(32, header.chunk, true);
  view.setUint32(36, header.segment, true);
  view.setUint32(40, header.elements, true);
  view.setUint32(44, header.checksum, true);
  return bytes;
}

export type Parsed = { readonly header: SegmentHeader } | { readonly reason: string };

/**
 * The header, if it fits its payload; otherwise the reason why `frames` is no message of the ring. Never
 * throws.
 */
export function parseSegmentMessage(frames: readonly Uint8Array[]): Parsed {
  const [frame, payload] = frames;
  if (frames.length !== 2 || frame === undefined || payload === undefined) {
    return { reason: `${frames.length} frames instead of 2` };
  }
  if (frame.byteLength !== HEADER_BYTES) return { reason: `a header of ${frame.byteLength} bytes` };
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return { reason: 'no magic number' };
  const version = view.getUint16(4, true);
  if (version !== VERSION) return { reason: `version ${version}` };
  const phase = PHASES[view.getUint8(6)];
  const kind = KINDS[view.getUint8(7)];
  if (phase === undefined || kind === undefined) return { reason: 'an unknown phase or kind' };
  const elements = view.getUint32(40, true);
  if (elements === 0 || elements > MAX_SEGMENT_ELEMENTS) return { reason: `${elements} elements` };
  if (payload.byteLength !== 4 * elements) {
    return { reason: `${payload.byteLength} bytes for ${elements} elements` };
  }
  return {
    header: {
      runToken: view.getBigUint64(8, true),
      generation: view.getUint32(16, true),
      step: view.getUint32(20, true),
      round: view.getUint32(24, true),
      phase,
      kind,
      hop: view.getUint32(28, true),
      chunk: view.getUint32(32, true),
      segment: view.getUint32(36, true),
      elements,
      checksum: view.getUint32(44, true),
    },
  };
}

/** Negative if `a` is before `b`, 0 if they are the same all-reduce, positive if `a` is after `b`. */
export function comparePositions(a: Position, b: Position): number {
  return a.generation - b.generation || a.step - b.step || a.round - b.round;
}
