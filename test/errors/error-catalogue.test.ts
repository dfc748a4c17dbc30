/** Coded errors: values and remedy in the message, and docs/errors.md equal to the catalogue. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ERROR_CATALOGUE } from '../../src/errors/error-catalogue.js';
import { VitrailError, coded, hasCode, plainError, reasonOf, revivedError } from '../../src/errors/errors.js';
import { ERROR_DOCS_PATH, errorDocs } from '../../scripts/write-error-docs.js';

test('a coded error says code, values and remedy in one line', () => {
  const error = coded('BATCH_NOT_DIVISIBLE', { batch: 10, microBatch: 4, suggestion: 5 });
  assert.ok(error instanceof VitrailError);
  assert.equal(error.name, 'VitrailError');
  assert.equal(error.code, 'BATCH_NOT_DIVISIBLE');
  assert.equal(error.problem, 'the batch of 10 is not divisible by the micro-batch of 4');
  assert.equal(error.remedy, 'use a micro-batch that divides the batch, for example 5');
  assert.equal(error.message, `BATCH_NOT_DIVISIBLE: ${error.problem} (${error.remedy})`);
});

test('a value that looks like a placeholder or a replacement pattern is shown as it is', () => {
  const error = coded('CHECKPOINT_NOT_FOUND', { path: "/runs/{reason} $& $' $1" });
  assert.equal(error.problem, "no checkpoint at /runs/{reason} $& $' $1");
});

test('every code is in capitals, and every message and remedy is a text of one line', () => {
  for (const [code, { message, remedy }] of Object.entries(ERROR_CATALOGUE)) {
    assert.match(code, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
    for (const text of [message, remedy]) {
      assert.ok(text.length > 5, code);
      assert.doesNotMatch(text, /\n/);
    }
  }
});

test('every placeholder of a message is filled', () => {
  for (const [code, { message, remedy }] of Object.entries(ERROR_CATALOGUE)) {
    const names = [...`${message} ${remedy}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    const params = Object.fromEntries(names.map((name) => [name, 'X']));
    const make = coded as (code: string, params: Record<string, string>) => VitrailError;
    assert.doesNotMatch(make(code, params).message, /[{}]/, code);
  }
});

test('the reason of anything thrown is a text', () => {
  assert.equal(reasonOf(new Error('disk full')), 'disk full');
  assert.equal(reasonOf('plain'), 'plain');
  assert.equal(reasonOf(undefined), 'undefined');
});

test('docs/errors.md is what npm run docs:errors would write', () => {
  assert.equal(
    readFileSync(ERROR_DOCS_PATH, 'utf8'),
    errorDocs(),
    'run npm run docs:errors and commit the file',
  );
});

test('docs/errors.md names every code once', () => {
  const docs = errorDocs();
  for (const code of Object.keys(ERROR_CATALOGUE))
    assert.equal(docs.split(`| \`${code}\` |`).length, 2, code);
});

test('an error survives being taken apart and put together', () => {
  const error = coded('MODEL_PATCH_DOES_NOT_DIVIDE', { imageSize: 30, patch: 8, suggestion: 32 });
  const revived = revivedError(structuredClone(plainError(error)));
  assert.deepEqual([revived.code, revived.message], [error.code, error.message]);
  assert.equal(plainError(new TypeError('x is undefined')).code, 'INTERNAL');
});

test('a placeholder without a value stays as it is', () => {
  assert.match(coded('INTERNAL', {} as never).message, /\{reason\}/);
});

test('the code of a system call is found on errors alone', () => {
  const error = Object.assign(new Error('gone'), { code: 'ENOENT' });
  assert.equal(hasCode(error, 'EACCES', 'ENOENT'), true);
  assert.equal(hasCode(error, 'EACCES'), false);
  assert.equal(hasCode(new Error('gone'), 'ENOENT'), false);
  assert.equal(hasCode({ code: 'ENOENT' }, 'ENOENT'), false);
});

test('every code stands in one file of the catalogue', () => {
  const folder = 'src/errors/catalogue';
  const texts = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, 'utf8'));
  const codes = texts.flatMap((text) =>
    [...text.matchAll(/^ {2}([A-Z_]+): define\(/gm)].map(([, code]) => code!),
  );
  assert.deepEqual(codes.sort(), Object.keys(ERROR_CATALOGUE).sort());
});
