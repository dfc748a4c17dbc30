/** Where cuBLASLt is looked for. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { testGpuGemms } from './gpu-gemms.js';

/** Runs `body` with these environment variables; those that are undefined are missing. */
function withEnvironment(values: Readonly<Record<string, string | undefined>>, body: () => void): void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  const assign = (name: string, value: string | undefined): void => {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  };
  try {
    for (const [name, value] of Object.entries(values)) assign(name, value);
    body();
  } finally {
    for (const [name, value] of before) assign(name, value);
  }
}

testGpuGemms('a library that is named is the only one that is tried', (_device, products) => {
  withEnvironment({ VITRAIL_CUBLASLT: '/there/is/no/libcublasLt.so' }, () => {
    assert.deepEqual(products.gemmLibraryCandidates(), ['/there/is/no/libcublasLt.so']);
  });
  withEnvironment({ VITRAIL_CUBLASLT: '~/libcublasLt.so', HOME: '/home/ada' }, () => {
    assert.deepEqual(products.gemmLibraryCandidates(), ['/home/ada/libcublasLt.so']);
  });
});

testGpuGemms('a missing library is one error that tells where it was looked for', (_device, products) => {
  withEnvironment({ VITRAIL_CUBLASLT: '/there/is/no/libcublasLt.so' }, () => {
    assert.throws(
      () => products.findGemmLibrary(),
      /^Error: cuBLASLt was not found .*set VITRAIL_CUBLASLT.*\n {2}\/there\/is\/no\/libcublasLt\.so: cannot open/s,
    );
  });
});

testGpuGemms('a file that is no cuBLASLt is refused', (_device, products) => {
  withEnvironment({ VITRAIL_CUBLASLT: 'libc.so.6' }, () => {
    assert.throws(() => products.findGemmLibrary(), /^Error: libc\.so\.6 has no cublasLtGetVersion/);
  });
});

testGpuGemms('the loader, the toolkit and Python packages are searched in turn', (_device, products) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-library-'));
  const file = (...parts: string[]): string => {
    const path = join(folder, ...parts);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    return path;
  };
  try {
    const chosen = file('venv/lib/python3.11/site-packages/nvidia/cu13/lib/libcublasLt.so.13');
    const older = file('venv/lib/python3.11/site-packages/nvidia/cublas/lib/libcublasLt.so.12');
    const conda = file('conda/lib/libcublasLt.so.13');
    const onPath = file('other/lib/python3.12/dist-packages/nvidia/cublas/lib/libcublasLt.so.13');
    file('other/bin/python3');
    const environment = {
      VITRAIL_CUBLASLT: undefined,
      CUDA_HOME: '/toolkit',
      VIRTUAL_ENV: join(folder, 'venv'),
      CONDA_PREFIX: join(folder, 'conda'),
      PATH: `/nowhere:${join(folder, 'other/bin')}`,
    };
    withEnvironment(environment, () => {
      const candidates = products.gemmLibraryCandidates();
      const order = [
        ...[
          'libcublasLt.so.13',
          '/toolkit/lib64/libcublasLt.so.13',
          '/usr/local/cuda/lib64/libcublasLt.so.13',
        ],
        ...[chosen, conda, onPath],
        ...[
          'libcublasLt.so.12',
          '/toolkit/lib64/libcublasLt.so.12',
          '/usr/local/cuda/lib64/libcublasLt.so.12',
        ],
        older,
      ];
      // The machine may have others.
      assert.deepEqual(
        candidates.filter((path) => order.includes(path)),
        order,
      );
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
