/** Prints how far our logits are from those of other libraries: node dist/bench/interop/table.js [--native] [FOLDER] */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { agreementOf, modelFolders } from './agreement.js';

const { values, positionals } = parseArgs({
  options: { native: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [folder = 'test/fixtures/interop'] = positionals;
console.log('| weights | model as recognised | at their resolution | at another |');
console.log('| --- | --- | --- | --- |');
let worst = 0;
for (const name of modelFolders(folder)) {
  const { architecture, spec, native, other } = await agreementOf(
    join(folder, name),
    values.native ? 'native' : 'cpu',
  );
  console.log(
    `| ${architecture} | ${spec.name} at ${spec.imageSize} | ${native.toExponential(1)} | ${other.toExponential(1)} |`,
  );
  worst = Math.max(worst, native, other);
}
if (!(worst < 1e-5)) {
  console.error(`the largest relative error is ${worst}`);
  process.exitCode = 1;
}
