/** Who is in the run: pure functions over an immutable list, time passed in. */
import { coded, type VitrailError } from '../shared/errors.js';
import { Phase, PROTOCOL_VERSION, type Body } from '../shared/protocol/codec.js';

export interface Member {
  /** Number in the run, from 0. */
  readonly worker: number;
  /** The control server's name for its connection. */
  readonly peer: string;
  readonly host: string;
  readonly pid: number;
  /** host:port of its /metrics, or empty. */
  readonly metricsAddress: string;
  readonly joinedAtMs: number;
  readonly heardAtMs: number;
  /** Present once the worker can compute. */
  readonly ready: Body<'ready'> | null;
  readonly heartbeat: Body<'heartbeat'> | null;
}

export interface Lost {
  readonly member: Member;
  readonly reason: string;
}

export function admit(
  members: readonly Member[],
  peer: string,
  hello: Body<'hello'>,
  nowMs: number,
): { readonly members: readonly Member[]; readonly member: Member } {
  const taken = new Set(members.map((m) => m.worker));
  let worker = 0;
  while (taken.has(worker)) worker++;
  const { host, pid, metricsAddress } = hello;
  const times = { joinedAtMs: nowMs, heardAtMs: nowMs };
  const member: Member = { worker, peer, host, pid, metricsAddress, ...times, ready: null, heartbeat: null };
  return { members: [...members, member].sort((a, b) => a.worker - b.worker), member };
}

/** `members` with a change to the one behind `peer`, and the time of its word noted. */
export function heard(
  members: readonly Member[],
  peer: string,
  nowMs: number,
  change: Partial<Pick<Member, 'ready' | 'heartbeat'>> = {},
): readonly Member[] {
  return members.map((m) => (m.peer === peer ? { ...m, heardAtMs: nowMs, ...change } : m));
}

export function without(members: readonly Member[], peer: string): readonly Member[] {
  return members.filter((m) => m.peer !== peer);
}

export function memberOf(members: readonly Member[], peer: string): Member | undefined {
  return members.find((m) => m.peer === peer);
}

/** Members silent for longer than `timeoutMs`. */
export function silentMembers(members: readonly Member[], nowMs: number, timeoutMs: number): readonly Lost[] {
  return members
    .filter((m) => nowMs - m.heardAtMs > timeoutMs)
    .map((member) => ({ member, reason: `silent for ${Math.round(nowMs - member.heardAtMs)} ms` }));
}

/** Whether all `expected` workers are in and ready. */
export function isAssembled(members: readonly Member[], expected: number): boolean {
  return members.length === expected && members.every((m) => m.ready !== null);
}

/** Why a worker is not admitted, or null. @param room how many more workers the run takes */
export function admissionError(hello: Body<'hello'>, room: number): VitrailError | null {
  if (hello.protocolVersion !== PROTOCOL_VERSION) {
    return coded('PROTOCOL_VERSION', { worker: hello.protocolVersion, coordinator: PROTOCOL_VERSION });
  }
  return room > 0 ? null : coded('WORKER_REFUSED', { reason: 'the run has all its workers' });
}

function phaseOf(member: Member): string {
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

/** Changes whenever one of `members` gets on with its work. */
export function progressOf(members: readonly Member[]): string {
  return members.map((m) => `${m.worker}:${m.heartbeat?.progress ?? 0}`).join();
}
