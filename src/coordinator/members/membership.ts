/** Who is in the run: pure functions over an immutable list, time passed in. */
import { coded, type VitrailError } from '../../errors/errors.js';
import { Phase, PROTOCOL_VERSION, type Body } from '../../wire/codec.js';
import { placeFor, wishOf } from './place.js';

export interface Member {
  /** Number in the run, from 0; it is never given twice. */
  readonly worker: number;
  /** Number by which metrics know it; unlike `worker` it is given again. */
  readonly place: number;
  /** The control server's name for its connection. */
  readonly peer: string;
  /** The name that its process gives itself: the same on all its connections, and different from every other process's. */
  readonly instance: string;
  readonly host: string;
  readonly pid: number;
  /** host:port of its /metrics, or empty. */
  readonly metricsAddress: string;
  readonly heardAtMs: number;
  /** Whether it has been silent for a while, but not long enough to be removed. */
  readonly suspected: boolean;
  /** Whether it has asked to leave; it works on until it is told to stop. */
  readonly leaving: boolean;
  /** Its ready message; null until it can compute. */
  readonly ready: Body<'ready'> | null;
  /** Committed steps that its state has once it has read what was sent to it; null if it has no state. */
  readonly state: number | null;
  /** Committed steps that it has said it has applied. */
  readonly applied: number;
  /** Micro-batches of the step under way that are in its sum from before a coordinator's restart. */
  readonly holds: readonly number[];
  readonly heartbeat: Body<'heartbeat'> | null;
  /** When its heartbeats last showed anything new. */
  readonly movedAtMs: number;
  /** When its heartbeats last showed another phase. */
  readonly phaseSinceMs: number;
  /** Its last log lines, oldest first. */
  readonly logLines: readonly string[];
}

export interface Lost {
  readonly member: Member;
  readonly reason: string;
}

/** The fields of a member that `heard` can change. */
export type MemberChange = Partial<Pick<Member, 'leaving' | 'holds'>>;

const MOST_LOG_LINES = 8;

/** @param worker a number that no worker of the run has had */
export function admit(
  members: readonly Member[],
  worker: number,
  peer: string,
  hello: Body<'hello'>,
  nowMs: number,
): { readonly members: readonly Member[]; readonly member: Member } {
  const { instance, host, pid, metricsAddress } = hello;
  const times = { heardAtMs: nowMs, movedAtMs: nowMs, phaseSinceMs: nowMs };
  const nothing = { ready: null, state: null, applied: 0, holds: [], heartbeat: null, logLines: [] };
  const flags = { suspected: false, leaving: false };
  const process = {
    place: placeFor(members, wishOf(hello.place)),
    peer,
    instance,
    host,
    pid,
    metricsAddress,
  };
  const member: Member = { worker, ...process, ...times, ...flags, ...nothing };
  return { members: [...members, member], member };
}

function changed(
  members: readonly Member[],
  peer: string,
  change: (member: Member) => Member,
): readonly Member[] {
  return members.map((m) => (m.peer === peer ? change(m) : m));
}

/** `members` after a message from `peer`: its time is noted, and `change` applied. */
export function heard(
  members: readonly Member[],
  peer: string,
  nowMs: number,
  change: MemberChange = {},
): readonly Member[] {
  return changed(members, peer, (m) => ({ ...m, heardAtMs: nowMs, suspected: false, ...change }));
}

/** `members` after a heartbeat of the one behind `peer`. */
export function beaten(
  members: readonly Member[],
  peer: string,
  heartbeat: Body<'heartbeat'>,
  nowMs: number,
): readonly Member[] {
  return changed(heard(members, peer, nowMs), peer, (m) => {
    const before = m.heartbeat;
    const moved = before?.progress !== heartbeat.progress || before.messages !== heartbeat.messages;
    const phaseChanged = before?.phase !== heartbeat.phase || before.step !== heartbeat.step;
    return {
      ...m,
      heartbeat,
      movedAtMs: moved ? nowMs : m.movedAtMs,
      phaseSinceMs: phaseChanged ? nowMs : m.phaseSinceMs,
      logLines: [...m.logLines, ...heartbeat.logLines].slice(-MOST_LOG_LINES),
    };
  });
}

/** `members` after the one behind `peer` has said that it can compute, and what it holds. */
export function madeReady(members: readonly Member[], peer: string, ready: Body<'ready'>): readonly Member[] {
  const state = ready.hasState ? ready.step : null;
  return changed(members, peer, (m) => ({ ...m, ready, state, applied: state ?? 0 }));
}

/** `members` after the one behind `peer` has said that it has applied the commit of `step`. */
export function applied(members: readonly Member[], peer: string, step: number): readonly Member[] {
  return changed(members, peer, (m) => ({ ...m, applied: Math.max(m.applied, step + 1) }));
}

/** `members` after the commit of a step among those of `ring`: they hold the state after it. */
export function committed(
  members: readonly Member[],
  ring: readonly number[],
  step: number,
): readonly Member[] {
  const inRing = new Set(ring);
  return members.map((m) => (inRing.has(m.worker) ? { ...m, state: step + 1, holds: [] } : m));
}

