/** What happens in a cluster, for observers: log, metrics, journal. */

export type ClusterEventKind =
  | 'joined'
  | 'ready'
  | 'refused'
  | 'garbage'
  | 'suspected'
  | 'lost'
  | 'leaving'
  | 'left'
  | 'hung'
  | 'expelled'
  | 'stalled'
  | 'straggler'
  | 'back'
  | 'disk-full'
  | 'unreachable'
  | 'waiting';

export interface ClusterEvent {
  readonly kind: ClusterEventKind;
  readonly worker?: number;
  /** The worker's place, by which metrics know it. */
  readonly place?: number;
  /** Whether it leaves because the run has ended. */
  readonly atEnd?: boolean;
  readonly text: string;
}
