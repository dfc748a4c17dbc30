/** The --backend flag of commands that compute in this process. */
import { Option } from 'commander';
import { BACKEND_CHOICES } from '../../nn/backend/backend.js';

export function backendOption(): Option {
  return new Option('--backend <name>', 'tfjs backend').choices(BACKEND_CHOICES).default('auto');
}
