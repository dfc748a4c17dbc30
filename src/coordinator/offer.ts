/** What the coordinator gives to workers that ask: the manifest, and the state that the run starts from. */
import type { Body } from '../shared/protocol/codec.js';
import { stateChunk } from '../shared/protocol/state-pull.js';

/** A part that is not offered comes back empty. */
export function answerStateRequest(
  request: Body<'stateRequest'>,
  offer: (part: string) => Uint8Array | undefined,
): Body<'stateChunk'> {
  return stateChunk(request, offer(request.part) ?? new Uint8Array(0));
}
