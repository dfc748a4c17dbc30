/**
 * A disk in memory and in virtual time. What a power loss, a dead process or a fault leaves on it follows
 * from the seed.
 */
import type { Clock, Timer } from '../host/clock.js';
import type { Disk } from '../host/disk.js';
import type { DiskOperation, Operation } from './disk-operation.js';
import { FileContent, type RandomSource } from './file-content.js';
import { FolderTree, systemError } from './folder-tree.js';
import { SimulatedView } from './simulated-view.js';

interface UnderWay {
  readonly operation: Operation<unknown>;
  readonly timer: Timer;
}

/** A process that uses the disk. */
class User {
  state: 'runs' | 'suspended' | 'dead' = 'runs';
  /**
   * Called before each operation of the process, and before it gets the result. The process may die in it.
   */
  operates: () => void = () => undefined;
  readonly underWay = new Set<UnderWay>();
  /** Actions of a suspended process, for when it goes on. */
  held: (() => void)[] = [];
}

const SHORTEST_MS = 0.1;
const LONGEST_MS = 0.6;

export class SimulatedDisk {
  readonly #random: RandomSource;
  readonly #clock: Clock;
  readonly #tree = new FolderTree();
  readonly #users = new Map<unknown, User>();
  readonly #failures: { readonly kind: DiskOperation; readonly code: string }[] = [];
  readonly #busyUntil = new WeakMap<FileContent, number>();
  #room = Infinity;
  #slowMs = 0;

  constructor(random: RandomSource, clock: Clock) {
    this.#random = random;
    this.#clock = clock;
  }

  /**
   * The disk as `process` sees it.
   * @param operates called before each operation, and before the process hears of its end
   */
  for(process: unknown, operates?: () => void): Disk {
    const user = this.#user(process);
    if (operates !== undefined) user.operates = operates;
    return new SimulatedView(this.#tree, this, async (operation) => this.#run(user, operation));
  }

  /** The process ends. Its operations under way may have been done or not, and it gets no answers. */
  freeze(process: unknown): void {
    const user = this.#user(process);
    user.state = 'dead';
    user.held = [];
    for (const { operation, timer } of user.underWay) {
      timer.cancel();
      const done = this.#random.below(3);
      const { part } = operation;
      if (done === 1 && part !== undefined) {
        this.#attempt(Object.assign({}, operation, { act: () => part(this.#random) }));
      } else if (done === 2) this.#attempt(operation);
    }
    user.underWay.clear();
  }

  /** The process stands still. Its operations under way are done, and it gets the answers when it goes on. */
  suspend(process: unknown): void {
    const user = this.#user(process);
    if (user.state === 'runs') user.state = 'suspended';
  }

  resume(process: unknown): void {
    const user = this.#user(process);
    if (user.state !== 'suspended') return;
    user.state = 'runs';
    for (const goOn of user.held.splice(0)) goOn();
  }

  /**
   * The power fails. All processes end, and everything that no sync has forced to the disk survives in part
   * or not at all.
   */
  crash(): void {
    for (const process of this.#users.keys()) this.freeze(process);
    this.#users.clear();
    this.#tree.losePower(this.#random);
  }

  /** The least that the file at `path` holds after a power loss; null if it may be gone. */
  durableText(path: string): string | null {
    return this.#tree.durableFile(path)?.durableView().toString('utf8') ?? null;
  }

  /** The content that a program reads at `path` now; null if there is no such file. */
  text(path: string): string | null {
    const entry = this.has(path) ? this.#tree.place('open', path).entry : null;
    return entry instanceof FileContent ? entry.view().toString('utf8') : null;
  }

  /** Whether something is at `path` now. */
  has(path: string): boolean {
    try {
      return this.#tree.place('stat', path).entry !== null;
    } catch {
      return false;
    }
  }

  /** From now on only so many bytes can be written, until the next call. Removing files makes room. */
  set room(bytes: number) {
    this.#room = bytes;
  }

  get room(): number {
    return this.#room;
  }

  /** Every operation that begins from now on takes this much longer. */
  set slowMs(ms: number) {
    this.#slowMs = ms;
  }

  /** The next operation of that kind fails. A failed sync of a file loses what it should have synced. */
  failNext(kind: DiskOperation, code: string): void {
    this.#failures.push({ kind, code });
  }

  /** Withdraws failures that have not happened yet. */
  failNothing(): void {
    this.#failures.length = 0;
  }

  #user(process: unknown): User {
    const user = this.#users.get(process) ?? new User();
    this.#users.set(process, user);
    return user;
  }

  async #run<T>(user: User, operation: Operation<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const begin = (): void => {
        const nowMs = this.#clock.now();
        const { file } = operation;
        const steps = Math.round((LONGEST_MS - SHORTEST_MS) * 1000);
        const latencyMs = SHORTEST_MS + this.#random.below(steps) / 1000 + this.#slowMs;
        const doneMs = Math.max(nowMs, (file && this.#busyUntil.get(file)) ?? 0) + latencyMs;
        if (file !== undefined) this.#busyUntil.set(file, doneMs);
        const timer = this.#clock.after(doneMs - nowMs, () => {
          user.operates();
          if (!user.underWay.delete(underWay)) return;
          const outcome = this.#attempt(operation);
          const tell = (): void => (outcome.ok ? resolve(outcome.value) : reject(outcome.error));
          if (user.state === 'runs') tell();
          else user.held.push(tell);
        });
        const underWay = { operation, timer };
        user.underWay.add(underWay);
      };
      user.operates();
      if (user.state === 'runs') begin();
      else if (user.state === 'suspended') user.held.push(begin);
    });
  }

  #attempt<T>({ kind, path, file, act }: Operation<T>): Outcome<T> {
    const at = this.#failures.findIndex((failure) => failure.kind === kind);
    const [failure] = at < 0 ? [] : this.#failures.splice(at, 1);
    try {
      if (failure === undefined) return { ok: true, value: act() };
      if (kind === 'sync') file?.failSync();
      return { ok: false, error: systemError(failure.code, kind, path) };
    } catch (error) {
      return { ok: false, error: error as Error };
    }
  }
}

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };
