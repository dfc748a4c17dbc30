/** The direction rules of docs/architecture.md, and one door per dependency. */
const door = (name, dependency, allowed) => ({
  name: `one-door-for-${name}`,
  severity: 'error',
  comment: `${name} enters the project in one place`,
  from: { path: '^src', pathNot: allowed },
  to: { path: dependency },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'shared-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/shared' },
      to: { path: '^src', pathNot: '^src/shared' },
    },
    {
      name: 'coordinator-never-imports-worker',
      severity: 'error',
      from: { path: '^src/coordinator' },
      to: { path: '^src/(worker|cli)' },
    },
    {
      name: 'worker-never-imports-coordinator',
      severity: 'error',
      from: { path: '^src/worker' },
      to: { path: '^src/(coordinator|cli)' },
    },
    {
      name: 'parts-of-worker-meet-in-its-step-loop',
      comment:
        'sums and optimizers may use the native kernels, by their typed interface, which knows no tfjs',
      severity: 'error',
      from: { path: '^src/worker/(collective|optimizer)/' },
      to: {
        path: '^src/worker/',
        pathNot: '^src/worker/($1/|engine/(gradient-tensor|native/(addon|kernel-api)))',
      },
    },
    {
      name: 'src-never-imports-tests',
      severity: 'error',
      from: { path: '^src' },
      to: { path: '^(test|bench|scripts)' },
    },
    door('commander', 'node_modules/commander', '^src/cli'),
    door('protobufjs', 'src/shared/protocol/generated|node_modules/protobufjs', '^src/shared/protocol'),
    door(
      'zeromq',
      'node_modules/zeromq',
      '^src/(coordinator/control-server|worker/collective/|worker/link/(dealer-connection|state-server))',
    ),
    door('prom-client', 'node_modules/prom-client', '^src/shared/metrics'),
    door(
      'sharp',
      'node_modules/(sharp|@img)/',
      '^src/(worker/data/(image-decoder|patch-picture|transparency)|demo/drawn-dataset)',
    ),
    door('yaml', 'node_modules/yaml', '^src/shared/config'),
    door('pino', 'node_modules/pino', '^src/shared/log'),
    door('tfjs', 'node_modules/@tensorflow', '^src/worker/(engine|model)'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'src/shared/protocol/generated' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
