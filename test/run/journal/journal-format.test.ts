import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  JOURNAL_VERSION,
  journalLine,
  nextWorkerAfter,
  parseJournal,
  type JournalOpen,
  type JournalRecord,
} from '../../../src/run/journal/journal-format.js';
import { initialRunState } from '../../../src/run/journal/run-state.js';

const state = (step: number) => ({ ...initialRunState(2), step, amaxHistory: [0.1, Math.fround(1 / 3)] });
const OPEN: JournalOpen = {
  type: 'open',
  version: JOURNAL_VERSION,
  runToken: '0123456789abcdef',
  incarnation: 1,
  time: '',
  pid: 1,
  host: 'h',
  config: { seed: 3 },
  manifestDigest: 'm',
  address: 'tcp://127.0.0.1:5',
  httpAddress: '127.0.0.1:6',
  advertised: '',
  network: '',
  state: state(0),
  lastCommit: null,
  generation: 4,
  nextWorker: 2,
  backend: 'wasm',
};
const commit = (step: number): JournalRecord => ({
  type: 'commit',
  generation: 4 + step,
  digest: `d${step}`,
  ring: [0, 5],
  state: state(step),
});
const RECORDS: readonly JournalRecord[] = [
  OPEN,
  commit(1),
  { type: 'event', time: '', kind: 'lost', worker: 7, text: 'gone' },
  commit(2),
  { type: 'epoch', state: { ...state(2), ended: 'early' } },
  { type: 'checkpoint', step: 2, path: 'p', weightDigest: 'w' },
];
const text = (records: readonly JournalRecord[]): string => records.map(journalLine).join('');

test('a journal says where the run is, bit for bit', () => {
  const parsed = parseJournal(text(RECORDS));
  assert.ok(parsed.ok);
  const { content } = parsed;
  assert.deepEqual(content.state, { ...state(2), ended: 'early' });
  assert.deepEqual(content.lastCommit, { generation: 6, digest: 'd2', ring: [0, 5] });
  assert.deepEqual([content.generation, content.checkpoint?.step, content.end], [6, 2, null]);
  assert.equal(nextWorkerAfter(content), 8);
});

test('files keep their names: older versions read what this one writes, and the other way round', () => {
  assert.match(journalLine(OPEN), /"state":\{"step":0,"runningMaxima":\[0\.1,/);
  const older =
    'fdfcc631 {"type":"epoch","state":{"step":3,"runningMaxima":[0.5,0],"epochTotals":{"lossSum":1,"correct":1,"samples":2},"earlyStopping":{"best":null,"badEvaluations":0},"best":null,"ended":null,"elapsedSeconds":2}}\n';
  const parsed = parseJournal(journalLine(OPEN) + older);
  assert.deepEqual(parsed.ok && [parsed.content.state.step, parsed.content.state.amaxHistory], [3, [0.5, 0]]);
});

test('an end, a step back and another start are read as such', () => {
  const end: JournalRecord = { type: 'end', reason: 'finished', clean: true };
  const ended = parseJournal(text([...RECORDS, end]));
  assert.deepEqual(ended.ok && ended.content.end, { reason: 'finished', clean: true });
  const back = parseJournal(text([...RECORDS, { type: 'back', state: state(1), backend: null }]));
  assert.deepEqual(back.ok && [back.content.state.step, back.content.lastCommit], [1, null]);
  const again = parseJournal(text([...RECORDS, end, { ...OPEN, incarnation: 2, state: state(2) }]));
  assert.deepEqual(again.ok && [again.content.end, again.content.open.incarnation], [null, 2]);
});

test('wherever the last line is torn, the lines before it count', () => {
  const whole = text(RECORDS.slice(0, 4));
  const before = text(RECORDS.slice(0, 3));
  fc.assert(
    fc.property(fc.integer({ min: before.length, max: whole.length - 1 }), (length) => {
      const parsed = parseJournal(whole.slice(0, length));
      assert.ok(parsed.ok);
      assert.equal(parsed.content.state.step, 1);
    }),
  );
});

test('a last line that was overwritten with something else is passed over', () => {
  const before = text(RECORDS.slice(0, 3));
  const parsed = parseJournal(`${before}${'\0'.repeat(40)}\n`);
  assert.ok(parsed.ok && parsed.content.state.step === 1);
});

test('damage before the last line is refused with its line', () => {
  const lines = text(RECORDS).split('\n');
  lines[1] = lines[1]!.replace('d1', 'dx');
  assert.deepEqual(parseJournal(lines.join('\n')), {
    ok: false,
    problem: 'line 2 does not match its checksum or is of another version',
  });
});

test('a text that is not a journal is refused', () => {
  assert.deepEqual(parseJournal(''), { ok: false, problem: 'it is empty' });
  assert.deepEqual(parseJournal(text([commit(1), commit(2)])), {
    ok: false,
    problem: 'its first line is not the start of a coordinator',
  });
  fc.assert(fc.property(fc.string(), (junk) => !parseJournal(`${junk}\n${junk}\n`).ok));
});
