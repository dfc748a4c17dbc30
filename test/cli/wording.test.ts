/** Numbers as people read them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, figure, imagesPerSecond } from '../../src/errors/wording.js';

test('one is singular, every other number is plural', () => {
  for (const [count, noun, text] of [
    [1, 'image', '1 image'],
    [2, 'image', '2 images'],
    [0, 'worker', '0 workers'],
    [2, 'class', '2 classes'],
    [2, 'patch', '2 patches'],
    [2, 'micro-batch', '2 micro-batches'],
    [2, 'epoch', '2 epochs'],
    [1, 'patch', '1 patch'],
  ] as const) {
    assert.equal(counted(count, noun), text);
  }
});

test('a speed has two digits at least', () => {
  for (const [rate, text] of [
    [2517.4, '2517 images/s'],
    [10, '10 images/s'],
    [9.96, '10 images/s'],
    [9.94, '9.9 images/s'],
    [1, '1.0 images/s'],
    [0.456, '0.46 images/s'],
    [0, '0 images/s'],
    [1e-7, '0.0000 images/s'],
  ] as const) {
    assert.equal(imagesPerSecond(rate), text);
  }
});

test('a measured value has no digits that tell nothing', () => {
  assert.equal(figure(0.47333333333333333), '0.473333');
  assert.equal(figure(0.1 + 0.2), '0.3');
  assert.equal(figure(1e-9), '1e-9');
  assert.equal(figure(2), '2');
});
