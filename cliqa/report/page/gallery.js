// The report's gallery: a window onto the files in order of one score. It begins at the threshold, where the doubt is.

import { beside } from './beside.js';
import { conditions } from './conditions.js';
import { $, fileName, groupBy, make, redraw, whole } from './dom.js';
import { faults } from './faults.js';
import { pictures } from './pictures.js';
import { table } from './table.js';

export const gallery = {
  column: null,
  show: 'threshold',
  offset: 0, // pages away from the threshold, or from the beginning
  rows: [], // what is on the screen
  nodes: [],
  marks: new Map(), // row -> 'keep' | 'drop'

  // Cards in a row, and on a page: whole rows, so that nothing moves when a page is turned.
  get across() {
    return getComputedStyle($('cards')).gridTemplateColumns.split(' ').length;
  },

  build() {
    const select = $('sort');
    for (const [metric, members] of groupBy(table.columns)) {
      const options = members.map((column) => make('option', { value: column.name, text: `${column.title} (${column.field})` }));
      select.append(make('optgroup', { label: metric }, ...options));
    }
    select.addEventListener('change', () => this.sortBy(table.columns.find((column) => column.name === select.value)));
    $('pictured-label').hidden = pictures.count === 0 || pictures.count === table.rows;
    $('pictured').checked = pictures.count > 0;
    $('pictured').addEventListener('change', () => this.restart());
    for (const button of document.querySelectorAll('[data-show]')) {
      button.addEventListener('click', () => { this.show = button.dataset.show; this.restart(); });
    }
    this.copies = firstGroups(table.facts.groups);
    $('show-copies').hidden = !this.copies.size;
    $('earlier').addEventListener('click', () => this.turn(-1));
    $('later').addEventListener('click', () => this.turn(1));
    $('labels').addEventListener('click', () => this.download());
    $('cards').addEventListener('keydown', (event) => this.key(event));
    this.divider = make('div', { className: 'divider', attributes: { role: 'separator' } });
  },

  async sortBy(column) {
    await column.load();
    conditions.begin(column);
    this.column = column;
    $('sort').value = column.name;
    this.restart();
  },

  // The files with the chosen fault, the worst first; without one, as before.
  async showFault() {
    const column = faults.found.find(({ fault }) => fault.column === faults.chosen)?.column;
    if (column) await this.sortBy(column);
    else this.restart();
  },

  // A threshold moved: go where it is.
  follow(column) {
    if (this.column !== column) {
      this.column = column;
      $('sort').value = column.name;
    }
    this.offset = 0;
  },

  restart() {
    this.offset = 0;
    redraw();
  },

  turn(pages) {
    this.offset += pages;
    redraw();
    $('views').scrollIntoView({ block: 'start' });
  },

  // All rows that may be shown, those that the column's own condition drops first.
  list() {
    const { column } = this;
    const only = $('pictured').checked;
    const key = only ? 'pictured' : 'order';
    if (this.show === 'copies') return [...this.copies.keys()].filter((row) => !only || pictures.has(row));
    if (only && !column.pictured) column.pictured = column.order.filter((row) => pictures.has(row));
    let list = column[key];
    const fault = faults.mask();
    if (fault) list = list.filter((row) => fault[row]);
    if (this.show === 'kept') list = list.filter((row) => conditions.kept[row]);
    if (this.show === 'dropped') list = list.filter((row) => !conditions.kept[row]);
    return this.rising ? list : list.slice().reverse();
  },

  get rising() {
    const { condition, isText } = this.column;
    return isText || condition.operator[0] === '>';
  },

  // Where in the list the column's threshold lies.
  boundary(list) {
    const { column, rising } = this;
    if (column.isText) return 0;
    const edge = Math.fround(column.condition.value);
    const strict = column.condition.operator.length === 1;
    const before = rising ? (value) => value < edge || (strict && value === edge) : (value) => value > edge || (strict && value === edge);
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(column.values[list[middle]])) low = middle + 1;
      else high = middle;
    }
    return low;
  },

  draw() {
    if (!this.column?.values) return;
    const { across } = this;
    const size = across * 8;
    const list = this.list();
    const edge = this.boundary(list);
    const around = this.show === 'threshold' && !this.column.isText && !faults.chosen;
    let start = around ? edge - 2 * across + this.offset * size : this.offset * size;
    if (this.show === 'dropped') start = Math.max(0, list.length - size) - this.offset * size; // the nearest to being kept
    const end = Math.min(list.length, start + size);
    const from = Math.max(0, start);
    this.rows = Array.from(list.slice(from, Math.max(from, end)));
    this.place(around && edge >= from && edge <= end ? edge - from : -1);
    const backwards = this.show === 'dropped';
    $('earlier').disabled = backwards ? end >= list.length : from <= 0;
    $('later').disabled = backwards ? from <= 0 : end >= list.length;
    $('nothing').hidden = this.rows.length > 0;
    const shown = this.rows.length ? `${whole(from + 1)}–${whole(end)} of ${whole(list.length)}` : 'no file';
    $('position').textContent = `${shown}${$('pictured').checked && pictures.count < table.rows ? ' with a picture' : ''}`;
    for (const button of document.querySelectorAll('[data-show]')) button.setAttribute('aria-pressed', button.dataset.show === this.show);
  },

  // Fill as many cards as are needed, made once and used again.
  place(divideAt) {
    const cards = $('cards');
    while (this.nodes.length < this.rows.length) this.nodes.push(this.card());
    this.nodes.forEach((node, i) => {
      if (i < this.rows.length) this.fill(node, this.rows[i], this.rows[i - 1]);
      if (i >= this.rows.length) node.remove();
      else if (node.parentNode !== cards || cards.children[i] !== node) cards.insertBefore(node, cards.children[i] ?? null);
    });
    if (divideAt < 0 || !this.rows.length) return this.divider.remove();
    const { name, condition } = this.column;
    this.divider.replaceChildren(
      make('span', { className: 'quiet', text: condition.used ? '↑ dropped' : '↑ would be dropped' }),
      make('b', { text: `${name} ${condition.operator} ${condition.value}` }),
      make('span', { className: 'quiet', text: condition.used ? '↓ kept' : '↓ would be kept' }),
    );
    cards.insertBefore(this.divider, this.nodes[divideAt]?.parentNode === cards ? this.nodes[divideAt] : null);
  },

  card() {
    const image = make('img', { alt: '', decoding: 'async', draggable: false });
    const empty = make('span', { text: 'no picture' });
    const mark = make('span', { className: 'mark' });
    const [score, status, file] = ['score', 'status', 'file'].map((className) => make('span', { className }));
    const node = make('button', { type: 'button', className: 'card' },
      make('span', { className: 'frame' }, empty, image, mark),
      make('span', { className: 'caption' }, make('span', { className: 'row' }, score, status), file));
    node.parts = { image, empty, mark, score, status, file };
    node.addEventListener('click', () => detail.open(node.row, this.rows));
    return node;
  },

  fill(node, row, before) {
    const { image, mark, score, status, file } = node.parts;
    const kept = conditions.kept[row] === 1;
    if (node.row !== row) {
      node.row = row;
      const url = pictures.url(row);
      image.hidden = !url;
      image.parentNode.classList.toggle('filled', Boolean(url));
      if (url) image.src = url;
    }
    const place = this.show === 'copies' ? this.copies.get(row) : undefined;
    const [kind, , best, why] = table.facts.groups[place] ?? [];
    node.classList.toggle('grouped', place !== undefined);
    node.classList.toggle('begins', place !== undefined && this.copies.get(before) !== place);
    score.textContent = place === undefined ? this.column.show(this.column.values[row]) : `group ${place + 1}`;
    status.classList.toggle('best', place !== undefined && best === row);
    status.textContent = place !== undefined && best === row ? 'best copy' : kept ? '✓ kept' : '✕ dropped';
    const words = place === undefined ? fileName(table.paths[row]) : `${fileName(table.paths[row])}: ${why[row] ?? kind}`;
    if (file.textContent !== words) file.textContent = words;
    node.title = place === undefined ? table.paths[row] : `${table.paths[row]}: ${why[row] ?? kind}`;
    node.classList.toggle('out', !kept);
    mark.hidden = !this.marks.has(row);
    mark.textContent = this.marks.get(row) ?? '';
  },

  key(event) {
    const node = event.target.closest('.card');
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const position = this.nodes.indexOf(node);
    const { across } = this;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
    if (step) {
      event.preventDefault();
      this.nodes[Math.max(0, Math.min(this.rows.length - 1, position + step))]?.focus();
    }
    if (event.key === 'k' || event.key === 'd') this.mark(node.row, event.key === 'k' ? 'keep' : 'drop');
    if (event.key === 'c') this.compare(node.row);
  },

  // The group of a row, where the page has pictures of at least two of its members.
  group(row) {
    const group = table.facts.groups[this.copies.get(row)];
    return group && beside.members(row, group).length > 1 ? group : undefined;
  },

  compare(row) {
    const group = this.group(row);
    if (group) beside.open(row, group);
  },

  mark(row, label) {
    if (this.marks.get(row) === label) this.marks.delete(row);
    else this.marks.set(row, label);
    const count = this.marks.size;
    $('labels').disabled = !count;
    $('labels').textContent = count ? `Save ${count} mark${count > 1 ? 's' : ''}` : 'Save marks';
    redraw();
  },

  // The marks as the table that cliqa.calibrate reads.
  download() {
    const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
    const lines = [...this.marks].map(([row, label]) => `${quoted(table.paths[row])},${label}`);
    const link = make('a', { href: URL.createObjectURL(new Blob([`path,label\n${lines.join('\n')}\n`], { type: 'text/csv' })), download: 'keep.csv' });
    link.click();
  },
};

