/** Gives this worker's state to other workers of the run, chunk by chunk as they ask for it. */
import { faultPoint } from '../../host/fault-injection.js';
import type { WorkerHost } from '../../host/host.js';
import type { BoundTo, QuestionListener, Reply } from '../../host/network.js';
import type { Body } from '../../wire/codec.js';
import { noChunk, stateChunk } from '../../wire/state-pull.js';
import { PartDigests, type Offer } from './part-digests.js';

/**
 * @param runToken requests without it get no answer
 * @throws ADDRESS_INVALID, PORT_IN_USE
 */
export async function serveState(
  { clock, network }: WorkerHost,
  where: BoundTo,
  runToken: string,
  offer: Offer,
  digests = new PartDigests(clock, offer),
): Promise<QuestionListener> {
  return network.listenQuestions(where, ({ name, body }, reply) => {
    if (name === 'stateRequest' && body.runToken === runToken) {
      faultPoint('state-serve', body.step);
      const bytes = offer(body.part, body.step);
      reply('stateChunk', bytes === undefined ? noChunk(body) : stateChunk(body, bytes));
    }
    // Chunks are sent meanwhile, because the digest of a large part takes seconds.
    if (name === 'partDigestRequest' && body.runToken === runToken) void tellDigest(body, digests, reply);
  });
}

async function tellDigest(
  { transfer, part, step }: Body<'partDigestRequest'>,
  digests: PartDigests,
  reply: Reply,
): Promise<void> {
  const sha256 = await digests.of(part, step);
  const unavailable = sha256 === undefined;
  reply('partDigestReply', { transfer, part, sha256: sha256 ?? new Uint8Array(0), unavailable });
}
