/** A Python process that times the same work in torch, a line of JSON for each request. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

/** Debian's, which python3-torch belongs to. */
const PYTHON = '/usr/bin/python3';
const ANSWER_TIMEOUT_MS = 120_000;

export interface Peer {
  /** What the script answers. */
  ask(request: object): Promise<Record<string, number>>;
  close(): void;
}

/** @param script below bench/peer; @returns undefined, after a line that says why, where torch is missing */
export function startPeer(script: string): Peer | undefined {
  const probe = spawnSync(PYTHON, ['-c', 'import torch'], { stdio: 'ignore' });
  if (probe.status !== 0) {
    console.error('torch is not here to compare with: apt-get install python3-torch');
    return undefined;
  }
  const child = spawn(PYTHON, [resolve('bench/peer', script)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' },
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, number>> => {
    const line = await lines.next();
    if (line.done) throw new Error(`bench/peer/${script} ended without an answer`);
    return JSON.parse(line.value) as Record<string, number>;
  };
  return {
    async ask(request) {
      const timer = setTimeout(() => child.kill(), ANSWER_TIMEOUT_MS);
      child.stdin.write(`${JSON.stringify(request)}\n`);
      try {
        return await answer();
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => child.stdin.end(),
  };
}
