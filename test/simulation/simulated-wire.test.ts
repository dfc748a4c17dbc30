/** A connection of the simulation keeps the order of its messages, as TCP does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedProcess } from '../../src/simulation/simulated-process.js';
import { SimulatedRandom, STREAM } from '../../src/simulation/simulated-random.js';
import { WireFabric, type Frames, type Wire } from '../../src/simulation/simulated-wire.js';
import { DrivenTime } from './driven-time.js';

test('what was sent before and during a partition arrives in order when it ends', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const time = new DrivenTime();
    const random = new SimulatedRandom(seed, STREAM.network);
    const fabric = new WireFabric(time, random);
    const [server, client] = [1, 2].map((pid) => new SimulatedProcess(`${pid}`, pid, new Map(), random));
    const arrived: number[] = [];
    const onFrames = (_wire: Wire, frames: Frames): void => void arrived.push(frames[0]![0]!);
    const onBroken = (): void => undefined;
    fabric.serve('tcp://server', { process: server!, onFrames, onBroken });
    fabric.connect(
      'tcp://server',
      {
        process: client!,
        onOpen: (wire) => {
          for (let n = 0; n < 20; n++) {
            time.plan(client!, (100 * n + random.between(0, 100)) / 3, () =>
              fabric.transmit(wire, 'toServer', [Uint8Array.of(n)]),
            );
          }
          // Sums of thirds and sevenths are not exact.
          time.plan(client!, 100, () => fabric.part(server!, client!, random.between(3000, 20_000) / 7));
        },
        onFrames: () => undefined,
        onBroken,
      },
      () => false,
    );
    await time.drive(60_000);
    assert.deepEqual(
      arrived,
      [...arrived].sort((a, b) => a - b),
      `seed ${seed}`,
    );
    assert.ok(arrived.length > 0);
  }
});
