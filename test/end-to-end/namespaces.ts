/** Network namespaces that stand for machines: behind one bridge, with names of their own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';

/** Runs a command to its end. @returns whether it went well */
export function tried(...[command, ...args]: string[]): boolean {
  return spawnSync(command!, args, { stdio: 'ignore' }).status === 0;
}

export function must(...command: string[]): void {
  const [name, ...args] = command;
  const { status, stderr } = spawnSync(name!, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${command.join(' ')}: ${stderr}`);
}

/** Names of interfaces have 15 characters at most; the process number keeps test runs apart. */
const ID = `vt${process.pid % 100_000}`;
const PROBE = `${ID}p`;
export const NETWORK = `10.${64 + (process.pid % 64)}.${Math.floor(process.pid / 64) % 256}`;

export function missing(): string | false {
  if (process.getuid?.() !== 0) return 'it needs root';
  if (!tried('ip', '-V')) return 'it needs iproute2';
  if (!tried('ip', 'netns', 'add', PROBE)) return 'this machine makes no network namespaces';
  must('ip', 'netns', 'del', PROBE);
  return false;
}

/** A bridge with `count` namespaces behind it, removed when the test ends. */
export function network(
  t: TestContext,
  count: number,
): { readonly names: readonly string[]; readonly links: readonly string[] } {
  const bridge = `${ID}b`;
  const names = Array.from({ length: count }, (_, i) => `${ID}n${i}`);
  const links = names.map((_, i) => `${ID}v${i}`);
  t.after(() => {
    for (const name of names) tried('ip', 'netns', 'del', name);
    tried('ip', 'link', 'del', bridge);
  });
  must('ip', 'link', 'add', bridge, 'type', 'bridge');
  must('ip', 'addr', 'add', `${NETWORK}.1/24`, 'dev', bridge);
  must('ip', 'link', 'set', bridge, 'up');
  names.forEach((name, i) => {
    const link = links[i]!;
    const inside = ['ip', '-n', name];
    must('ip', 'netns', 'add', name);
    must('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    must('ip', 'link', 'set', link, 'master', bridge, 'up');
    must(...inside, 'addr', 'add', `${NETWORK}.${i + 2}/24`, 'dev', 'eth0');
    must(...inside, 'link', 'set', 'eth0', 'up');
    must(...inside, 'link', 'set', 'lo', 'up');
  });
  return { names, links };
}

/** A command's beginning that runs the rest in namespace `space`, on a machine called `name`, in `folder`. */
export function onMachine(space: string, name: string, folder: string): readonly string[] {
  const script = 'hostname "$1"; cd "$2"; shift 2; exec "$@"';
  return ['ip', 'netns', 'exec', space, 'unshare', '--uts', 'sh', '-ec', script, '_', name, folder];
}

/** What the machines of `spaces` know of each other: node0, node1 and so on, and no name server. */
export function nameMachines(t: TestContext, spaces: readonly string[]): readonly string[] {
  const names = spaces.map((_, i) => `node${i}`);
  const hosts = names.map((name, i) => `${NETWORK}.${i + 2} ${name}\n`).join('');
  for (const space of spaces) {
    const folder = `/etc/netns/${space}`;
    mkdirSync(folder, { recursive: true });
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(`${folder}/hosts`, `127.0.0.1 localhost\n${hosts}`);
    writeFileSync(`${folder}/resolv.conf`, '');
  }
  return names;
}
