/** What processes of a run say to each other, and by which sockets: ZeroMQ's, or those of a simulation. */
import type { Body, Message, MessageName } from '../wire/codec.js';

/** Both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface BoundTo {
  /** The address of this machine to bind to. */
  readonly host: string;
  /** What others are told in its place; missing: the same. */
  readonly advertise?: string;
  /** Null or missing: any free port. */
  readonly ports?: PortRange | null;
}

export type Transport = 'tcp' | 'ipc';

export interface ControlEvents {
  /** @param peer names a connection, in hex: no two connections have the same name */
  onMessage(peer: string, message: Message): void;
  onGarbage(peer: string, reason: string): void;
  /** A handler threw, or the socket failed: the listener goes on where it can, the run should not. */
  onFailure(error: unknown): void;
  /** A message could not be delivered: the peer's connection is gone. */
  onUnreachable(peer: string): void;
  /** Some connection was closed; whose is not said. It may come several times for each. */
  onDisconnect(): void;
}

/** The coordinator's end of the control connections. */
export interface ControlListener {
  /** Where workers connect, with the actual port. */
  readonly address: string;
  /** Queues a message; messages to one peer arrive in order. */
  send<N extends MessageName>(peer: string, name: N, body: Body<N>): void;
  /** Hands over what is queued, for at most a second, and closes. */
  close(): Promise<void>;
}

/** A connection that speaks the protocol and nothing else. It connects in the background, again and again. */
export interface Connection {
  /** After it is closed nothing is sent any more. */
  send<N extends MessageName>(name: N, body: Body<N>): void;
  /** Drops what is queued. */
  close(): void;
  /** Lets what is queued leave, for at most `lingerMs`, and closes. */
  finish(lingerMs: number): Promise<void>;
}

/** Answers the sender of a question. */
export type Reply = <N extends MessageName>(name: N, body: Body<N>) => void;

/** What others connect to, to ask questions. */
export interface QuestionListener {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Where the previous rank of a ring sends its messages. */
export interface RingReceiver {
  readonly endpoint: string;
  /** The frames of the next message. One call at a time; rejects when it is closed. */
  receive(): Promise<readonly Uint8Array[]>;
  close(): void;
}

/** The way to the next rank of a ring. */
export interface RingSender {
  /** Resolves when the message is handed over; the frames may be read for longer. Rejects when it is closed. */
  send(frames: readonly Uint8Array[]): Promise<void>;
  /** Drops what has not left. */
  close(): void;
}

/** The sockets of a ring. */
export interface RingSockets {
  /**
   * @param where for tcp
   * @param maxFrameBytes larger frames close the connection of who sends them
   * @throws ADDRESS_INVALID, PORT_IN_USE
   */
  listenRing(transport: Transport, where: BoundTo, maxFrameBytes: number): Promise<RingReceiver>;
  /** @throws ADDRESS_INVALID */
  connectRing(endpoint: string): RingSender;
}

/** The sockets of a worker. */
export interface WorkerNetwork extends RingSockets {
  /**
   * To the coordinator at tcp://HOST:PORT.
   * @param onMessage what is no message of the protocol is left out
   * @throws ADDRESS_INVALID
   */
  connectControl(address: string, onMessage: (message: Message) => void): Connection;
  /** To another worker's `listenQuestions`. @throws ADDRESS_INVALID */
  connectQuestions(endpoint: string, onMessage: (message: Message) => void): Connection;
  /** @throws ADDRESS_INVALID, PORT_IN_USE */
  listenQuestions(
    where: BoundTo,
    onQuestion: (message: Message, reply: Reply) => void,
  ): Promise<QuestionListener>;
}

/** The sockets of a coordinator. */
export interface CoordinatorNetwork {
  /** Listens on `address` (tcp://HOST:PORT, port 0 for a free one). @throws PORT_IN_USE, ADDRESS_INVALID */
  listenControl(address: string, events: ControlEvents): Promise<ControlListener>;
}
