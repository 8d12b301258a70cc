import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFile } from 'node:fs/promises';

// The module by itself: the table that it works on is this one.
const table = globalThis.table = { rows: 5, columns: [], facts: { store: 's.db', start: [] } };
const source = await readFile(new URL('../../../cliqa/report/page/conditions.js', import.meta.url), 'utf8');
const around = 'const { table } = globalThis; const redraw = () => {}; const columnOf = (name) => table.columns.find((one) => one.name === name);\n';
const { conditions } = await import(`data:text/javascript,${encodeURIComponent(around + source.replace(/^import .*$/gm, ''))}`);

const column = (name, values, more = {}) => {
  const one = { name, values: Float32Array.from(values), labels: [], step: 0.1, decimals: 1, better: 'higher', load: async () => {}, ...more };
  one.order = values.map((_, row) => row).filter((row) => values[row] === values[row]).sort((a, b) => values[a] - values[b]);
  table.columns.push(one);
  return one;
};

const sureness = column('s.confidence', [1, 1, 0.4, 0.5, NaN]);
const blur = column('s.blur', [1, 3, 3, 3, NaN], { better: 'lower', begins: ['<=', 2], sureness, least: 0.5 });
const noise = column('n.psnr', [50, 45, 42, 30, 38]);
table.facts.start = [{ name: 's.blur', operator: '<=', value: 2 }, { name: 'n.psnr', operator: '>=', value: 40 }];
conditions.begins();
await conditions.start();

test('what can’t be told is kept, as the filter does, and the command says so', () => {
  assert.deepEqual([...blur.condition.mask], [0, 1, 0, 1, 1]);
  assert.deepEqual([...conditions.kept], [1, 0, 1, 0, 0]);
  assert.equal(conditions.where(), '(s.blur <= 2 or s.confidence < 0.5) and n.psnr >= 40');
  assert.equal(conditions.command(), 'cliqa apply s.db --where "(s.blur <= 2 or s.confidence < 0.5) and n.psnr >= 40" -o kept');
});

test('that can be switched off', async () => {
  await conditions.change(blur, { keepUnsure: false });
  assert.equal(conditions.where(), 's.blur <= 2 and n.psnr >= 40');
  assert.deepEqual([...conditions.kept], [1, 0, 0, 0, 0]);
});

test('reset puts every condition back, used or not, and those of the beginning in use', async () => {
  await conditions.change(noise, { value: 10, operator: '<=', used: false });
  await conditions.change(sureness, { value: 0.7, used: true, keepMissing: true });
  conditions.combine = 'any';
  await conditions.reset();
  assert.equal(conditions.combine, 'all');
  assert.equal(conditions.where(), '(s.blur <= 2 or s.confidence < 0.5) and n.psnr >= 40');
  assert.deepEqual([noise.condition.value, noise.condition.operator], [40, '>=']);
  assert.ok(!sureness.condition.used && !sureness.condition.keepMissing && sureness.condition.value < 0.7);
  assert.deepEqual([...conditions.kept], [1, 0, 1, 0, 0]);
  assert.equal(conditions.keptCount, 2);
});

test('a field begins where its filter does', () => {
  blur.condition = null;
  assert.deepEqual([conditions.begin(blur).operator, blur.condition.value, blur.condition.used], ['<=', 2, false]);
});
