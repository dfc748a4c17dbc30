/** The options of a run that do what another library's file says of images. Pure. */
import { z } from 'zod';
import { coded, type VitrailError } from '../errors/errors.js';
import type { CropMode, Interpolation } from '../run/model/preprocessing.js';

/** Options of a run, by their names, all given. */
export interface SourcePreprocessing {
  readonly mean: string;
  readonly std: string;
  readonly interpolation: Interpolation;
  readonly cropMode: CropMode;
  readonly cropFraction: number;
  /** In pixels. */
  readonly imageSize: number;
}

/** Refuses a value of a file, by its name. */
export type Refuse = (key: string, value: unknown, expected: string) => VitrailError;

export function refuserOf(path: string): Refuse {
  return (key, value, expected) =>
    coded('PREPROCESSING_UNSUPPORTED', {
      path,
      key,
      value: value === undefined ? 'missing' : JSON.stringify(value),
      expected,
    });
}

/** The file's fields. @throws PREPROCESSING_UNSUPPORTED naming the first that is of another kind */
export function fieldsOf<S extends z.ZodType>(schema: S, config: unknown, refuse: Refuse): z.infer<S> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  let value = config;
  for (const key of path) value = (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key];
  throw refuse(path.join('.') || 'the file', value, message);
}

/** Mean or standard deviation: one number for each of the three channels. */
export const channels = z.array(z.number()).length(3);

/** A side of an image, in pixels. */
export const side = z.int().min(1).max(65536);
