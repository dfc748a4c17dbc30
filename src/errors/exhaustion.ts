/**
 * Tells from an error what the system has run out of, by its code or else by the words that libraries use.
 * Pure.
 */

export type ExhaustionCode =
  'OPEN_FILES_EXHAUSTED' | 'THREADS_EXHAUSTED' | 'MEMORY_EXHAUSTED' | 'DISK_EXHAUSTED';

const BY_CODE: Readonly<Record<string, ExhaustionCode>> = {
  EMFILE: 'OPEN_FILES_EXHAUSTED',
  ENFILE: 'OPEN_FILES_EXHAUSTED',
  ENOMEM: 'MEMORY_EXHAUSTED',
  ERR_WORKER_OUT_OF_MEMORY: 'MEMORY_EXHAUSTED',
  ERR_MEMORY_ALLOCATION_FAILED: 'MEMORY_EXHAUSTED',
  ENOSPC: 'DISK_EXHAUSTED',
  EDQUOT: 'DISK_EXHAUSTED',
};

/**
 * Words of Node, V8, the C++ library, ZeroMQ, libvips and the C library. Coded errors have errno's names in
 * their reasons.
 */
const BY_WORDS: readonly (readonly [RegExp, ExhaustionCode])[] = [
  [/\b(?:EMFILE|ENFILE)\b|too many open files/i, 'OPEN_FILES_EXHAUSTED'],
  [/\b(?:ENOSPC|EDQUOT)\b|no space left on device|disk quota exceeded/i, 'DISK_EXHAUSTED'],
  [
    /\bENOMEM\b|std::bad_alloc|out of memory|cannot allocate (?:wasm )?memory|could not allocate memory|array buffer allocation failed/i,
    'MEMORY_EXHAUSTED',
  ],
  [
    /^EAGAIN$|\bspawn\b.*\bEAGAIN\b|\b(?:pthread_create|uv_thread_create)\b|resource temporarily unavailable|worker initialization failure/i,
    'THREADS_EXHAUSTED',
  ],
];

/** @returns null if it is another kind of failure, or if a GPU's memory ran out */
export function exhaustionOf(thrown: unknown): ExhaustionCode | null {
  if (!(thrown instanceof Error)) return null;
  const { code, cause, message } = thrown as NodeJS.ErrnoException;
  if (code?.startsWith('DEVICE_') === true) return null;
  const known = code === undefined ? undefined : BY_CODE[code];
  return known ?? exhaustionIn(message) ?? exhaustionOf(cause);
}

export function exhaustionIn(text: string): ExhaustionCode | null {
  return BY_WORDS.find(([words]) => words.test(text))?.[1] ?? null;
}
