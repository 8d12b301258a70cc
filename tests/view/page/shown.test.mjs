import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFile } from 'node:fs/promises';

const source = await readFile(new URL('../../../cliqa/view/page/shown.js', import.meta.url), 'utf8');
const column = { values: [0.1, 0.52, 0.9, NaN], condition: { value: 0.5 }, from: 0, to: 1, order: [0, 1, 2] };
Object.assign(globalThis, {
  table: { rows: 4 }, whole: String, copies: { of: new Map([[2, 0]]), order: () => [2] }, marks: { of: new Map([[1, {}]]) },
  conditions: { kept: [0, 1, 1, 0], inUse: () => [column] },
});
const { nothingWords, ordered, passing, positionWords } = await import(`data:text/javascript,${encodeURIComponent(source.replace(/^import .*$/gm, ''))}`);

test('each choice passes its rows', () => {
  const gallery = { states: [1, 1, 1, 0], selected: new Set([3]) };
  const rows = (show) => [0, 1, 2, 3].filter(passing(show, gallery));
  assert.deepEqual(['all', 'kept', 'dropped', 'near', 'copies', 'marked', 'unmarked', 'waiting', 'selected'].map(rows),
    [[0, 1, 2, 3], [1, 2], [0], [1], [2], [1], [0, 2, 3], [3], [3]]);
});

test('files stand by name or by a score, those without one last', () => {
  assert.deepEqual([...ordered('all', { column: null, down: false })], [0, 1, 2, 3]);
  assert.deepEqual([...ordered('all', { column: null, down: true })], [3, 2, 1, 0]);
  assert.deepEqual(ordered('all', { column, down: true }), [2, 1, 0, 3]);
  assert.deepEqual(ordered('copies', { column, down: true }), [2]);
});

test('the words say how much is shown, and why nothing is', () => {
  assert.equal(positionWords({ groups: 0, selected: 0, shown: 4, total: 4 }), '4 files');
  assert.equal(positionWords({ groups: 1, selected: 2, shown: 3, total: 4 }), '1 group · 2 selected · 3 of 4');
  assert.equal(nothingWords({ words: 'x', fault: false, show: 'kept', total: 4 }), 'No name with “x” among the files that you chose to see.');
  assert.equal(nothingWords({ words: '', fault: false, show: 'marked', total: 4 }), 'No file is marked.');
});
