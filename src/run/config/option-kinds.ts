/** Declares options for the schema, with the metadata that each has besides its type. */
import { z } from 'zod';

/** How an option is shown and treated. Options with `identity` change the weights, the others do not. */
export interface OptionMeta {
  readonly group: 'data' | 'model' | 'training' | 'run' | 'cluster';
  readonly help: string;
  readonly unit?: string;
  readonly identity: boolean;
  /** Whether the value is a file or folder, so that `~` at its start is the home folder. */
  readonly path: boolean;
}

const metas = new WeakMap<z.ZodType, OptionMeta>();

type Group = OptionMeta['group'];

function described<S extends z.ZodType>(schema: S, meta: Omit<OptionMeta, 'unit'>, unit?: string): S {
  metas.set(schema, unit === undefined ? meta : { ...meta, unit });
  return schema;
}

/** Declares an option that changes the weights, and so is part of a run's identity. */
export function option<S extends z.ZodType>(schema: S, group: Group, help: string, unit?: string): S {
  return described(schema, { group, help, identity: true, path: false }, unit);
}

/** Declares an option that cannot change the weights. */
export function operational<S extends z.ZodType>(schema: S, group: Group, help: string, unit?: string): S {
  return described(schema, { group, help, identity: false, path: false }, unit);
}

/** The same option, as a file or folder. */
export function path<S extends z.ZodType>(described: S): S {
  metas.set(described, { ...metas.get(described)!, path: true });
  return described;
}

export const whole = (min: number, max = 2 ** 31 - 1): z.ZodNumber => z.number().int().min(min).max(max);
export const fraction = z.number().min(0).lt(1);

/** The metadata that an option was declared with. */
export function metaOf(schema: z.ZodType): OptionMeta | undefined {
  return metas.get(schema);
}