export function without(members: readonly Member[], peer: string): readonly Member[] {
  return members.filter((m) => m.peer !== peer);
}

export function memberOf(members: readonly Member[], peer: string): Member | undefined {
  return members.find((m) => m.peer === peer);
}

/** Members that can take part in a step. */
export function readyMembers(members: readonly Member[]): readonly Member[] {
  return members.filter((m) => m.ready !== null);
}

/** Those of `members` that hold the state after `step` committed steps. */
export function holders(members: readonly Member[], step: number): readonly Member[] {
  return members.filter((m) => m.ready !== null && m.state === step);
}

/** `members` as if `ms` had not passed. For a process that was suspended itself: the messages of others wait to be read. */
export function excused(members: readonly Member[], ms: number): readonly Member[] {
  return members.map((m) => ({
    ...m,
    heardAtMs: m.heardAtMs + ms,
    movedAtMs: m.movedAtMs + ms,
    phaseSinceMs: m.phaseSinceMs + ms,
  }));
}

export interface Silence {
  readonly members: readonly Member[];
  /** Newly suspected. */
  readonly suspected: readonly Member[];
  /** Members that were silent for so long that they have to be removed. */
  readonly lost: readonly Lost[];
}

/** Finds who has been silent for too long. It only names them; they stay in `members`. */
export function findSilent(
  members: readonly Member[],
  nowMs: number,
  suspectAfterMs: number,
  removeAfterMs: number,
): Silence {
  const silentMs = (m: Member): number => nowMs - m.heardAtMs;
  const lost = members
    .filter((m) => silentMs(m) > removeAfterMs)
    .map((member) => ({ member, reason: `silent for ${Math.round(silentMs(member))} ms` }));
  const suspected = members.filter((m) => !m.suspected && silentMs(m) > suspectAfterMs);
  const now = new Set(suspected);
  return { members: members.map((m) => (now.has(m) ? { ...m, suspected: true } : m)), suspected, lost };
}

/** Why a worker is not admitted, or null. @param room how many more workers the run takes */
export function admissionError(hello: Body<'hello'>, room: number): VitrailError | null {
  if (hello.protocolVersion !== PROTOCOL_VERSION) {
    return coded('PROTOCOL_VERSION', { worker: hello.protocolVersion, coordinator: PROTOCOL_VERSION });
  }
  if (hello.instance === '') {
    const peer = `a worker on ${hello.host} (pid ${hello.pid})`;
    return coded('PROTOCOL_GARBAGE', { peer, reason: 'its process has no name' });
  }
  return room > 0 ? null : coded('WORKER_REFUSED', { reason: 'the run takes no more workers' });
}

export function phaseOf(member: Member): string {
  // An enum of proto3 is open: a newer or defective peer may send any number.
  const name = (Phase as Readonly<Record<number, string>>)[member.heartbeat?.phase ?? 0] ?? 'PHASE_UNKNOWN';
  return name.replace('PHASE_', '').toLowerCase().replaceAll('_', ' ');
}

export function lostError({ member, reason }: Lost, step: number): VitrailError {
  return coded('WORKER_LOST', { worker: member.worker, step, phase: phaseOf(member), reason });
}

/** For people: who, and what they do. */
export function describe(members: readonly Member[]): string {
  return members.map((m) => `worker ${m.worker} (${phaseOf(m)})`).join(', ');
}

/** Whether a worker is in the all-reduce of `step`, or through with it. */
export function inRing({ heartbeat }: Member, step: number): boolean {
  const { PHASE_ALL_REDUCE, PHASE_COMMIT_WAIT } = Phase;
  return (
    heartbeat?.step === step &&
    (heartbeat.phase === PHASE_ALL_REDUCE || heartbeat.phase === PHASE_COMMIT_WAIT)
  );
}

/**
 * Whether an all-reduce has stalled: all of `ring` are in it or through with it, and nothing has come in anywhere
 * for `stallMs`. A worker that still computes has a good reason to keep the others waiting.
 * @param sinceMs when the round was planned; time before that does not count
 */
export function ringStalled(
  ring: readonly Member[],
  step: number,
  nowMs: number,
  stallMs: number,
  sinceMs: number,
): boolean {
  const still = (m: Member): boolean => nowMs - Math.max(m.movedAtMs, sinceMs) > stallMs;
  return ring.length > 1 && ring.every((m) => inRing(m, step) && still(m));
}

/**
 * Finds, in an all-reduce that has stalled, the worker that its neighbour does not reach or that has not even begun. Of the
 * messages that a broken link does not deliver, the worker right behind it misses most; those further on miss fewer.
 */
export function leastReached(ring: readonly Member[], generation: number): Member | undefined {
  const messages = ({ heartbeat }: Member): number =>
    heartbeat?.generation === generation ? heartbeat.messages : -1;
  return [...ring].sort(
    (a, b) => messages(a) - messages(b) || a.movedAtMs - b.movedAtMs || a.worker - b.worker,
  )[0];
}
