/** What has been opened and has to be closed again, the newest first. */

type Release = () => Promise<void> | void;

export class Resources {
  readonly #releases: Release[] = [];

  add(release: Release): void {
    this.#releases.push(release);
  }

  /**
   * Does `work`, then closes everything. What `work` fails with is told rather than what closing fails with after it,
   * which often follows from it.
   * @param alsoFailed told what closing failed with where that is not thrown
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

  /** Closes everything; the first error is thrown after all have had their turn. */
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
