// The viewer: what it begins with, and what happens when something changes.

import { conditions } from '../report/conditions.js';
import { $, make, painters, percent, readColours, redraw, whole } from '../report/dom.js';
import { faults } from '../report/faults.js';
import { buildChoices, buildHistograms, drawField, fillField, showCondition, visible } from '../report/histograms.js';
import { issues } from '../report/issues.js';
import { scatter } from '../report/scatter.js';
import { columnOf, fillTable, table } from '../report/table.js';
import { buildTabs } from '../report/tabs.js';
import { acting } from './acting.js';
import { copies } from './copies.js';
import { foldersOf, raise } from './floors.js';
import { gallery } from './gallery.js';
import { buildKeys } from './keys.js';
import { live } from './live.js';
import { marks } from './marks.js';
import { picture } from './picture.js';
import { Refused, ask, askJson, readColumn, tell } from './server.js';

let folders = null;

function showTally() {
  const { keptCount, total } = conditions;
  $('kept').textContent = whole(keptCount);
  $('kept-share').textContent = total ? `(${percent(keptCount, total)})` : '';
  $('dropped').textContent = whole(total - keptCount);
  $('proportion').style.transform = `scaleX(${total ? keptCount / total : 1})`;
}

// What a person said stands over what the scores say; then each folder gets its least.
function override(kept) {
  const barred = new Uint8Array(table.rows);
  for (let row = 0; row < barred.length; row++) if (gallery.states[row] !== 1) barred[row] = 1;
  if ($('marks-decide').checked) {
    for (const [row, { flag }] of marks.of) {
      if (flag === 'keep') kept[row] = 1;
      if (flag === 'drop') [kept[row], barred[row]] = [0, 1];
    }
  }
  const least = Number($('floor').value) || 0;
  if (!least) return;
  folders ??= foldersOf(table.paths);
  const column = columnOf('grepq.quality')?.values ? columnOf('grepq.quality') : conditions.inUse().find((one) => !one.isText);
  const turn = column?.better === 'lower' ? 1 : -1;
  raise(kept, folders, least, conditions.fails, barred, column ? (a, b) => turn * (column.values[a] - column.values[b]) || 0 : undefined);
}

let counting = 0;
function changed(column) {
  column.touched = true;
  showCondition(column);
  clearTimeout(counting);
  counting = setTimeout(async () => { await faults.count(); renewIfShown(); }, 120); // when the hand rests
}

// The list follows the verdicts only where it is made by them; what is looked at stays.
function renewIfShown() {
  if (faults.chosen || ['kept', 'dropped', 'near'].includes($('show').value)) gallery.renew();
  redraw();
}

function buildTop() {
  buildChoices(() => faults.count(), renewIfShown);
  for (const id of ['marks-decide', 'floor']) $(id).addEventListener('input', () => { conditions.recount(); renewIfShown(); });
  for (const [open, dialog] of [['help-open', 'help']]) $(open).addEventListener('click', () => $(dialog).showModal());
  for (const dialog of ['help', 'learning', 'acting']) {
    $(dialog).addEventListener('click', (event) => { if (event.target === $(dialog)) $(dialog).close(); });
    $(`${dialog === 'acting' ? 'act' : dialog}-close`).addEventListener('click', () => $(dialog).close());
  }
  for (const id of ['learn', 'learn-narrow']) $(id).addEventListener('click', learn);
  const measureTop = () => document.documentElement.style.setProperty('--top', `${document.querySelector('.top').offsetHeight}px`);
  new ResizeObserver(() => { measureTop(); redraw(); }).observe(document.querySelector('.top'));
  measureTop();
}

function notice(source) {
  return (text) => {
    if (!text && $('notice').dataset.source !== source) return;
    $('notice').dataset.source = source;
    $('notice').hidden = !text;
    if ($('notice').textContent !== text) $('notice').textContent = text;
  };
}

function put(column, difference) {
  conditions.begin(column);
  Object.assign(column.condition, difference);
  conditions.update(column);
  if (column.card) { fillField(column); showCondition(column); }
}

