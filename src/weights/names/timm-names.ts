/** timm's names are ours. DINOv2's own repository calls the registers otherwise. */
import { plain, type Dialect, type FileTensors } from './slot-source.js';

/** What wrappers (DataParallel, torch.compile, training code) put before every name. */
const PREFIXES = ['', 'module.', '_orig_mod.', 'model.', 'backbone.', 'module.backbone.', 'encoder.'];

export function timmDialect(tensors: FileTensors): Dialect | null {
  const prefix = PREFIXES.find((text) => tensors.has(`${text}patch_embed.proj.weight`));
  if (prefix === undefined) return null;
  const registers = `${prefix}register_tokens`;
  return (slot) =>
    slot === 'reg_token' && tensors.has(registers) ? plain(registers) : plain(`${prefix}${slot}`);
}
