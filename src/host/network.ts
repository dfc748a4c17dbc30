/** The connections between the processes of a run: ZeroMQ's sockets, or those of a simulation. */
import type { Body, Message, MessageName } from '../wire/codec.js';

/** A range of ports, both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface BoundTo {
  /** The address of this machine to bind to. */
  readonly host: string;
  /** The address that others are told; if missing, the same one. */
  readonly advertise?: string;
  /** Null or missing: any free port. */
  readonly ports?: PortRange | null;
}

export type Transport = 'tcp' | 'ipc';

export interface ControlEvents {
  /** @param peer names the connection, in hex; no two connections have the same name */
  onMessage(peer: string, message: Message): void;
  onGarbage(peer: string, reason: string): void;
  /** A handler threw, or the socket failed. The listener goes on if it can, but the run should not. */
  onFailure(error: unknown): void;
  /** A message could not be delivered: the peer's connection is gone. */
  onUnreachable(peer: string): void;
  /** Some connection was closed; it is not known whose. May be called several times for a connection. */
  onDisconnect(): void;
}

/** The coordinator's end of the control connections. */
export interface ControlListener {
  /** The address where workers connect, with the actual port. */
  readonly address: string;
  /** Queues a message; messages to one peer arrive in order. */
  send<N extends MessageName>(peer: string, name: N, body: Body<N>): void;
  /** Hands queued messages over for at most a second, and closes. */
  close(): Promise<void>;
}

/**
 * A connection that accepts only messages of the protocol. It connects in the background, and again whenever
 * it breaks.
 */
export interface Connection {
  /** Does nothing after the connection was closed. */
  send<N extends MessageName>(name: N, body: Body<N>): void;
  /** Closes, and drops queued messages. */
  close(): void;
  /** Closes, and gives queued messages up to `lingerMs` to leave. */
  finish(lingerMs: number): Promise<void>;
}

/** Sends an answer to the sender of a question. */
export type Reply = <N extends MessageName>(name: N, body: Body<N>) => void;

/** A socket that others connect to and send questions. */
export interface QuestionListener {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** The socket to which the previous rank of a ring sends its messages. */
export interface RingReceiver {
  readonly endpoint: string;
  /** The frames of the next message. One call at a time; rejects when it is closed. */
  receive(): Promise<readonly Uint8Array[]>;
  close(): void;
}

/** The connection to the next rank of a ring. */
export interface RingSender {
  /**
   * Resolves when the message is handed over. The frames may be read even after that. Rejects when it is
   * closed.
   */
  send(frames: readonly Uint8Array[]): Promise<void>;
  /** Closes, and drops messages that have not left. */
  close(): void;
}

/** The sockets of a ring. */
export interface RingSockets {
  /**
   * @param where for tcp
   * @param maxFrameBytes a peer that sends a larger frame loses its connection
   * @throws ADDRESS_INVALID, PORT_IN_USE
   */
  listenRing(transport: Transport, where: BoundTo, maxFrameBytes: number): Promise<RingReceiver>;
  /** @throws ADDRESS_INVALID */
  connectRing(endpoint: string): RingSender;
}

/** The sockets of a worker. */
export interface WorkerNetwork extends RingSockets {
  /**
   * Connects to the coordinator at tcp://HOST:PORT.
   * @param onMessage is not called for anything that is no message of the protocol
   * @throws ADDRESS_INVALID
   */
  connectControl(address: string, onMessage: (message: Message) => void): Connection;
  /** Connects to another worker's `listenQuestions`. @throws ADDRESS_INVALID */
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
