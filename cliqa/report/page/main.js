// The report's page: what it begins with, and what is drawn when something changes.

import { beside } from './beside.js';
import { conditions } from './conditions.js';
import { $, copyText, painters, percent, readColours, redraw, whole } from './dom.js';
import { faults } from './faults.js';
import { detail, gallery } from './gallery.js';
import { buildChoices, buildHistograms, drawField, fillField, showCondition, visible } from './histograms.js';
import { issues } from './issues.js';
import { inflated, readPacked } from './packed.js';
import { fillPictures } from './pictures.js';
import { scatter } from './scatter.js';
import { fillTable, table } from './table.js';
import { buildTabs } from './tabs.js';

let drawn = ''; // the command on the screen

function showTally() {
  const { keptCount } = conditions;
  $('kept').textContent = whole(keptCount);
  $('kept-share').textContent = `(${percent(keptCount, table.rows)})`;
  $('dropped').textContent = whole(table.rows - keptCount);
  $('proportion').style.transform = `scaleX(${table.rows ? keptCount / table.rows : 0})`;
  const command = conditions.command();
  if (command !== drawn) $('command').textContent = drawn = command;
}

function buildTop() {
  $('copy').addEventListener('click', copyCommand);
  buildChoices(() => faults.count(), redraw);
  $('notice').hidden = !table.facts.lost;
  $('notice').textContent = table.facts.lost && `There are no pictures here: ${table.facts.lost}`;
  const measureTop = () => document.documentElement.style.setProperty('--top', `${document.querySelector('.top').offsetHeight}px`);
  measureTop();
  addEventListener('resize', () => { measureTop(); redraw(); });
}

async function copyCommand() {
  await copyText(conditions.command(), $('command'));
  $('copy').textContent = 'Copied';
  setTimeout(() => { $('copy').textContent = 'Copy'; }, 1500);
}

async function loadText(id) {
  return new TextDecoder().decode(await inflated(id));
}

let counting = 0;
function recountFaults() {
  clearTimeout(counting);
  counting = setTimeout(async () => { await faults.count(); redraw(); }, 120); // when the hand rests
}

// The thresholds that the page was made with, the filters' own where none were asked for.
async function begin() {
  await conditions.start();
  for (const column of conditions.inUse()) {
    column.reveal?.();
    fillField(column);
    showCondition(column);
  }
  await faults.count();
  const [first] = [...conditions.inUse(), ...table.columns.filter((column) => !column.isText)];
  if (first) await gallery.sortBy(first);
  else $('position').textContent = 'No file was scored.';
}

async function main() {
  if (!('DecompressionStream' in window)) throw new Error('this browser is too old for the page (before 2023); open it in a current one');
  const facts = JSON.parse($('facts').textContent);
  fillTable(facts, readPacked);
  fillPictures(facts.pictures);
  conditions.begins();
  conditions.listeners.push(showCondition, (column) => gallery.follow(column), recountFaults);
  faults.changed = () => gallery.showFault();
  painters.push(
    showTally,
    () => { for (const column of visible) drawField(column); },
    () => { if ($('gallery').offsetParent) gallery.draw(); },
    () => scatter.draw(),
  );
  scatter.open = (row) => detail.open(row);
  readColours();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { readColours(); redraw(); });
  buildTop();
  buildTabs((tab) => { if (tab.id === 'tab-scatter') scatter.choose(); });
  gallery.build();
  detail.build();
  beside.build();
  scatter.build();
  buildHistograms();
  document.documentElement.dataset.built = 'true';
  const paths = await loadText('paths');
  table.paths = table.rows ? paths.split('\n') : [];
  await begin();
  redraw();
  issues.build(JSON.parse(await loadText('issues')));
  document.documentElement.dataset.ready = 'true';
  performance.mark('ready');
}

main().catch((error) => {
  $('fatal').hidden = false;
  $('fatal').textContent = `The page can't be shown: ${error.message}`;
});
