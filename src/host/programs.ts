/**
 * The programs that this package starts as processes and threads. scripts/bundle.mjs makes each from the module of the
 * same name, because a process that loads hundreds of small files takes a second longer to start.
 */
import { fileURLToPath } from 'node:url';

const programAt = (name: string): URL => new URL(`../program/${name}.js`, import.meta.url);

export const COMMAND_LINE = fileURLToPath(programAt('cli'));
export const LINK_THREAD = programAt('link-thread');
export const LOADER_THREAD = programAt('loader-thread');