export const detail = {
  row: 0,
  among: [],

  build() {
    $('close').addEventListener('click', () => $('detail').close());
    $('previous').addEventListener('click', () => this.step(-1));
    $('next').addEventListener('click', () => this.step(1));
    $('mark-keep').addEventListener('click', () => this.mark('keep'));
    $('mark-drop').addEventListener('click', () => this.mark('drop'));
    $('compare').addEventListener('click', () => gallery.compare(this.row));
    $('detail').addEventListener('click', (event) => { if (event.target === $('detail')) $('detail').close(); });
    $('detail').addEventListener('keydown', (event) => {
      if (event.key === 'ArrowLeft') this.step(-1);
      if (event.key === 'ArrowRight') this.step(1);
      if (event.key === 'k') this.mark('keep');
      if (event.key === 'd') this.mark('drop');
      if (event.key === 'c') gallery.compare(this.row);
    });
  },

  async open(row, among = [row]) {
    this.among = among.slice();
    await Promise.all(table.columns.map((column) => column.load()));
    this.fill(row);
    if (!$('detail').open) $('detail').showModal();
  },

  step(by) {
    const at = this.among.indexOf(this.row) + by;
    if (at >= 0 && at < this.among.length) this.fill(this.among[at]);
  },

  mark(label) {
    gallery.mark(this.row, label);
    this.showMark();
  },

  showMark() {
    for (const label of ['keep', 'drop']) {
      const chosen = gallery.marks.get(this.row) === label;
      $(`mark-${label}`).setAttribute('aria-pressed', chosen);
      $(`mark-${label}`).classList.toggle('chosen', chosen);
    }
  },

  fill(row) {
    this.row = row;
    const url = pictures.url(row);
    $('detail-image').hidden = !url;
    if (url) $('detail-image').src = url;
    $('detail-empty').hidden = Boolean(url);
    $('detail-name').textContent = fileName(table.paths[row]);
    $('detail-path').textContent = table.paths[row];
    const kept = conditions.kept[row];
    const found = faults.short(row);
    $('detail-verdict').textContent = `${kept ? '✓ kept' : '✕ dropped'}${found ? ` · ${found}` : ''}`;
    $('detail-verdict').className = kept ? 'in-text' : 'out-text';
    this.showMark();
    $('compare').hidden = !gallery.group(row);
    const lines = [];
    for (const [metric, members] of groupBy(table.columns)) {
      lines.push(make('tr', { className: 'metric-row' }, make('th', { colSpan: 2, text: metric, scope: 'colgroup' })));
      for (const column of members) {
        const fails = column.condition?.mask?.[row] === 1;
        const value = `${column.show(column.values[row])}${column.unit && column.values[row] === column.values[row] ? ` ${column.unit}` : ''}`;
        lines.push(make('tr', { className: fails ? 'fails' : '', title: `${column.name}: ${column.meaning}` },
          make('th', { text: column.title, scope: 'row' }), make('td', { text: fails ? `${value} ✕` : value })));
      }
    }
    $('detail-scores').replaceChildren(...lines);
  },
};

// Row -> place of the first group that it is in, group by group.
function firstGroups(groups) {
  const of = new Map();
  groups.forEach(([, rows], place) => { for (const row of rows) if (!of.has(row)) of.set(row, place); });
  return of;
}
