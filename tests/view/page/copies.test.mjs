import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFile } from 'node:fs/promises';

const source = await readFile(new URL('../../../cliqa/view/page/copies.js', import.meta.url), 'utf8');
const { copies, firstGroups } = await import(`data:text/javascript,${encodeURIComponent(source.replace(/^import .*$/m, ''))}`);

test('a row that is in two groups stands in the first', () => {
  assert.deepEqual([...firstGroups([{ rows: [4, 2] }, { rows: [2, 9] }])], [[4, 0], [2, 0], [9, 1]]);
});

test('copies stand group by group, with why', () => {
  copies.groups = [{ kind: 'near', rows: [4, 2], best: 4, why: { 4: 'best', 2: 'it is cropped' } }, { kind: 'burst', rows: [7, 8], best: null, why: {} }];
  copies.of = firstGroups(copies.groups);
  assert.deepEqual(copies.order(), [4, 2, 7, 8]);
  assert.equal(copies.words(2), '1: it is cropped');
  assert.equal(copies.words(8), '2: a burst');
  assert.equal(copies.words(0), '');
  assert.deepEqual(copies.beside(2), [4, 2]);
  assert.ok(copies.isBest(4) && !copies.isBest(2));
});
