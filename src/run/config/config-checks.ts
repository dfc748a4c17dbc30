/** Checks the options of a run against each other, as far as that is possible without the data. */
import { coded, type VitrailError } from '../../errors/errors.js';
import { counted } from '../../errors/wording.js';
import { resizedView } from '../model/evaluation-view.js';
import { modelSpec } from '../model/model-spec.js';
import { freezeProblem } from '../model/trained-parameters.js';
import { channelValues } from '../model/preprocessing.js';
import { effectiveFinalLr } from '../schedule/learning-rate.js';
import { parseProlongations } from '../schedule/run-length.js';
import { changingFeatures } from './changing-features.js';
import { kebab } from './kebab-case.js';
import type { RunConfig, RunConfigKey } from './schema.js';

function refuse(config: RunConfig, key: RunConfigKey, problem: string, expected: string): never {
  throw coded('CONFIG_INVALID_VALUE', { key: kebab(key), value: String(config[key]), problem, expected });
}

/**
 * The model's canonical name, so that `ViT-B/16` and `vit-b/16` are the same run. The number of classes does not matter.
 * @throws MODEL_UNKNOWN, MODEL_PATCH_DOES_NOT_DIVIDE, MODEL_FEATURES_CONFLICT
 */
export function canonicalModel(config: RunConfig): string {
  return modelSpec(config.model, { ...config, classes: 2 }).name;
}

/** Refuses more workers than a step has work for. */
export function tooManyWorkers(workers: number, microBatches: number): VitrailError {
  return coded('TOO_MANY_WORKERS', {
    workers: counted(workers, 'worker'),
    microBatches: counted(microBatches, 'micro-batch'),
    most: counted(microBatches, 'worker'),
  });
}

function checkBatch({ batch, microBatch, workers }: RunConfig): void {
  if (batch % microBatch !== 0) {
    let suggestion = Math.min(microBatch, batch);
    while (batch % suggestion !== 0) suggestion--;
    throw coded('BATCH_NOT_DIVISIBLE', { batch, microBatch, suggestion });
  }
  const microBatches = batch / microBatch;
  if (workers > microBatches) throw tooManyWorkers(workers, microBatches);
}

function checkCluster(config: RunConfig): void {
  const { workers, minWorkers, maxWorkers, suspectAfterMs, heartbeatTimeoutMs } = config;
  if (minWorkers !== null && minWorkers > workers) {
    refuse(config, 'minWorkers', `the run is started with ${workers}`, `at most ${workers}`);
  }
  if (maxWorkers !== null && maxWorkers < workers) {
    refuse(config, 'maxWorkers', `the run is started with ${workers}`, `at least ${workers}`);
  }
  if (suspectAfterMs > heartbeatTimeoutMs) {
    const problem = `a silent worker is removed after ${heartbeatTimeoutMs} ms`;
    refuse(config, 'suspectAfterMs', problem, `at most ${heartbeatTimeoutMs}, or raise heartbeat-timeout-ms`);
  }
}

function checkFinalLr(config: RunConfig): void {
  const { schedule: form, lr: base, finalLr } = config;
  const end = effectiveFinalLr({ form, base, finalLr });
  if (end <= base) return;
  const problem = `the ${form} schedule would end at ${end}, above the base learning rate of ${base}`;
  refuse(config, 'finalLr', problem, `a number from 0 to ${base}`);
}

function checkLength(config: RunConfig): void {
  const { prolonged, extendToEpochs, resume } = config;
  if (parseProlongations(prolonged) === null) {
    const expected = 'STEP:EPOCHS,... with rising steps and epochs, or none';
    refuse(config, 'prolonged', 'not a list of prolongations', expected);
  }
  if (extendToEpochs !== null && !resume) {
    refuse(
      config,
      'extendToEpochs',
      'a run that is begun has its length by --epochs',
      'none, or together with --resume RUN',
    );
  }
}

/** The direction in which a metric gets better. */
export function modeOfMetric(metric: RunConfig['earlyStopMetric']): 'min' | 'max' {
  return metric.endsWith('accuracy') ? 'max' : 'min';
}

function checkEarlyStopping(config: RunConfig): void {
  const mode = modeOfMetric(config.earlyStopMetric);
  if (config.earlyStopMode === mode) return;
  refuse(config, 'earlyStopMode', `${config.earlyStopMetric} gets better the other way`, mode);
}

const HOST_AND_PORT = /^(?:[^\s:/[\]]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/;

function isHostAndPort(text: string): boolean {
  const port = HOST_AND_PORT.exec(text)?.[1];
  return port !== undefined && Number(port) <= 65535;
}

function checkFreeze(config: RunConfig): void {
  const { layers } = modelSpec(config.model, { ...config, classes: 2 });
  const problem = freezeProblem(config.freeze, layers);
  if (problem !== null) {
    refuse(
      config,
      'freeze',
      problem,
      `embeddings, backbone, a number of blocks from 1 to ${layers}, or none`,
    );
  }
}

function checkCachedFeatures(config: RunConfig): void {
  if (!config.cacheFeatures) return;
  const other = changingFeatures(config);
  if (other === null) return;
  refuse(config, 'cacheFeatures', other.problem, `false, or give ${other.remedy}`);
}

function checkAddresses(config: RunConfig): void {
  const { listen, httpListen } = config;
  if (!listen.startsWith('tcp://') || !isHostAndPort(listen.slice('tcp://'.length))) {
    refuse(config, 'listen', 'not an address', 'tcp://HOST:PORT, for example tcp://0.0.0.0:5555');
  }
  if (!isHostAndPort(httpListen)) {
    refuse(config, 'httpListen', 'not an address', 'HOST:PORT, for example 0.0.0.0:9090');
  }
}

function checkChannels(config: RunConfig, key: 'mean' | 'std'): void {
  const text = config[key];
  if (text === null) return;
  const expected = 'a number or three separated by commas, such as 0.485,0.456,0.406, or none';
  const values = channelValues(text);
  if (values === null) refuse(config, key, 'neither one number nor three', expected);
  if (key === 'std' && values.some((value) => value <= 0)) {
    refuse(config, key, 'a standard deviation is above 0', expected);
  }
}

function checkPreprocessing(config: RunConfig): void {
  checkChannels(config, 'mean');
  checkChannels(config, 'std');
  const { imageSize, cropFraction } = config;
  if (resizedView(config, imageSize).resizeTo >= 1) return;
  const problem = `images would be resized to nothing for an image size of ${imageSize}`;
  refuse(
    config,
    'cropFraction',
    problem,
    `at most ${imageSize}, for example ${Math.min(1, cropFraction ?? 1)}`,
  );
}

/**
 * Throws the coded error of the first rule that is broken. A warm-up that is longer than the run is not
 * refused here, because the length of the run is known only with the data. See `scheduleWarning`.
 */
export function checkConfig(config: RunConfig): void {
  checkBatch(config);
  checkFinalLr(config);
  checkLength(config);
  checkFreeze(config);
  checkCachedFeatures(config);
  checkEarlyStopping(config);
  checkPreprocessing(config);
  checkAddresses(config);
  checkCluster(config);
}
