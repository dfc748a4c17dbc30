/** Where a worker's /metrics is served, and where Prometheus is told to ask for it. Pure. */

const AUTOMATIC = 'auto';
const NONE = 'none';
const WILDCARD = /^(?:0\.0\.0\.0|\[::\]):/;
const LOOPBACK = /^(?:127\.[\d.]+|localhost|\[::1\]):/;

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * HOST:PORT to listen on for `--metrics-listen`, or null for none.
 * @param own the address that the worker's other sockets are bound to
 */
export function metricsListen(wanted: string, own: string): string | null {
  if (wanted === NONE) return null;
  return wanted === AUTOMATIC ? `${bracketed(own)}:0` : wanted;
}

/**
 * What others are told of a page that is served on `listening`; empty where no other machine could ask for it.
 * @param advertise what others are told of the worker's other sockets
 */
export function metricsAddress(listening: string, advertise: string): string {
  const port = /:(\d+)$/.exec(listening)?.[1] ?? '';
  const told = `${bracketed(advertise)}:${port}`;
  if (WILDCARD.test(listening)) return told;
  if (LOOPBACK.test(listening)) return LOOPBACK.test(told) ? listening : '';
  return listening;
}
