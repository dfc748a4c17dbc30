/** Keeps what was opened, and closes it in reverse order. */

type Release = () => Promise<void> | void;

export class Resources {
  readonly #releases: Release[] = [];

  add(release: Release): void {
    this.#releases.push(release);
  }

  /**
   * Does `work`, then closes everything. If `work` fails and closing fails as well, the error of `work` is thrown, because
   * the other often follows from it.
   * @param alsoFailed called with an error of closing that is not thrown
   */
  async during<T>(work: () => Promise<T>, alsoFailed: (error: unknown) => void): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      await this.release().catch(alsoFailed);
      throw error;
    }
    await this.release();
    return result;
  }

  /** Closes everything. If some of it fails, the first error is thrown at the end. */
  async release(): Promise<void> {
    const errors: unknown[] = [];
    for (const release of this.#releases.splice(0).reverse()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
