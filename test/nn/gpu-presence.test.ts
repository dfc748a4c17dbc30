import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nvidiaGpusPresent } from '../../src/kernels/gpu-presence.js';

test('display controllers of NVIDIA are counted, sound devices and other makes are not', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const devices = [
    // VGA controller, 3D controller (a GPU without a display), audio device, bridge; Intel's VGA controller.
    ['0000:01:00.0', '0x10de', '0x030000'],
    ['0000:02:00.0', '0x10de', '0x030200'],
    ['0000:01:00.1', '0x10de', '0x040300'],
    ['0000:03:00.0', '0x10de', '0x068000'],
    ['0000:00:02.0', '0x8086', '0x030000'],
  ] as const;
  for (const [name, vendor, kind] of devices) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'vendor'), `${vendor}\n`);
    writeFileSync(join(folder, name, 'class'), `${kind}\n`);
  }
  mkdirSync(join(folder, 'half-removed'));
  assert.equal(nvidiaGpusPresent(folder), 2);
  assert.equal(nvidiaGpusPresent(join(folder, 'missing')), 0);
});
