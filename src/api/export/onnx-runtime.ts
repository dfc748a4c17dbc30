/** Runs an exported ONNX file, to compare its logits: with onnxruntime-node or onnxruntime-web, whichever is installed. */
import { readFile } from 'node:fs/promises';
import type * as Runtime from 'onnxruntime-web';
import { coded, reasonOf } from '../../errors/errors.js';
import type { PixelInput } from '../../nn/model-input.js';
import type { PixelScale } from '../../run/model/patches.js';
import { ONNX_INPUT, ONNX_OUTPUT } from '../../weights/export/onnx-model.js';

/** Both have the same interface. The first is faster, and downloads a library when it is installed. */
const PACKAGES = ['onnxruntime-node', 'onnxruntime-web'] as const;

/** @throws EXPORT_RUNTIME_MISSING */
export async function onnxRuntime(): Promise<typeof Runtime> {
  const reasons: string[] = [];
  for (const name of PACKAGES) {
    try {
      return (await import(name)) as typeof Runtime;
    } catch (thrown) {
      reasons.push(reasonOf(thrown).split('\n', 1)[0]!);
    }
  }
  throw coded('EXPORT_RUNTIME_MISSING', { reason: reasons.join('; ') });
}

/** [m, 3, S, S] from [m, S, S, 3]. */
function channelsFirst({ pixels, flips }: PixelInput, scale: PixelScale): Float32Array {
  const plane = pixels.length / flips.length / 3;
  const out = new Float32Array(pixels.length);
  for (const [at, value] of pixels.entries()) {
    const channel = at % 3;
    const pixel = (at - channel) / 3;
    const within = pixel % plane;
    out[((pixel - within) / plane) * 3 * plane + channel * plane + within] = scale[channel * 256 + value]!;
  }
  return out;
}

/** Logits of images that are not mirrored. @param side S */
export async function onnxLogits(
  runtime: typeof Runtime,
  path: string,
  input: PixelInput,
  scale: PixelScale,
  side: number,
): Promise<Float32Array> {
  // A thread more would have to be ended again.
  runtime.env.wasm.numThreads = 1;
  const session = await runtime.InferenceSession.create(await readFile(path));
  try {
    const dims = [input.flips.length, 3, side, side];
    const feeds = { [ONNX_INPUT]: new runtime.Tensor('float32', channelsFirst(input, scale), dims) };
    const { [ONNX_OUTPUT]: logits } = await session.run(feeds);
    return Float32Array.from(logits!.data as Float32Array);
  } finally {
    await session.release();
  }
}
