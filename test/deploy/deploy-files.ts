/** The files of deploy/ as checked values. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

export const DEPLOY = 'deploy';

function yaml<T>(path: string, schema: z.ZodType<T>): T {
  return schema.parse(parse(readFileSync(path, 'utf8'), { merge: true }));
}

const rule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), action: z.string() }),
});

const alertFile = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule) })),
});

type AlertRule = z.infer<typeof rule>;

export function alertRules(): AlertRule[] {
  return yaml(`${DEPLOY}/prometheus/alerts.yml`, alertFile).groups.flatMap(({ rules }) => rules);
}

const scrape = z.strictObject({
  job_name: z.string(),
  static_configs: z.array(z.strictObject({ targets: z.array(z.string()) })).optional(),
  http_sd_configs: z.array(z.strictObject({ url: z.string(), refresh_interval: z.string() })).optional(),
});

const prometheusFile = z.strictObject({
  global: z.strictObject({
    scrape_interval: z.string(),
    scrape_timeout: z.string(),
    evaluation_interval: z.string(),
  }),
  rule_files: z.array(z.string()),
  scrape_configs: z.array(scrape),
});

export function prometheusConfig(): z.infer<typeof prometheusFile> {
  return yaml(`${DEPLOY}/prometheus/prometheus.yml`, prometheusFile);
}

const target = z.object({ refId: z.string(), expr: z.string(), datasource: z.object({ uid: z.string() }) });

const panel = z.object({
  id: z.number(),
  type: z.string(),
  title: z.string(),
  description: z.string().optional(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  datasource: z.object({ type: z.string(), uid: z.string() }).optional(),
  fieldConfig: z.object({ defaults: z.object({ unit: z.string() }) }).optional(),
  targets: z.array(target).optional(),
});

const variable = z.object({
  name: z.string(),
  type: z.string(),
  query: z.union([z.string(), z.object({ query: z.string() })]),
});

const dashboardFile = z.object({
  uid: z.string(),
  annotations: z.object({ list: z.array(z.object({ name: z.string(), expr: z.string() })) }),
  templating: z.object({ list: z.array(variable) }),
  panels: z.array(panel),
});

export type Panel = z.infer<typeof panel>;
type Dashboard = z.infer<typeof dashboardFile>;

export function dashboard(): Dashboard {
  return dashboardFile.parse(
    JSON.parse(readFileSync(`${DEPLOY}/grafana/dashboards/vitrail.json`, 'utf8')) as unknown,
  );
}

const service = z.object({
  image: z.string(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  network_mode: z.string().optional(),
  depends_on: z.array(z.string()).optional(),
});

const composeFile = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});

type Compose = z.infer<typeof composeFile>;

export function compose(): Compose {
  return yaml(`${DEPLOY}/docker-compose.yml`, composeFile);
}

const datasourceFile = z.object({
  datasources: z.array(
    z.object({ type: z.string(), url: z.string(), jsonData: z.object({ timeInterval: z.string() }) }),
  ),
});

export function datasources(): z.infer<typeof datasourceFile>['datasources'] {
  return yaml(`${DEPLOY}/grafana/provisioning/datasources/prometheus.yml`, datasourceFile).datasources;
}

const providerFile = z.object({
  providers: z.array(z.object({ type: z.string(), options: z.object({ path: z.string() }) })),
});

export function dashboardProviders(): z.infer<typeof providerFile>['providers'] {
  return yaml(`${DEPLOY}/grafana/provisioning/dashboards/vitrail.yml`, providerFile).providers;
}

/** Every PromQL expression of alerts and dashboard, with where it stands. */
export function expressions(): { readonly where: string; readonly expression: string }[] {
  const { panels, annotations } = dashboard();
  return [
    ...alertRules().map(({ alert, expr }) => ({ where: `alert ${alert}`, expression: expr })),
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: `panel "${title}"`, expression: expr })),
    ),
    ...annotations.list.map(({ name, expr }) => ({ where: `annotation "${name}"`, expression: expr })),
  ];
}
