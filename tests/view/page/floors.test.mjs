import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFile } from 'node:fs/promises';

const module = async (path) => import(`data:text/javascript,${encodeURIComponent(await readFile(new URL(path, import.meta.url), 'utf8'))}`);
const { foldersOf, raise } = await module('../../../cliqa/view/page/floors.js');
const { sameView } = await module('../../../cliqa/view/page/compare.js');

const paths = ['a/1.jpg', 'a/2.jpg', 'b/3.jpg', 'b/4.jpg', 'b/5.jpg', '6.jpg'];

test('folders are told by their whole path', () => {
  const groups = foldersOf([...paths, 'b/c/7.jpg']);
  assert.deepEqual([...groups.of], [0, 0, 1, 1, 1, 2, 3]);
  assert.equal(groups.count, 4);
});

test('each folder gets its least, those first that fail least, then the better ones', () => {
  const groups = foldersOf(paths);
  const score = [1, 2, 3, 4, 5, 6];
  const run = (kept, least, fails, barred = [0, 0, 0, 0, 0, 0]) => {
    const result = Uint8Array.from(kept);
    raise(result, groups, least, fails, barred, (a, b) => score[b] - score[a]);
    return [...result];
  };
  assert.deepEqual(run([1, 1, 0, 0, 0, 0], 0, [0, 0, 1, 1, 1, 1]), [1, 1, 0, 0, 0, 0]);
  assert.deepEqual(run([1, 1, 0, 0, 0, 0], 1, [0, 0, 2, 1, 1, 1]), [1, 1, 0, 0, 1, 1]);
  assert.deepEqual(run([1, 1, 0, 0, 0, 0], 2, [0, 0, 1, 2, 1, 1]), [1, 1, 1, 0, 1, 1]);
  assert.deepEqual(run([0, 0, 0, 0, 0, 0], 9, [1, 1, 1, 1, 1, 1], [0, 1, 0, 0, 0, 1]), [1, 0, 1, 1, 1, 0]);
});

test('the other picture shows the same part at the same size on the screen', () => {
  assert.deepEqual(sameView({ scale: 0, x: 0.2, y: 0.3 }, { width: 10, height: 10 }, { width: 20, height: 20 }), { scale: 0, x: 0.5, y: 0.5 });
  assert.deepEqual(sameView({ scale: 2, x: 0.2, y: 0.3 }, { width: 100, height: 50 }, { width: 200, height: 100 }), { scale: 1, x: 0.2, y: 0.3 });
});
