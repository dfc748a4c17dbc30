/** The bytes of a pickle, taken one after the other as the numbers and texts that opcodes are followed by. Pure. */

/** The pickle is not as a pickle is written. */
export class Damaged extends Error {}

export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves on by `length` bytes. @returns where they begin */
  #pass(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new Damaged('its pickle ends too early');
    this.#at += length;
    return at;
  }

  uint8 = (): number => this.#view.getUint8(this.#pass(1));
  uint16 = (): number => this.#view.getUint16(this.#pass(2), true);
  int32 = (): number => this.#view.getInt32(this.#pass(4), true);
  uint32 = (): number => this.#view.getUint32(this.#pass(4), true);
  /** Big-endian, unlike all others. */
  float64 = (): number => this.#view.getFloat64(this.#pass(8), false);

  skip(length: number): void {
    this.#pass(length);
  }

  text(length: number): string {
    const at = this.#pass(length);
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length));
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    const text = this.text(Math.max(end, this.#at) - this.#at);
    this.#pass(1);
    return text;
  }

  /** A little-endian integer in two's complement; not more than a double holds exactly. */
  long(length: number): number {
    const at = this.#pass(length);
    if (length > 8) throw new Damaged(`its pickle has a number of ${length} bytes`);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]!);
    return Number(BigInt.asIntN(8 * length, value));
  }
}
