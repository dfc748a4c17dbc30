import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  heededSignals,
  ignoredSignals,
  meaningOf,
  NO_SIGNALS,
  type GivenSignal,
} from '../../src/cli/signal-meanings.js';

const atStart = (ignored: string, hasTerminal: boolean, usesTerminal: boolean): string[] => [
  ...ignoredSignals({ ignored, hasTerminal, usesTerminal }),
];

/** What each of `signals` means, one after the other, `apartMs` apart. */
function meanings(signals: readonly GivenSignal['signal'][], apartMs: number): string[] {
  let history = NO_SIGNALS;
  return signals.map((signal, i) => {
    const verdict = meaningOf({ signal, atMs: i * apartMs }, history);
    history = verdict.history;
    return verdict.meaning;
  });
}

test('what was ignored when a process was started stays ignored', () => {
  assert.deepEqual(atStart(' SIGHUP SIGINT', true, true), ['SIGINT', 'SIGHUP']);
  assert.deepEqual(atStart('', true, true), []);
});

test('a terminal that no stream leads to may end: nohup leaves a process so', () => {
  assert.deepEqual(atStart('', true, false), ['SIGHUP']);
  assert.deepEqual(atStart('', false, false), []);
});

test('the first signal asks for a stop, another of a person ends it', () => {
  assert.deepEqual(meanings(['SIGINT', 'SIGINT'], 2000), ['stop', 'end']);
  assert.deepEqual(meanings(['SIGTERM', 'SIGINT'], 1), ['stop', 'end']);
  assert.deepEqual(meanings(['SIGINT', 'SIGQUIT'], 1), ['stop', 'end']);
});

test('Ctrl-C that npm passes on as well is one Ctrl-C, and the next one ends', () => {
  assert.deepEqual(meanings(['SIGINT', 'SIGINT'], 10), ['stop', 'nothing']);
  assert.deepEqual(meanings(['SIGINT', 'SIGINT', 'SIGINT'], 400), ['stop', 'nothing', 'end']);
});

test('signals that come again by themselves never end a process that is stopping', () => {
  assert.deepEqual(meanings(['SIGHUP', 'SIGHUP', 'SIGHUP'], 2000), ['stop', 'nothing', 'nothing']);
  assert.deepEqual(meanings(['SIGXCPU', 'SIGXCPU'], 2000), ['stop', 'nothing']);
  // systemd sends the second right after the first where SendSIGHUP is set.
  assert.deepEqual(meanings(['SIGTERM', 'SIGHUP'], 1), ['stop', 'nothing']);
  // Slurm warns, and sends SIGTERM at the limit.
  assert.deepEqual(meanings(['SIGUSR1', 'SIGTERM', 'SIGTERM'], 60_000), ['stop', 'nothing', 'end']);
});

test('a supervised worker leaves the signals of a terminal and of a job to its parent', () => {
  assert.deepEqual(heededSignals(new Set(), true), ['SIGTERM', 'SIGXCPU']);
  assert.deepEqual(heededSignals(new Set(['SIGTERM']), true), ['SIGXCPU']);
  assert.ok(heededSignals(new Set(), false).includes('SIGHUP'));
});
