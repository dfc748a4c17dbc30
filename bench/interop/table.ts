/** Prints how far our logits are from those of other libraries: node dist/bench/interop/table.js FOLDER */
import { join } from 'node:path';
import { agreementOf, modelFolders } from './agreement.js';

const [folder = 'test/fixtures/interop'] = process.argv.slice(2);
console.log('| weights | model as recognised | at their resolution | at another |');
console.log('| --- | --- | --- | --- |');
let worst = 0;
for (const name of modelFolders(folder)) {
  const { architecture, spec, native, other } = await agreementOf(join(folder, name));
  console.log(
    `| ${architecture} | ${spec.name} at ${spec.imageSize} | ${native.toExponential(1)} | ${other.toExponential(1)} |`,
  );
  worst = Math.max(worst, native, other);
}
if (!(worst < 1e-5)) {
  console.error(`the largest relative error is ${worst}`);
  process.exitCode = 1;
}
