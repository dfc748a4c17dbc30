/** A small HTTP server for pages that people and Prometheus read. It has fixed GET routes only. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { coded, reasonOf } from '../errors/errors.js';

export interface Page {
  readonly contentType: string;
  readonly body: string;
  /** HTTP status, 200 unless given. */
  readonly status?: number;
}

export type Routes = Readonly<Record<string, () => Page | Promise<Page>>>;

export interface HttpServer {
  /** host:port, with the actual port. */
  readonly address: string;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** Splits host:port; the host may be an IPv6 address in brackets. */
function hostAndPort(listen: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw coded('ADDRESS_INVALID', { address: listen, reason: 'it is not HOST:PORT' });
  }
  return { host: match[1] ?? match[2]!, port };
}

/** @param listen HOST:PORT, port 0 for a free one. @throws PORT_IN_USE, ADDRESS_INVALID */
export async function startHttpServer(listen: string, routes: Routes): Promise<HttpServer> {
  const { host, port } = hostAndPort(listen);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    const path = (request.url ?? '/').split('?')[0]!;
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response, { status: 405, contentType: 'text/plain', body: 'only GET\n' });
    } else if (route === undefined) {
      const known = Object.keys(routes).join(' ');
      answer(response, {
        status: 404,
        contentType: 'text/plain',
        body: `no such page; there are: ${known}\n`,
      });
    } else {
      Promise.resolve()
        .then(route)
        .catch((error: unknown) => ({ status: 500, contentType: 'text/plain', body: `${reasonOf(error)}\n` }))
        .then((page) => answer(response, page))
        .catch(() => response.destroy());
    }
  });
  await listening(server, host, port, listen);
  const actual = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return { address: `${shown}:${actual.port}`, close: async () => closed(server) };
}

function answer(response: ServerResponse, { status = 200, contentType, body }: Page): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(body);
}

async function listening(server: Server, host: string, port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'PORT_IN_USE' : 'ADDRESS_INVALID';
      reject(coded(code, { address, reason: error.message }));
    });
    server.listen(port, host, resolve);
  });
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
