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
  | 'waiting';

export interface ClusterEvent {
  readonly kind: ClusterEventKind;
  readonly worker?: number;
  readonly text: string;
}
