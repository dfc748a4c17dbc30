/** What the coordinator gives to workers that ask: the manifest, and the state that the run starts from. */
import type { Body } from '../../wire/codec.js';
import { noChunk, stateChunk } from '../../wire/state-pull.js';

export function answerStateRequest(
  request: Body<'stateRequest'>,
  offer: (part: string) => Uint8Array | undefined,
): Body<'stateChunk'> {
  const bytes = offer(request.part);
  return bytes === undefined ? noChunk(request) : stateChunk(request, bytes);
}
