// Histograms: a card per field, a native slider over a canvas, so that touch, mouse and keyboard all work.

import { conditions, unsure } from './conditions.js';
import { $, colours, fit, groupBy, make, percent, redraw, whole } from './dom.js';
import { table } from './table.js';

const THUMB = 20; // px, the slider's handle as in page.css: the plot is inset by half of it at both ends
const HEIGHT = 64;

// The fields that stand open: those that filters decide by; where a metric has none, its first, its overall score, and levels.
export function mainFields(members) {
  const filtered = members.filter(({ main }) => main);
  return filtered.length ? filtered : members.filter(({ field, metric }, position) => metric !== 'file' && (position === 0 || /(^|_)(level|score)$/.test(field)));
}

// The others wait behind "more", but for those whose condition is in use: what drops files is always to be seen.
export function buildHistograms() {
  for (const [metric, members] of groupBy(table.columns)) {
    const section = make('div', { className: 'metric' }, make('h3', {}, make('span', { text: metric })));
    const main = mainFields(members);
    section.append(...main.map(buildField));
    const rest = members.filter((column) => !main.includes(column));
    if (rest.length) section.append(buildRest(rest, main.length > 0));
    $('metrics').append(section);
    rest.forEach((column) => { if (column.condition?.used) column.reveal(); });
  }
}

function buildRest(rest, more) {
  const summary = make('summary');
  const details = make('details', {}, summary);
  const within = () => rest.filter(({ card }) => !card || card.parentNode === details);
  const settle = () => {
    const left = within();
    const names = left.length > 3 ? `${left.length} ${more ? 'more ' : ''}fields` : left.map(({ field }) => field).join(', ');
    summary.textContent = more ? `more: ${names}` : names;
    details.hidden = !left.length;
  };
  details.addEventListener('toggle', () => {
    if (details.open) details.append(...within().filter(({ card }) => !card).map(buildField));
    else for (const column of within()) if (column.condition?.used) column.reveal();
  });
  for (const column of rest) {
    column.reveal = () => {
      if (column.card && column.card.parentNode !== details) return;
      details.before(column.card ?? buildField(column));
      settle();
    };
  }
  settle();
  return details;
}

export const visible = new Set();
let watcher = null;
const watch = () => new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const column = table.columns[target.dataset.column];
    if (isIntersecting) visible.add(column);
    else visible.delete(column);
    if (isIntersecting) column.load().then(() => { fillField(column); redraw(); });
  }
}, { rootMargin: '200px' });

// The frame of a card, at its final size; values come when it is seen.
function buildField(column) {
  const use = make('input', { type: 'checkbox', attributes: { 'aria-label': `use ${column.name}` } });
  const card = make('div', { className: 'field', data: { column: column.index } });
  const head = make('div', { className: 'field-head' }, make('label', {}, use, make('span', { text: column.title })));
  const foot = make('div', { className: 'field-foot' }, make('span'), make('span', { className: 'effect' }), make('span'));
  column.card = card;
  column.parts = { use, foot };
  use.addEventListener('change', () => conditions.change(column, { used: use.checked }));
  card.append(head, make('p', { className: 'meaning' }, make('code', { text: column.name }), ` ${column.meaning}`));
  if (column.isText) {
    column.parts.list = make('div');
    card.append(column.parts.list);
    showChoices(column);
  } else {
    const operator = make('button', { type: 'button', text: column.better === 'lower' ? '≤' : '≥', attributes: { 'aria-label': 'turn the comparison round' } });
    const number = make('input', { type: 'number', step: 'any', attributes: { 'aria-label': `threshold of ${column.name}`, inputmode: 'decimal' } });
    const canvas = make('canvas');
    const slider = make('input', { type: 'range', attributes: { 'aria-label': column.name } });
    Object.assign(column.parts, { operator, number, canvas, slider });
    head.append(operator, number);
    if (column.unit && column.unit.length < 6) head.append(make('span', { className: 'quiet small', text: column.unit }));
    card.append(make('div', { className: 'plot' }, canvas, slider));
    slider.addEventListener('input', () => conditions.change(column, { value: Number(slider.value), used: true }));
    number.addEventListener('change', () => { if (number.value !== '') conditions.change(column, { value: Number(number.value), used: true }); });
    operator.addEventListener('click', () => conditions.change(column, (condition) => ({ operator: condition.operator[0] === '>' ? '<=' : '>=', used: true })));
  }
  card.append(foot);
  const box = make('input', { type: 'checkbox' });
  const words = make('span', { text: `keep the ${whole(column.missing)} without a value` });
  box.addEventListener('change', () => conditions.change(column, { keepMissing: box.checked }));
  column.parts.missing = make('label', { className: 'missing', hidden: !column.missing }, box, words);
  if (column.missing || conditions.counted) card.append(column.parts.missing);
  if (column.sureness) {
    const unsureBox = make('input', { type: 'checkbox', checked: true });
    unsureBox.addEventListener('change', () => conditions.change(column, { keepUnsure: unsureBox.checked }));
    column.parts.unsure = make('label', { className: 'missing' }, unsureBox, make('span', { text: 'keep those that can’t be told' }));
    card.append(column.parts.unsure);
  }
  watcher ??= watch();
  watcher.observe(card);
  return card;
}

// The labels to choose from, as they are now.
export function showChoices(column) {
  if (!column.isText || !column.parts) return;
  column.parts.choices = [];
  column.parts.list.replaceChildren(...column.labels.map((label, index) => buildChoice(column, label, index)));
  if (!column.labels.length) column.parts.list.append(make('p', { className: 'quiet small', text: 'nothing to choose from (yet)' }));
}