// Thresholds from the marks: proposed first, moved on request.
async function learn() {
  $('learning-apply').disabled = true;
  $('learning-text').replaceChildren(make('p', { text: 'Learning …' }));
  $('learning').showModal();
  let told;
  try {
    told = await tell('/api/calibrate', {});
    if (told.message) throw new Error(told.message);
  } catch (error) {
    $('learning-text').replaceChildren(make('p', { text: `${error.message}.` }));
    return;
  }
  const share = (value) => (value === null ? '–' : `${Math.round(100 * value)} %`);
  const between = ([low, high]) => ` (${share(low)} to ${share(high)})`;
  const terms = told.conditions.map(({ name, operator, value }) =>
    make('li', {}, make('b', { text: columnOf(name)?.title ?? name }), ` ${{ '>=': '≥', '<=': '≤' }[operator]} ${value} `, make('code', { className: 'quiet', text: name })));
  $('learning-text').replaceChildren(
    make('p', { text: `From ${told.keep} files marked keep and ${told.drop} marked drop:` }),
    make('ul', {}, ...terms),
    make('p', { text: `Of the files that these conditions keep, ${share(told.precision)}${between(told.precision_interval)} are keepers; of the keepers they keep ${share(told.recall)}${between(told.recall_interval)}. Both are estimated on marks that the thresholds were not chosen by.` }),
    ...(told.useful ? [] : [make('p', { className: 'out-text', text: 'The scores hardly tell your marks apart: don’t rely on these.' })]),
  );
  $('learning-apply').disabled = false;
  $('learning-apply').onclick = async () => {
    $('learning').close();
    for (const column of conditions.inUse()) put(column, { used: false });
    for (const { name, operator, value } of told.conditions) {
      const column = columnOf(name);
      await column.load();
      column.reveal?.();
      put(column, { operator, value, used: true, keepUnsure: false });
    }
    await faults.count();
    renewIfShown();
  };
}

async function main() {
  readColours();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { readColours(); redraw(); });
  const [facts, paths] = await Promise.all([askJson('/api/table'), ask('/api/paths').then((answer) => answer.text())]);
  fillTable(facts, readColumn);
  table.paths = table.rows ? paths.split('\n') : [];
  document.title = `${facts.title} · cliqa`;
  $('title').textContent = facts.title;
  gallery.states = new Uint8Array(table.rows);
  conditions.begins();
  conditions.counted = new Uint8Array(table.rows);
  conditions.overrides.push(override);
  conditions.listeners.push(changed);
  painters.push(
    showTally,
    () => { for (const column of visible) drawField(column); },
    () => { if ($('gallery').offsetParent) gallery.draw(); },
    () => scatter.draw(),
  );
  scatter.open = gallery.open = (row) => { gallery.active = row; picture.open(row); };
  gallery.findCopies = (heard) => copies.load(live.version, heard);
  faults.changed = () => gallery.renew(true);
  marks.trouble = notice('marks');
  live.trouble = notice('live');
  const shownIssues = [];
  live.issues = (found) => {
    shownIssues.splice(0, shownIssues.length, ...found.map(([row, kind, message]) => [table.paths[row], kind, message]));
    table.facts.issues = shownIssues.length;
    issues.draw();
  };
  table.facts.issues = 0;
  issues.build(shownIssues);
  buildTop();
  buildTabs((tab) => { if (tab.id === 'tab-scatter') scatter.choose(); });
  gallery.build();
  picture.build();
  acting.build();
  buildKeys();
  gallery.renew();
  document.documentElement.dataset.built = 'true';
  gallery.draw();
  $('gallery-list').focus({ focusVisible: false });
  marks.listeners.push(() => {
    conditions.recount();
    if (['marked', 'unmarked'].includes($('show').value) && !$('picture').open) gallery.renew();
    redraw();
  });
  const first = askJson('/api/progress');
  await conditions.start();
  buildHistograms();
  scatter.build();
  const progress = await first;
  live.show(progress);
  live.version = progress.version;
  await Promise.all([live.renew(true), marks.begin(facts.session)]);
  document.documentElement.dataset.ready = 'true';
  performance.mark('ready');
  setTimeout(() => live.follow(), progress.running ? 300 : 2000);
}

main().catch((error) => {
  $('fatal').hidden = false;
  $('fatal').textContent = error instanceof Refused ? 'Open the address that the viewer printed: it carries the secret of this session.' : `The page can't be shown: ${error.message}`;
});
