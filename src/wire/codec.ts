/** Encodes and decodes control messages. It is the only file that imports protobufjs. */
import { reasonOf } from '../errors/errors.js';
import { vitrail } from './generated/vitrail.js';

/** Must be raised when an older peer would misunderstand a message. */
export const PROTOCOL_VERSION = 5;

export import Phase = vitrail.v1.Phase;
export import StateSource = vitrail.v1.StateSource;

type Wire = vitrail.v1.Envelope.$Properties;

/** Names of the messages an Envelope can carry. */
export type MessageName = NonNullable<Wire['body']>;

/** A generated type with every field present. */
type Plain<T> = T extends Uint8Array | number
  ? T
  : T extends (infer E)[]
    ? readonly Plain<E>[]
    : T extends object
      ? { readonly [K in Exclude<keyof T, '$unknowns'>]-?: Plain<NonNullable<T[K]>> }
      : T;

/** The fields of the message `N`, all present. */
export type Body<N extends MessageName> = Plain<NonNullable<Wire[N]>>;

/** A control message: its name and its fields. */
export type Message<N extends MessageName = MessageName> = {
  [K in N]: { readonly name: K; readonly body: Body<K> };
}[N];

export type MicroBatchAssignment = Body<'stepPlan'>['microBatches'][number];

export type Decoded =
  { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly reason: string };

const Envelope = vitrail.v1.Envelope;

/** The bytes of a message. */
export function encode<N extends MessageName>(name: N, body: Body<N>): Uint8Array {
  return Envelope.encode({ [name]: body }).finish();
}

/** Decodes one frame. Never throws; for bytes that are not an Envelope it returns the reason. */
export function decode(bytes: Uint8Array): Decoded {
  try {
    const plain = Envelope.toObject(Envelope.decode(bytes), {
      defaults: true,
      arrays: true,
      longs: Number,
      oneofs: true,
    }) as Wire;
    const name = plain.body;
    if (name === undefined) return { ok: false, reason: 'no known message inside' };
    const absent = Object.entries(plain[name] ?? {}).find(([, value]) => value === null);
    if (absent !== undefined) return { ok: false, reason: `${name} lacks ${absent[0]}` };
    return { ok: true, message: { name, body: plain[name] } as Message };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  }
}
