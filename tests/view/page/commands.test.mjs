import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFile } from 'node:fs/promises';

const { sameCommand } = await import(`data:text/javascript,${encodeURIComponent(await readFile(new URL('../../../cliqa/view/page/commands.js', import.meta.url), 'utf8'))}`);

const facts = { store: 's.db', output: 'kept', where: ' --where "a.b >= 3"' };
const command = (which, way = 'copy', along = false, where = facts.where) => sameCommand({ which, way, along }, { ...facts, where }).command;

test('the kept and the dropped ones are those of the conditions', () => {
  assert.equal(command('kept'), 'cliqa apply s.db --where "a.b >= 3" -o kept');
  assert.equal(command('dropped'), 'cliqa apply s.db --where "a.b >= 3" --invert -o kept');
  assert.equal(command('kept', 'copy', false, ''), 'cliqa apply s.db -o kept');
  assert.equal(command('dropped', 'copy', false, ''), '', 'without a condition none is dropped');
});

test('it goes the same way', () => {
  assert.equal(command('kept', 'move', true), 'cliqa apply s.db --where "a.b >= 3" -o kept --move --with-companions');
  assert.equal(command('dropped', 'link'), 'cliqa apply s.db --where "a.b >= 3" --invert -o kept --symlink');
  assert.equal(command('copies', 'hardlink'), 'cliqa duplicates s.db --keep rest -o kept --hardlink');
});

test('where no command does the same, none is shown', () => {
  for (const which of ['selected', 'marked']) assert.equal(command(which), '');
  for (const way of ['accept', 'reject']) assert.equal(command('kept', way), '');
  assert.match(sameCommand({ which: 'selected', way: 'copy' }, facts).words, /^No command does the same: .*selected\.$/);
});
