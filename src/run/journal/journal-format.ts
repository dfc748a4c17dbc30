/** The lines of a run's journal. Each has a checksum, so that a torn last line is noticed. Pure. */
import { z } from 'zod';
import type { RunState } from './run-state.js';
import { runStateSchema, storedRunState } from './run-state-schema.js';

export const JOURNAL_VERSION = 1;

const count = z.number().int().min(0);
/** Missing in journals of older versions. */
const backendSchema = z.string().nullable().default(null);

/** Everything that a coordinator needs to know of the run so far. */
const openSchema = z.object({
  type: z.literal('open'),
  version: z.literal(JOURNAL_VERSION),
  runToken: z.string().regex(/^[0-9a-f]{16}$/),
  /** Rises with every start of a coordinator on the run. */
  incarnation: z.number().int().min(1),
  time: z.string(),
  pid: count,
  host: z.string(),
  config: z.record(z.string(), z.unknown()),
  manifestDigest: z.string(),
  /** The address where workers connect, and that of the status page. */
  address: z.string(),
  httpAddress: z.string(),
  /**
   * The host by which others reach it, and an identifier of the network that its 127.0.0.1 belongs to. Older
   * journals have neither.
   */
  advertised: z.string().default(''),
  network: z.string().default(''),
  state: runStateSchema,
  lastCommit: z.object({ generation: count, digest: z.string(), ring: z.array(count).readonly() }).nullable(),
  generation: count,
  nextWorker: count,
  /** The backend that the run computes with; null before its first worker. */
  backend: backendSchema,
});

const commitSchema = z.object({
  type: z.literal('commit'),
  generation: count,
  digest: z.string(),
  ring: z.array(count).readonly(),
  state: runStateSchema,
});

const recordSchema = z.discriminatedUnion('type', [
  openSchema,
  commitSchema,
  z.object({ type: z.literal('epoch'), state: runStateSchema }),
  /** The run rolled back to a checkpoint: nobody held its state any more, or what they held was wrong. */
  z.object({ type: z.literal('back'), state: runStateSchema, backend: backendSchema }),
  /** The backend of the run became known, from its first worker or its checkpoint. */
  z.object({ type: z.literal('backend'), backend: z.string() }),
  z.object({ type: z.literal('checkpoint'), step: count, path: z.string(), weightDigest: z.string() }),
  z.object({
    type: z.literal('event'),
    time: z.string(),
    kind: z.string(),
    worker: count.nullable(),
    text: z.string(),
  }),
  z.object({ type: z.literal('end'), reason: z.string(), clean: z.boolean() }),
]);

export type JournalOpen = z.infer<typeof openSchema>;
export type JournalRecord = z.infer<typeof recordSchema>;
export type JournalEvent = Extract<JournalRecord, { type: 'event' }>;

const CHECKSUM_LENGTH = 8;

/** FNV-1a over UTF-16 code units, 8 hex digits. It is enough to tell a torn line from a whole one. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(CHECKSUM_LENGTH, '0');
}

export function journalLine(record: JournalRecord): string {
  const stored = 'state' in record ? { ...record, state: storedRunState(record.state) } : record;
  const text = JSON.stringify(stored);
  return `${checksum(text)} ${text}\n`;
}

/** What a line without its newline says; null where it is torn or damaged. */
export function parseLine(line: string): JournalRecord | null {
  const text = line.slice(CHECKSUM_LENGTH + 1);
  if (line.slice(0, CHECKSUM_LENGTH) !== checksum(text)) return null;
  try {
    const parsed = recordSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** What a journal says of its run. */
export interface JournalContent {
  readonly open: JournalOpen;
  readonly state: RunState;
  readonly lastCommit: JournalOpen['lastCommit'];
  /** The highest generation that was committed; plans may have had higher ones. */
  readonly generation: number;
  /** The backend that the run computes with; null if nothing was computed. */
  readonly backend: string | null;
  readonly checkpoint: { readonly step: number; readonly path: string; readonly weightDigest: string } | null;
  readonly events: readonly JournalEvent[];
  /** How the run ended; null if it still runs or was interrupted. */
  readonly end: { readonly reason: string; readonly clean: boolean } | null;
}

function after(content: JournalContent, record: JournalRecord): JournalContent {
  switch (record.type) {
    case 'open':
      return { ...content, ...contentOf(record), checkpoint: content.checkpoint, events: content.events };
    case 'commit': {
      const { state, generation, digest, ring } = record;
      return { ...content, state, generation, lastCommit: { generation, digest, ring } };
    }
    case 'epoch':
      return { ...content, state: record.state };
    case 'back':
      return { ...content, state: record.state, lastCommit: null, backend: record.backend };
    case 'backend':
      return { ...content, backend: record.backend };
    case 'checkpoint':
      return { ...content, checkpoint: record };
    case 'event':
      return { ...content, events: [...content.events, record] };
    case 'end':
      return { ...content, end: { reason: record.reason, clean: record.clean } };
  }
}

function contentOf(open: JournalOpen): JournalContent {
  const { state, lastCommit, generation, backend } = open;
  return { open, state, lastCommit, generation, backend, checkpoint: null, events: [], end: null };
}

/** The number of the next worker, higher than all that were ever given. */
export function nextWorkerAfter({ open, events, lastCommit }: JournalContent): number {
  const given = [...events.map(({ worker }) => worker ?? -1), ...(lastCommit?.ring ?? [])];
  return Math.max(open.nextWorker, ...given.map((worker) => worker + 1));
}

export type ParsedJournal =
  { readonly ok: true; readonly content: JournalContent } | { readonly ok: false; readonly problem: string };

/**
 * Reads a journal. A torn last line is what a crash leaves, and is skipped. A damaged line before other lines
 * is an error, because nobody knows what it said.
 */
export function parseJournal(text: string): ParsedJournal {
  const lines = text.split('\n');
  // A line without a newline at its end was never finished.
  const tail = lines.pop() ?? '';
  let content: JournalContent | null = null;
  for (const [i, line] of lines.entries()) {
    const record = parseLine(line);
    if (record === null) {
      if (i === lines.length - 1 && tail === '' && content !== null) break;
      return { ok: false, problem: `line ${i + 1} does not match its checksum or is of another version` };
    }
    if (content === null && record.type !== 'open')
      return { ok: false, problem: 'its first line is not the start of a coordinator' };
    content = content === null ? contentOf(record as JournalOpen) : after(content, record);
  }
  return content === null ? { ok: false, problem: 'it is empty' } : { ok: true, content };
}
