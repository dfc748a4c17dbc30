/**
 * Expands `~` at the start of a path. Shells do so for `--out ~/x`, but not for `--out=~/x`, in YAML or in a
 * variable.
 */
import { coded } from '../../errors/errors.js';

/**
 * `path` with a leading `~` or `~/` replaced by the home folder. Any other path stays as it is.
 * @param home the home folder of the user; empty if there is none
 * @throws PATH_OF_HOME for `~name`, whose folder only the system's user list knows, and if there is no home folder
 */
export function expandHome(path: string, home: string): string {
  if (!path.startsWith('~')) return path;
  const rest = path.slice(1);
  if (rest !== '' && !rest.startsWith('/')) {
    const user = rest.split('/', 1)[0]!;
    throw coded('PATH_OF_HOME', { path, reason: `the home folder of "${user}" is not looked up` });
  }
  if (home === '') throw coded('PATH_OF_HOME', { path, reason: 'HOME is empty' });
  return `${home.replace(/\/+$/, '')}${rest}` || '/';
}
