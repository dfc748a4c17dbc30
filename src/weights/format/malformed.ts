/** What parsers of weight files throw. */
import { coded, type VitrailError } from '../../errors/errors.js';

/** Names of the formats, as messages have them. */
export type FormatName =
  'safetensors' | 'an index of safetensors files' | 'a PyTorch state dict' | 'a NumPy archive' | 'JSON';

export function malformed(path: string, format: FormatName, problem: string): VitrailError {
  return coded('WEIGHTS_MALFORMED', { path, format, problem });
}
