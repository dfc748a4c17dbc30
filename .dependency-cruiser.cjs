/** The rooms of docs/architecture.md as rules: which room may import which, and one door per dependency. */

/** What each room below src/ may import besides itself, from the ground up. */
const ROOMS = {
  errors: [],
  numbers: ['errors'],
  wire: ['errors'],
  host: ['errors', 'wire'],
  weights: ['errors', 'host', 'numbers', 'run/model'],
  run: ['errors', 'numbers', 'host', 'weights'],
  kernels: ['errors', 'numbers', 'run'],
  collective: ['errors', 'numbers', 'host', 'run', 'kernels'],
  nn: ['errors', 'numbers', 'run', 'kernels'],
  coordinator: ['errors', 'numbers', 'wire', 'host', 'run'],
  worker: ['errors', 'numbers', 'wire', 'host', 'run', 'kernels', 'collective', 'nn'],
  chaos: ['errors', 'numbers', 'host', 'run'],
  demo: ['errors', 'numbers'],
  simulation: [
    ...['errors', 'numbers', 'wire', 'host', 'run'],
    ...['kernels', 'collective', 'nn', 'coordinator', 'worker'],
  ],
  api: [
    'errors',
    'numbers',
    'host',
    'weights',
    'run',
    'kernels',
    'nn',
    'coordinator',
    'worker',
    'chaos',
    'demo',
  ],
  cli: [
    ...['errors', 'host', 'run', 'kernels', 'nn', 'chaos', 'demo', 'api'],
    ...['worker/data', 'worker/training', 'coordinator/watch'],
  ],
};

/** Layers within a room, the lowest first: a layer imports itself and those below it. */
const LAYERS = {
  nn: ['nn/backend', 'nn/tape', 'nn/ops', 'nn/vit', 'nn/fused', 'nn/engine'],
};

const within = (room) => `^src/${room}/`;

const rooms = Object.entries(ROOMS).map(([room, others]) => ({
  name: `${room}-imports-its-own-rooms`,
  severity: 'error',
  from: { path: within(room) },
  to: { path: '^src/', pathNot: [room, ...others].map(within) },
}));

const layers = Object.values(LAYERS).flatMap((order) =>
  order.slice(0, -1).map((layer, at) => ({
    name: `${layer.replaceAll('/', '-')}-knows-nothing-above-it`,
    severity: 'error',
    from: { path: within(layer) },
    to: { path: order.slice(at + 1).map(within) },
  })),
);

const PURE = require('./pure-rooms.cjs');

/** Rooms that meet disk, clock and network by way of the host that they are given, which may be a simulation's. */
const HOSTED = ['run/checkpoint', 'run/journal', 'run/lease', 'run/folder', 'coordinator'];

const door = (name, dependency, allowed) => ({
  name: `one-door-for-${name}`,
  severity: 'error',
  comment: `${name} enters the project in one place`,
  from: { path: '^src/', pathNot: allowed },
  to: { path: dependency },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'pure-rooms-touch-nothing-outside',
      severity: 'error',
      from: { path: PURE.map(within) },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'hosted-rooms-meet-the-system-by-way-of-the-host',
      severity: 'error',
      from: { path: HOSTED.map(within) },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(path|crypto)$' },
    },
    ...rooms,
    ...layers,
    door('commander', 'node_modules/commander', within('cli')),
    door('protobufjs', 'src/wire/generated|node_modules/protobufjs', [
      within('wire'),
      '^src/weights/export/onnx-messages',
    ]),
    door('onnxruntime', 'node_modules/onnxruntime', '^src/api/export/onnx-runtime'),
    door('zeromq', 'node_modules/zeromq', within('host/zeromq')),
    door('prom-client', 'node_modules/prom-client', within('host/metrics')),
    door('sharp', 'node_modules/(sharp|@img)/', [within('worker/data'), within('demo')]),
    door('yaml', 'node_modules/yaml', within('run/config')),
    door('pino', 'node_modules/pino', '^src/host/logger'),
    door('tfjs', 'node_modules/@tensorflow', within('nn')),
    {
      name: 'tfjs-core-is-loaded-by-require',
      severity: 'error',
      comment: 'src/nn/tfjs.ts says why; types may come from anywhere',
      from: { path: '^(src|test|bench)/', pathNot: '^src/nn/tfjs.ts$' },
      to: { path: 'node_modules/@tensorflow/tfjs-core', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'src/wire/generated' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
