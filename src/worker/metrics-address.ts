/** The address on which a worker serves /metrics, and the address that Prometheus is given for it. Pure. */

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
 * The address that others are given for a page on `listening`; empty if no other machine can reach it.
 * @param advertise the host that others are given for the worker's other sockets
 */
export function metricsAddress(listening: string, advertise: string): string {
  const port = /:(\d+)$/.exec(listening)?.[1] ?? '';
  const told = `${bracketed(advertise)}:${port}`;
  if (WILDCARD.test(listening)) return told;
  if (LOOPBACK.test(listening)) return LOOPBACK.test(told) ? listening : '';
  return listening;
}
