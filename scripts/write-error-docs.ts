/** Writes docs/errors.md from the error catalogue: `npm run docs:errors`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_CATALOGUE } from '../src/errors/error-catalogue.js';

export const ERROR_DOCS_PATH = 'docs/errors.md';

/** The first word of a code decides its group; a word that is not listed falls into the last one. */
const GROUPS: readonly (readonly [title: string, words: readonly string[]])[] = [
  ['Configuration', ['CONFIG', 'PRESET', 'MODEL', 'BATCH', 'TOO']],
  ['Data', ['DATA', 'IMAGE']],
  ['Checkpoints and runs', ['CHECKPOINT', 'RUN']],
  ['Weights of other programs', ['WEIGHTS', 'HUB']],
  ['Training and cluster', []],
];

function groupOf(code: string): string {
  const word = code.split('_')[0] ?? code;
  const group = GROUPS.find(([, words]) => words.includes(word)) ?? GROUPS[GROUPS.length - 1]!;
  return group[0];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** The text of docs/errors.md: one table a group, sorted by code. */
export function errorDocs(): string {
  const lines = [
    '# Error codes',
    '',
    'Every error of vitrail has a code, a message with the actual values (in braces here) and a remedy.',
    'This file is written from `src/errors/catalogue/` by `npm run docs:errors`.',
  ];
  const codes = Object.entries(ERROR_CATALOGUE).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [title] of GROUPS) {
    lines.push('', `## ${title}`, '', '| code | message | remedy |', '| --- | --- | --- |');
    for (const [code, { message, remedy }] of codes) {
      if (groupOf(code) === title) lines.push(`| \`${code}\` | ${cell(message)} | ${cell(remedy)} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync('docs', { recursive: true });
  writeFileSync(ERROR_DOCS_PATH, errorDocs());
}
