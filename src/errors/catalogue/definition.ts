/** One entry of the error catalogue. */

export interface Definition<M extends string = string, R extends string = string> {
  /** What happened, with the actual values in braces. */
  readonly message: M;
  /** What the reader can do about it. */
  readonly remedy: R;
}

export function define<const M extends string, const R extends string>(
  message: M,
  remedy: R,
): Definition<M, R> {
  return { message, remedy };
}
