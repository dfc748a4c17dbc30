/** A TCP relay between a worker and its coordinator that can be cut and comes back. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class CuttableLink {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<Socket>();
  #cutUntilMs = 0;

  private constructor(server: Server, target: { readonly host: string; readonly port: number }) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (near) => this.#relay(near));
  }

  /** Listens on `port` of this machine, 0 for a free one. @throws what the system says of the port */
  static async open(
    target: { readonly host: string; readonly port: number },
    port = 0,
  ): Promise<CuttableLink> {
    const server = createServer().listen(port, '127.0.0.1');
    // Rejects with 'error'.
    await once(server, 'listening');
    return new CuttableLink(server, target);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks all connections and accepts none for `ms`. */
  cut(ms: number): void {
    this.#cutUntilMs = performance.now() + ms;
    for (const socket of this.#pairs) socket.destroy();
  }

  close(): void {
    for (const socket of this.#pairs) socket.destroy();
    this.#server.close();
  }

  #relay(near: Socket): void {
    if (performance.now() < this.#cutUntilMs) {
      near.destroy();
      return;
    }
    const far = connect(this.#target);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#pairs.add(from);
      from.setNoDelay(true);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#pairs.delete(from);
        to.destroy();
      });
    }
  }
}
