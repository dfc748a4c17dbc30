/** The first line of a journal, for tests that are about the others. */
import { JOURNAL_VERSION, type JournalOpen } from '../../src/run/journal/journal-format.js';
import type { RunState } from '../../src/run/journal/run-state.js';

export const openWith = (state: RunState): JournalOpen => ({
  type: 'open',
  version: JOURNAL_VERSION,
  runToken: '0123456789abcdef',
  incarnation: 1,
  time: '',
  pid: 1,
  host: 'h',
  config: {},
  manifestDigest: 'm',
  address: '',
  httpAddress: '',
  advertised: '',
  network: '',
  state,
  lastCommit: null,
  generation: 0,
  nextWorker: 0,
  backend: null,
});
