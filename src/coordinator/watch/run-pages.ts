/**
 * The pages that the coordinator serves over HTTP: metrics, health, service discovery, an overview for
 * people.
 */
import type { Routes } from '../../host/http-server.js';
import type { Cluster } from '../cluster.js';
import type { CoordinatorMetrics } from './coordinator-metrics.js';
import { phaseOf } from '../members/membership.js';
import type { Speeds } from '../step/step-planning.js';
import type { TrainingProgress } from '../trainer.js';

/** Prometheus's HTTP service discovery format: target groups with labels. */
interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: { readonly run: string; readonly worker: string; readonly host: string };
}

/** Workers are named by place, so that their time series continue when another process takes over. */
export function discovery(cluster: Pick<Cluster, 'members'>, run: string): readonly TargetGroup[] {
  return cluster.members
    .filter((m) => m.metricsAddress !== '')
    .map((m) => ({ targets: [m.metricsAddress], labels: { run, worker: String(m.place), host: m.host } }));
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

/** The state of a run for programs: `vitrail status` shows it. */
export interface RunStatus {
  readonly run: string;
  /**
   * The process that answers, as its journal names it, because another run may use the same address by now.
   */
  readonly coordinator: { readonly host: string; readonly pid: number; readonly time: string };
  /** Committed steps. */
  readonly step: number;
  readonly generation: number | null;
  readonly events: readonly { readonly time: string; readonly text: string }[];
  readonly members: readonly {
    readonly worker: number;
    /** The label `worker` of its metrics. */
    readonly place: number;
    readonly host: string;
    readonly pid: number;
    readonly phase: string;
    readonly step: number;
    readonly hasState: boolean;
    readonly suspected: boolean;
    readonly leaving: boolean;
    /** Micro-batches a second, null before its first step. */
    readonly speed: number | null;
  }[];
}

function status(
  cluster: Cluster,
  run: string,
  { progress, speeds, events, coordinator }: StatusSources,
): RunStatus {
  const { state, lastCommit } = progress;
  const members = cluster.members.map((m) => ({
    worker: m.worker,
    place: m.place,
    host: m.host,
    pid: m.pid,
    phase: m.ready === null ? 'preparing' : phaseOf(m),
    step: m.heartbeat?.step ?? 0,
    hasState: m.state === state.step,
    suspected: m.suspected,
    leaving: m.leaving,
    speed: speeds().get(m.worker) ?? null,
  }));
  const generation = lastCommit?.generation ?? null;
  return { run, coordinator: coordinator(), step: state.step, generation, events: events(), members };
}

export interface StatusSources {
  readonly progress: TrainingProgress;
  readonly speeds: () => Speeds;
  readonly coordinator: () => RunStatus['coordinator'];
  /** The last events, oldest first. */
  readonly events: () => RunStatus['events'];
}

export function runRoutes(
  cluster: Cluster,
  metrics: CoordinatorMetrics,
  run: string,
  sources: StatusSources,
): Routes {
  return {
    '/': () => ({ contentType: 'text/html; charset=utf-8', body: overview(cluster, run) }),
    '/metrics': async () => metrics.page(),
    '/healthz': () => ({ contentType: 'text/plain', body: 'ok\n' }),
    '/status': () => ({
      contentType: 'application/json',
      body: JSON.stringify(status(cluster, run, sources)),
    }),
    '/discovery': () => ({ contentType: 'application/json', body: JSON.stringify(discovery(cluster, run)) }),
  };
}
