/** The kinds of options that the schema is made of, and what is known of each besides its type. */
import { z } from 'zod';

/** How an option is shown and treated; `identity` options change the weights, the others do not. */
export interface OptionMeta {
  readonly group: 'data' | 'model' | 'training' | 'run' | 'cluster';
  readonly help: string;
  readonly unit?: string;
  readonly identity: boolean;
  /** A file or folder: `~` at its start is the home folder. */
  readonly path: boolean;
}

const metas = new WeakMap<z.ZodType, OptionMeta>();

type Group = OptionMeta['group'];

function described<S extends z.ZodType>(schema: S, meta: Omit<OptionMeta, 'unit'>, unit?: string): S {
  metas.set(schema, unit === undefined ? meta : { ...meta, unit });
  return schema;
}

/** An option that is part of what the run computes. */
export function option<S extends z.ZodType>(schema: S, group: Group, help: string, unit?: string): S {
  return described(schema, { group, help, identity: true, path: false }, unit);
}

/** An option that cannot change the weights. */
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

/** What an option was described with. */
export function metaOf(schema: z.ZodType): OptionMeta | undefined {
  return metas.get(schema);
}
