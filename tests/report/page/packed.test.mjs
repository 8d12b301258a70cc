import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Modules that import others need a folder of their own, in which they are modules by their suffix.
const source = new URL('../../../cliqa/report/page/', import.meta.url);
const folder = await mkdtemp(join(tmpdir(), 'cliqa-page-'));
for (const name of await readdir(source)) {
  if (!name.endsWith('.js')) continue;
  const text = await readFile(new URL(name, source), 'utf8');
  await writeFile(join(folder, name.replace('.js', '.mjs')), text.replaceAll(/from '\.\/(\w+)\.js'/g, "from './$1.mjs'"));
}
const { unpacked } = await import(join(folder, 'packed.mjs'));
const { fails, conditions, term } = await import(join(folder, 'conditions.mjs'));
const { fillTable, table } = await import(join(folder, 'table.mjs'));

test('floats come back from their byte planes, bytes with what is missing', () => {
  const values = Float32Array.of(1.5, -2.25, NaN, 1e9);
  const bytes = new Uint8Array(values.buffer);
  const planes = Uint8Array.from({ length: 16 }, (_, at) => bytes[4 * (at % 4) + Math.floor(at / 4)]);
  assert.deepEqual([...unpacked(planes, 'f32')], [...values]);
  assert.deepEqual([...unpacked(Uint8Array.of(0, 255, 7), 'u8')], [0, NaN, 7]);
});

test('a threshold is compared as the values are stored', () => {
  const values = Float32Array.of(0.9, 0.89, 0.91, NaN);
  assert.deepEqual([...fails(values, '>=', 0.9, 1)], [0, 1, 0, 1]);
  assert.deepEqual([...fails(values, '<', 0.9, 0)], [1, 0, 1, 0]);
});

test('rows are kept by all or any of the conditions, and told in SQL', async () => {
  const column = (name, more) => ({ name, title: name, metric: 'm', field: name, meaning: '', low: 0, high: 10, unit: '', better: 'higher', whole: false, labels: [], missing: 0, ...more });
  const values = { 'm.a': [1, 5, 9, NaN], 'm.b': [0, 1, 1, 1] };
  fillTable({ rows: 4, store: 's.db', columns: [column('m.a'), column('m.b', { labels: ["it's", 'ok'] })] }, (one) => Promise.resolve(Float32Array.from(values[one.name])));
  conditions.begins();
  const [a, b] = table.columns;
  await Promise.all([a.load(), b.load()]);
  for (const one of [a, b]) conditions.begin(one);
  Object.assign(a.condition, { used: true, operator: '>=', value: 5 });
  conditions.update(a);
  assert.deepEqual([...conditions.kept], [0, 1, 1, 0]);
  Object.assign(b.condition, { used: true, labels: new Set([0]) });
  conditions.update(b);
  assert.equal(conditions.keptCount, 0);
  conditions.combine = 'any';
  conditions.recount();
  assert.deepEqual([...conditions.kept], [1, 1, 1, 0]);
  assert.equal(conditions.where(), "m.a >= 5 or m.b = 'it''s'");
  assert.equal(term(b), "m.b = 'it''s'");
  conditions.counted = Uint8Array.of(1, 0, 1, 1);
  conditions.overrides.push((kept) => { kept[3] = 1; });
  conditions.recount();
  assert.deepEqual([...conditions.kept], [1, 0, 1, 1]);
  assert.equal(conditions.total, 3);
});

test('a histogram zooms to where the values are', async () => {
  const many = Float32Array.from({ length: 1000 }, (_, at) => (at ? 90 + (at % 10) : -1000));
  fillTable({ rows: 1000, columns: [{ name: 'm.a', metric: 'm', low: -5000, high: 5000, labels: [], whole: false }] }, () => Promise.resolve(many));
  const column = await table.columns[0].load();
  assert.ok(column.from >= 85 && column.to <= 101, `${column.from} to ${column.to}`);
  assert.equal(column.totals.reduce((sum, one) => sum + one), 1000);
});
