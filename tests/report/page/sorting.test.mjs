import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFile } from 'node:fs/promises';

// The scripts are modules of a browser: Node takes them as such by their text.
const module = async (path) => import(`data:text/javascript,${encodeURIComponent(await readFile(new URL(path, import.meta.url), 'utf8'))}`);
const { niceStep, sortedRows } = await module('../../../cliqa/report/page/sorting.js');

test('rows are sorted by value, equal ones by row, missing ones left out', () => {
  const values = Float32Array.from([3, NaN, -1, 3, 0, -0.5, Infinity, -Infinity, 1e-40, -1e30]);
  assert.deepEqual([...sortedRows(values)], [7, 9, 2, 5, 4, 8, 0, 3, 6]);
  assert.equal(sortedRows(new Float32Array(0)).length, 0);
  assert.equal(sortedRows(Float32Array.of(NaN, NaN)).length, 0);
});

test('the order is right beyond 1,048,576 rows', () => {
  const rows = 1_300_001;
  const values = new Float32Array(rows);
  for (let i = 0; i < rows; i++) values[i] = Math.fround(((i * 7919) % 10007) / 3 - 1500);
  const order = sortedRows(values);
  assert.equal(order.length, rows);
  const seen = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    seen[order[i]]++;
    if (i) assert.ok(values[order[i - 1]] < values[order[i]] || (values[order[i - 1]] === values[order[i]] && order[i - 1] < order[i]));
  }
  assert.ok(seen.every((count) => count === 1));
});

test('part of a larger buffer is sorted as itself', () => {
  const values = Float32Array.from([9, 8, 7, 6]).subarray(1, 3);
  assert.deepEqual([...sortedRows(values)], [1, 0]);
});

test('steps are 1, 2 or 5 times a power of ten', () => {
  assert.equal(niceStep(100, 10), 10);
  assert.equal(niceStep(37, 10), 5);
  assert.equal(niceStep(0.02, 10), 0.002);
  assert.equal(niceStep(0, 10), 1);
});
