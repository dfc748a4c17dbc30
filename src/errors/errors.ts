/** Coded errors: made from the catalogue, carried between threads and processes. */
import { ERROR_CATALOGUE } from './error-catalogue.js';
import { exhaustionOf } from './exhaustion.js';

type Placeholders<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

type Params<C extends ErrorCode> = Record<
  Placeholders<(typeof ERROR_CATALOGUE)[C]['message']> | Placeholders<(typeof ERROR_CATALOGUE)[C]['remedy']>,
  string | number | boolean
>;

function fill(template: string, params: Readonly<Record<string, string | number | boolean>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in params ? String(params[name]) : whole,
  );
}

/** An error with a code of the catalogue; `message` holds code, values and remedy in one line. */
export class VitrailError extends Error {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly remedy: string;

  constructor(code: ErrorCode, problem: string, remedy: string) {
    super(`${code}: ${problem} (${remedy})`);
    this.name = 'VitrailError';
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }
}

/** Makes the error of `code` with its values filled in; the caller throws it. */
export function coded<C extends ErrorCode>(code: C, params: Params<C>): VitrailError {
  const { message, remedy } = ERROR_CATALOGUE[code];
  return new VitrailError(code, fill(message, params), fill(remedy, params));
}

/** The message of anything that was thrown. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whether a system call failed with one of `codes`, such as ENOENT. */
export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}

/**
 * A coded error for anything that was thrown, if it is one or says what the system has run out of; else null.
 */
export function codedError(thrown: unknown): VitrailError | null {
  if (thrown instanceof VitrailError) return thrown;
  const code = exhaustionOf(thrown);
  return code === null ? null : coded(code, { reason: reasonOf(thrown) });
}

/** The parts of a coded error, for sending it to another thread or process, where its class would be lost. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly remedy: string;
}

/** The parts of anything that was thrown. An error without a code is INTERNAL. */
export function plainError(thrown: unknown): PlainError {
  const { code, problem, remedy } = codedError(thrown) ?? coded('INTERNAL', { reason: reasonOf(thrown) });
  return { code, problem, remedy };
}

/**
 * The error from the parts that `plainError` gave, perhaps in a process of another version with other codes.
 */
export function revivedError(plain: Readonly<Record<keyof PlainError, string>>): VitrailError {
  return new VitrailError(plain.code as ErrorCode, plain.problem, plain.remedy);
}
