/** Keeps events until the real observer can be opened, which is after the first workers may have joined. */
import type { ClusterEvent } from '../members/cluster-event.js';
import type { TrainingObserver } from './observer.js';

export class LateObserver implements Partial<TrainingObserver> {
  #observer: TrainingObserver | null = null;
  #missed: readonly ClusterEvent[] = [];

  /** Tells `observer` what has happened, and from now on what happens. */
  begin(observer: TrainingObserver): void {
    this.#observer = observer;
    for (const event of this.#missed) observer.onClusterEvent(event);
    this.#missed = [];
  }

  onClusterEvent(event: ClusterEvent): void {
    if (this.#observer === null) this.#missed = [...this.#missed, event];
    else this.#observer.onClusterEvent(event);
  }

  onStart(event: Parameters<TrainingObserver['onStart']>[0]): void {
    this.#observer?.onStart(event);
  }

  onStep(event: Parameters<TrainingObserver['onStep']>[0]): void {
    this.#observer?.onStep(event);
  }

  onUpdate(...update: Parameters<TrainingObserver['onUpdate']>): void {
    this.#observer?.onUpdate(...update);
  }

  onEpoch(event: Parameters<TrainingObserver['onEpoch']>[0]): void {
    this.#observer?.onEpoch(event);
  }

  onFinalTest(event: Parameters<TrainingObserver['onFinalTest']>[0]): void {
    this.#observer?.onFinalTest(event);
  }

  onCheckpoint(event: Parameters<TrainingObserver['onCheckpoint']>[0]): void {
    this.#observer?.onCheckpoint(event);
  }
}