function buildChoice(column, label, index) {
  const box = make('input', { type: 'checkbox', checked: true, attributes: { 'aria-label': `${column.name}: ${label}` } });
  const number = make('span', { className: 'number' });
  const [total, kept] = [make('i'), make('i')];
  column.parts.choices.push({ box, number, total, kept });
  box.addEventListener('change', () => {
    const chosen = box.checked;
    conditions.change(column, (condition) => {
      const labels = new Set(condition.labels);
      if (chosen) labels.add(index);
      else labels.delete(index);
      return { labels, used: labels.size < column.labels.length };
    });
  });
  return make('label', { className: 'choice' }, box, make('span', { className: 'name', text: label }), make('span', { className: 'track' }, total, kept), number);
}

// What depends on the values: called when they are there, and again when `filled` was taken back because they have changed.
export function fillField(column) {
  conditions.begin(column);
  const { parts } = column;
  if (parts.filled) return;
  parts.filled = true;
  if (column.isText && parts.choices.length !== column.labels.length) showChoices(column);
  if (!column.isText) {
    Object.assign(parts.slider, { min: column.from, max: column.to, step: column.step });
    parts.foot.children[0].textContent = column.show(column.from);
    parts.foot.children[2].textContent = column.show(column.to);
  }
  showCondition(column);
}

// How many rows are counted, and how many of them have no value.
const counted = () => conditions.counted.reduce((sum, one) => sum + one, 0);
function missing(column) {
  if (!conditions.counted || !column.values) return column.missing;
  return conditions.counted.reduce((sum, one, row) => sum + (one && column.values[row] !== column.values[row] ? 1 : 0), 0);
}

export function showCondition(column) {
  const { condition, parts, card } = column;
  if (!card) return;
  const without = missing(column);
  parts.missing.hidden = !without;
  parts.missing.lastChild.textContent = `keep the ${whole(without)} without a value`;
  parts.missing.firstChild.checked = condition.keepMissing;
  if (parts.unsure) {
    parts.unsure.firstChild.checked = condition.keepUnsure;
    const some = unsure(column)?.reduce((sum, one) => sum + one, 0) ?? 0;
    parts.unsure.lastChild.textContent = `keep the ${whole(some)} that can’t be told`;
  }
  card.classList.toggle('used', condition.used);
  parts.use.checked = condition.used;
  const loss = column.isText || condition.used ? percent(condition.failing, conditions.counted ? counted() : table.rows) : '';
  parts.foot.children[1].textContent = condition.used ? `drops ${loss} by itself` : '';
  if (column.isText) {
    parts.choices.forEach(({ box }, index) => { box.checked = condition.labels.has(index); });
    return;
  }
  parts.operator.textContent = { '>=': '≥', '<=': '≤' }[condition.operator] ?? condition.operator;
  if (document.activeElement !== parts.number) parts.number.value = condition.value;
  parts.slider.value = condition.value;
  parts.slider.setAttribute('aria-valuetext', `${condition.operator} ${condition.value}`);
}

export function drawField(column) {
  if (!column.values) return;
  const kept = new Uint32Array(256);
  const { binOf, totals } = column;
  const flags = conditions.kept;
  for (let i = 0; i < binOf.length; i++) kept[binOf[i]] += flags[i];
  if (column.isText) drawChoices(column, kept);
  else drawBars(column, totals, kept);
}

function drawChoices(column, kept) {
  const most = Math.max(...column.labels.map((_, index) => column.totals[index]));
  column.parts.choices.forEach(({ number, total, kept: bar }, index) => {
    total.style.transform = `scaleX(${column.totals[index] / most})`;
    bar.style.transform = `scaleX(${kept[index] / most})`;
    number.textContent = whole(column.totals[index]);
  });
}

function drawBars(column, totals, kept) {
  const { context, width } = fit(column.parts.canvas);
  const span = width - THUMB;
  const slots = column.perValue ? column.bins - 1 : column.bins;
  const pitch = span / Math.max(1, slots);
  const bar = column.perValue ? Math.max(3, Math.min(16, pitch * 0.7)) : pitch - (pitch > 4 ? 1 : 0.4);
  let most = 1;
  for (let bin = 0; bin < column.bins; bin++) most = Math.max(most, totals[bin]);
  const tall = (number) => (number ? Math.max(1.5, Math.sqrt(number / most) * (HEIGHT - 16)) : 0);
  for (const [counts, colour] of [[totals, colours.bar], [kept, colours.kept]]) {
    context.fillStyle = colour;
    for (let bin = 0; bin < column.bins; bin++) {
      const x = THUMB / 2 + bin * pitch - (column.perValue ? bar / 2 : 0);
      const height = tall(counts[bin]);
      context.fillRect(x, HEIGHT - 1 - height, bar, height);
    }
  }
  context.fillStyle = colours.line;
  context.fillRect(THUMB / 2, HEIGHT - 1, span, 1);
}

// The choices above all thresholds; `counted` counts the faults again, `shown` follows what has changed.
export function buildChoices(counted, shown) {
  const show = () => {
    for (const way of ['all', 'any']) $(`combine-${way}`).setAttribute('aria-pressed', way === conditions.combine);
    for (const column of table.columns) if (column.card && column.condition) showCondition(column);
    shown();
  };
  for (const way of ['all', 'any']) {
    $(`combine-${way}`).addEventListener('click', () => { conditions.combine = way; conditions.recount(); show(); });
  }
  $('reset').addEventListener('click', async () => {
    await conditions.reset();
    show();
    await counted();
    shown();
  });
}
