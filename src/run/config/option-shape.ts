/** Derives from the schema which values an option takes: for messages, for reading text, and for help. */
import { z } from 'zod';
import { optionMeta, runConfigSchema, type RunConfigKey } from './schema.js';

export interface OptionShape {
  readonly type: 'integer' | 'number' | 'boolean' | 'string' | 'choice';
  readonly nullable: boolean;
  /** The values of a `choice`; empty for other kinds. */
  readonly choices: readonly string[];
  /** Undefined if the option has no default and must be given. */
  readonly defaultValue: string | number | boolean | null | undefined;
  /** The values that are allowed, as a phrase: "a whole number from 1 to 64". */
  readonly expected: string;
}

interface JsonSchema {
  /** A list for a text that may be null. */
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly anyOf?: readonly JsonSchema[];
  readonly default?: string | number | boolean | null;
}

function bounds(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (schema.type === 'integer') return `from ${minimum ?? '-infinity'} to ${maximum ?? 'infinity'}`;
  const parts = [
    minimum === undefined ? '' : `of at least ${minimum}`,
    exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`,
    maximum === undefined ? '' : `at most ${maximum}`,
    exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`,
  ];
  return parts.filter((part) => part !== '').join(' and ');
}

function phrase(schema: JsonSchema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  if (schema.type === 'integer') return `a whole number ${bounds(schema)}`;
  if (schema.type === 'number') return `a number ${bounds(schema)}`;
  if (schema.type === 'boolean') return 'true or false';
  return schema.minLength === undefined ? 'a text' : 'a text that is not empty';
}

function typeOf(schema: JsonSchema): OptionShape['type'] {
  if (schema.enum !== undefined) return 'choice';
  const { type } = schema;
  return type === 'integer' || type === 'number' || type === 'boolean' ? type : 'string';
}

function shapeOf(key: RunConfigKey): OptionShape {
  const whole = z.toJSONSchema(runConfigSchema.shape[key], { io: 'input' }) as JsonSchema;
  const value = whole.anyOf?.find(({ type }) => type !== 'null') ?? whole;
  const nullable = whole.anyOf !== undefined || Array.isArray(whole.type);
  const { unit } = optionMeta(key);
  const withUnit = unit === undefined ? phrase(value) : `${phrase(value)} (${unit})`;
  return {
    type: typeOf(value),
    nullable,
    choices: value.enum ?? [],
    defaultValue: whole.default,
    expected: nullable ? `${withUnit}, or none` : withUnit,
  };
}

const shapes = new Map<RunConfigKey, OptionShape>();

/**
 * Shapes are derived when they are first asked for, because a worker needs only a few and all of them take
 * some time.
 */
export function optionShape(key: RunConfigKey): OptionShape {
  const known = shapes.get(key);
  if (known !== undefined) return known;
  const shape = Object.freeze(shapeOf(key));
  shapes.set(key, shape);
  return shape;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * The value that a text means for an option: a number, true or false, or null for "none" if the option allows
 * that. A text without such a meaning stays a text, and validation refuses it.
 */
export function valueOfText(key: RunConfigKey, text: string): string | number | boolean | null {
  const { type, nullable } = optionShape(key);
  if (nullable && text === 'none') return null;
  if ((type === 'integer' || type === 'number') && NUMBER.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
