import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFile } from 'node:fs/promises';

const { Grid } = await import(`data:text/javascript,${encodeURIComponent(await readFile(new URL('../../../cliqa/view/page/grid.js', import.meta.url), 'utf8'))}`);

test('without groups files stand in lines', () => {
  const grid = new Grid(10, 4, 100);
  assert.equal(grid.lines, 3);
  assert.equal(grid.height, 300);
  assert.deepEqual([0, 3, 4, 9].map((place) => grid.lineOf(place)), [0, 0, 1, 2]);
  assert.deepEqual([-50, 0, 199, 200, 999].map((y) => grid.lineAt(y)), [0, 0, 1, 2, 2]);
  assert.deepEqual([0, 1, 2, 3].map((line) => grid.first(line)), [0, 4, 8, 10]);
  assert.deepEqual([grid.below(1, 1), grid.below(7, 1), grid.below(9, 1), grid.below(1, -1), grid.below(9, -2)], [5, 9, 9, 0, 1]);
});

test('each group begins a line below its heading', () => {
  const grid = new Grid(9, 3, 100, [0, 2, 6], 30);
  assert.equal(grid.lines, 4, 'of 2, 3 and 1, and 3 files');
  assert.deepEqual([0, 1, 2, 3].map((line) => grid.first(line)), [0, 2, 5, 6]);
  assert.deepEqual([0, 1, 2, 3].map((line) => grid.top(line)), [30, 160, 260, 390]);
  assert.equal(grid.height, 490);
  assert.deepEqual([...grid.begins], [[0, 0], [1, 2], [3, 6]]);
  assert.deepEqual([0, 1, 2, 4, 5, 6, 8].map((place) => grid.lineOf(place)), [0, 0, 1, 1, 2, 3, 3]);
  assert.deepEqual([0, 130, 160, 375, 390, 5000].map((y) => grid.lineAt(y)), [0, 0, 1, 2, 3, 3]);
  assert.deepEqual([grid.below(4, 1), grid.below(5, 1), grid.below(0, -1), grid.below(8, 1), grid.below(8, -3)], [5, 6, 0, 8, 1]);
});

test('an empty list has no lines', () => {
  for (const grid of [new Grid(0, 4, 100), new Grid(0, 4, 100, [], 30)]) {
    assert.deepEqual([grid.lines, grid.height, grid.first(0), grid.first(5)], [0, 0, 0, 0]);
  }
});
