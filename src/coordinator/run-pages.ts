/** What the coordinator serves over HTTP: metrics, health, service discovery, a page for people. */
import type { Routes } from '../shared/http/http-server.js';
import type { Cluster } from './cluster.js';
import type { CoordinatorMetrics } from './coordinator-metrics.js';

/** Prometheus's HTTP service discovery format: target groups with labels. */
export function discovery(cluster: Pick<Cluster, 'members'>, run: string): readonly object[] {
  return cluster.members
    .filter((m) => m.metricsAddress !== '')
    .map((m) => ({ targets: [m.metricsAddress], labels: { run, worker: String(m.worker), host: m.host } }));
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

function overview(cluster: Cluster, run: string): string {
  const rows = cluster.members.map((m) => {
    const cells = [m.worker, m.host, m.pid, m.ready?.backend ?? 'preparing', m.heartbeat?.step ?? 0];
    return `<tr>${cells.map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join('')}</tr>`;
  });
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>vitrail ${escapeHtml(run)}</title>
<style>body{font-family:system-ui;margin:2em}td,th{padding:.2em 1em;text-align:left}</style>
<h1>${escapeHtml(run)}</h1>
<table><tr><th>worker<th>host<th>pid<th>backend<th>step</tr>${rows.join('\n')}</table>
<p><a href="/metrics">metrics</a> <a href="/discovery">discovery</a> <a href="/healthz">health</a></p>
`;
}

export function runRoutes(cluster: Cluster, metrics: CoordinatorMetrics, run: string): Routes {
  return {
    '/': () => ({ contentType: 'text/html; charset=utf-8', body: overview(cluster, run) }),
    '/metrics': async () => metrics.page(),
    '/healthz': () => ({ contentType: 'text/plain', body: 'ok\n' }),
    '/discovery': () => ({ contentType: 'application/json', body: JSON.stringify(discovery(cluster, run)) }),
  };
}
