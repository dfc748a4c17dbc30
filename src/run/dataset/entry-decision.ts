/**
 * Decides from the name and kind of an entry of a data folder whether it is used. It decides as torchvision's
 * ImageFolder does, with one exception: folders and files that programs keep for themselves are neither
 * classes nor images. Nobody means to train on them, but ImageFolder would make a class of
 * `.ipynb_checkpoints`.
 */

/** torchvision's IMG_EXTENSIONS, other extensions of the same formats, and GIF. */
const IMAGE_NAME = /\.(?:jpe?g|jpe|jfif|png|webp|bmp|tiff?|ppm|pgm|pbm|gif)$/i;

/** Folders of macOS archives, Synology, Windows, ext4 and Python. */
const SYSTEM_FOLDERS: ReadonlySet<string> = new Set([
  '__MACOSX',
  '@eaDir',
  '#recycle',
  '$RECYCLE.BIN',
  'System Volume Information',
  'lost+found',
  '__pycache__',
]);

/** macOS's resource forks (AppleDouble, `._x.jpg` beside `x.jpg`) and Emacs's locks, which are links to nothing. */
const COMPANION = /^\.[_#]/;
const LONGEST_EXTENSION = 16;

export type EntryKind = 'file' | 'folder' | 'FIFO' | 'socket' | 'device';

export type EntryDecision =
  | { readonly use: 'image' | 'folder' }
  /** The entry cannot be used, and that is an error. */
  | { readonly broken: string }
  | { readonly leftOut: 'hidden-folder' | 'companion-file' }
  | { readonly leftOut: 'skipped-file'; readonly extension: string };

export const isCompanion = (name: string): boolean => COMPANION.test(name);

function extensionOf(name: string): string {
  const extension = name.slice(name.lastIndexOf('.')).toLowerCase();
  return name.includes('.') && extension.length <= LONGEST_EXTENSION ? extension : 'no extension';
}

/** `isText` is false for a name that is not UTF-8; `name` then shows as much of it as possible. */
export function decideEntry(name: string, isText: boolean, kind: EntryKind): EntryDecision {
  if (kind === 'folder') {
    if (name.startsWith('.') || SYSTEM_FOLDERS.has(name)) return { leftOut: 'hidden-folder' };
    return isText ? { use: 'folder' } : { broken: 'the name of the folder is not UTF-8: rename it' };
  }
  if (isCompanion(name)) return { leftOut: 'companion-file' };
  if (!IMAGE_NAME.test(name)) return { leftOut: 'skipped-file', extension: extensionOf(name) };
  if (kind !== 'file') return { broken: `it is a ${kind}, not a file` };
  return isText ? { use: 'image' } : { broken: 'its name is not UTF-8: rename it' };
}

/** Why an entry could not be looked at, from the system's error code. `target` is where a link leads, else null. */
export function accessFault(code: string, target: string | null): string {
  if (code === 'ELOOP') return 'the link forms a loop';
  if (code === 'ENOENT' && target !== null) return `the link leads to ${target}, which does not exist`;
  if (code === 'ENOENT') return 'it vanished while its folder was being read';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return target === null ? code : `the link leads to ${target}: ${code}`;
}
