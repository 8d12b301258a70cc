// The gallery: every file, of which only those in sight are in the page. Thumbnails are asked for when they are seen.

import { $, groupBy, make, redraw } from '../report/dom.js';
import { faults } from '../report/faults.js';
import { columnOf, table } from '../report/table.js';
import { copies } from './copies.js';
import { Grid } from './grid.js';
import { nothingWords, ordered, passing, positionWords } from './shown.js';
import { fillTile, newTile } from './tile.js';

const GAP = 10;
const CAPTION = 46; // px under a picture: its name, and a line
const LINE = 17; // px of one more line
const LETTER = 6.4; // px, the mean width of a letter there, and a little for words that go on to the next line
const MOST_LINES = 8;
const HEAD = 30; // px above a group
const READABLE = 230; // px, the least width of a picture whose reason is to be read, where there is room
const TALLEST = 15e6; // px; browsers make no taller elements, and round before that

export const gallery = {
  states: new Uint8Array(0),
  list: new Uint32Array(0), // the rows that are shown, in order
  placeOf: new Map(),
  active: -1, // the row that keys go to
  selected: new Set(),
  nodes: new Map(), // row -> card
  spare: [],
  open: () => {},
  findCopies: async () => {},
  waiting: '', // what is said while they are looked for
  heads: new Map(), // place at which a group begins -> its heading
  column: null, // null: by name
  down: false,

  build() {
    const box = $('gallery-list');
    this.inner = make('div', { className: 'inner', attributes: { role: 'presentation' } });
    box.append(this.inner);
    box.addEventListener('scroll', () => this.scrolled(), { passive: true });
    new ResizeObserver(() => redraw()).observe(box);
    box.addEventListener('click', (event) => this.click(event));
    $('sort').append(make('option', { value: '', text: 'name' }));
    for (const [metric, members] of groupBy(table.columns)) {
      const options = members.map((column) => make('option', { value: column.name, text: column.title }));
      $('sort').append(make('optgroup', { label: metric }, ...options));
    }
    $('sort').addEventListener('change', () => this.sortBy(columnOf($('sort').value)));
    $('turn').addEventListener('click', () => { this.down = !this.down; this.renew(true); });
    $('show').addEventListener('change', () => this.change());
    $('find').addEventListener('input', () => this.renew(true));
    $('show-everything').addEventListener('click', () => {
      [$('find').value, $('show').value] = ['', 'all'];
      if (faults.chosen) faults.choose(null);
      this.renew(true);
    });
    $('size').addEventListener('input', () => { this.scrolledTo = this.first(); redraw(); });
  },

  async change() {
    this.renew(true);
    if ($('show').value !== 'copies') return;
    try {
      await this.findCopies((words) => { this.waiting = words; redraw(); });
    } catch (error) {
      copies.message = `Copies could not be looked for: ${error.message}`;
    }
    this.waiting = '';
    if ($('show').value === 'copies') this.renew(true);
  },

  async sortBy(column) {
    await column?.load();
    this.column = column ?? null;
    this.down = column ? column.better === 'lower' : false; // the worst first
    $('sort').value = column?.name ?? '';
    this.renew(true);
  },

  // Make the list anew; `top`: and go to its beginning.
  renew(top = false) {
    $('turn').textContent = this.down ? '↓' : '↑';
    const words = $('find').value.trim().toLowerCase();
    const show = $('show').value;
    const mask = faults.mask();
    const passes = passing(show, this);
    const found = new Uint32Array(table.rows);
    let count = 0;
    for (const row of ordered(show, this)) {
      if (mask && !mask[row]) continue;
      if (!passes(row) || (words && !table.paths[row].toLowerCase().includes(words))) continue;
      found[count++] = row;
    }
    this.list = found.slice(0, count);
    this.placeOf = null;
    this.group(show === 'copies');
    if (top) $('gallery-list').scrollTop = 0;
    if (!this.has(this.active)) this.active = count ? this.list[0] : -1;
    redraw();
  },

  // Where groups begin in the list, and how long the longest reason is.
  group(grouped) {
    this.starts = [];
    this.longest = 0;
    if (!grouped) return;
    this.list.forEach((row, place) => {
      if (!place || copies.of.get(row) !== copies.of.get(this.list[place - 1])) this.starts.push(place);
      this.longest = Math.max(this.longest, copies.words(row).length + (this.column ? 12 : 0));
    });
  },

  place(row) {
    if (!this.placeOf) {
      this.placeOf = new Int32Array(table.rows).fill(-1);
      this.list.forEach((one, place) => { this.placeOf[one] = place; });
    }
    return row >= 0 ? this.placeOf[row] ?? -1 : -1;
  },

  has(row) { return this.place(row) >= 0; },

  measure() {
    const box = $('gallery-list');
    const wide = box.clientWidth - GAP;
    const grouped = $('show').value === 'copies';
    const size = Math.max(Number($('size').value), grouped ? READABLE : 0);
    const wanted = Math.min(size, Math.max(90, wide / 2 - GAP));
    const across = Math.max(1, Math.floor(wide / (wanted + GAP)));
    const width = Math.floor(wide / across) - GAP;
    const lines = grouped ? Math.min(MOST_LINES, Math.ceil((this.longest * LETTER) / (width - 18))) : 1;
    const height = Math.round(width * 0.75) + CAPTION + (Math.max(1, lines) - 1) * LINE;
    const grid = new Grid(this.list.length, across, height + GAP, grouped ? this.starts : null, HEAD);
    this.grid = Object.assign(grid, { width, height, noteLines: lines, tall: grid.height + GAP });
    return this.grid;
  },

  // How far the content is moved: where all lines are taller than an element can be, scrolling goes through them faster.
  shift() {
    const box = $('gallery-list');
    const { tall } = this.grid;
    if (tall <= TALLEST) return 0;
    const most = TALLEST - box.clientHeight;
    return (box.scrollTop / most) * (tall - TALLEST);
  },

  first() {
    if (!this.grid) return 0;
    return this.grid.first(this.grid.lineAt($('gallery-list').scrollTop + this.shift()));
  },

  // Scrolling changes neither scores nor marks: only what has come into sight is filled.
  scrolled() {
    if (this.scrolling) return;
    this.scrolling = true;
    requestAnimationFrame(() => { this.scrolling = false; this.draw(true); });
  },

  draw(scrolling = false) {
    const box = $('gallery-list');
    if (!box.clientWidth) return;
    const grid = scrolling && this.grid ? this.grid : this.measure();
    const { width, height, tall } = grid;
    if (!scrolling) {
      this.inner.style.height = `${Math.min(tall, TALLEST)}px`;
      this.inner.classList.toggle('grouped', grid.grouped);
      this.inner.style.setProperty('--note-lines', grid.noteLines);
      this.inner.style.setProperty('--caption', `${height - Math.round(width * 0.75)}px`);
    }
    if (this.scrolledTo !== undefined) {
      box.scrollTop = this.scrolledTo < grid.count ? grid.top(grid.lineOf(this.scrolledTo)) : 0;
      this.scrolledTo = undefined;
    }
    const shift = this.shift();
    const top = box.scrollTop + shift;
    const from = grid.first(Math.max(0, grid.lineAt(top) - 1));
    const to = grid.first(grid.lineAt(top + box.clientHeight) + 2);
    const wanted = new Set(this.list.subarray(from, to));
    for (const [row, node] of this.nodes) {
      if (wanted.has(row)) continue;
      this.nodes.delete(row);
      node.parts.image.removeAttribute('src'); // what is out of sight need not be read
      node.row = undefined;
      node.remove();
      this.spare.push(node);
    }
    for (let place = from; place < to; place++) {
      const row = this.list[place];
      let node = this.nodes.get(row);
      if (node && scrolling && !shift) continue;
      if (!node) {
        node = this.spare.pop() ?? newTile();
        this.nodes.set(row, node);
        this.inner.append(node);
      }
      const line = grid.lineOf(place);
      node.style.transform = `translate(${GAP + (place - grid.first(line)) * (width + GAP)}px, ${GAP + grid.top(line) - shift}px)`;
      node.style.width = `${width}px`;
      node.style.height = `${height}px`;
      fillTile(node, row, place, this);
    }
    this.drawHeads(from, to, shift);
    if (scrolling) return;
    this.drawNothing();
    const active = this.nodes.get(this.active);
    if (active) box.setAttribute('aria-activedescendant', active.id);
    else box.removeAttribute('aria-activedescendant');
    const groups = $('show').value === 'copies' ? copies.groups.length : 0;
    $('position').textContent = positionWords({ groups, selected: this.selected.size, shown: this.list.length, total: table.rows });
  },

  // The headings of the groups that begin in sight.
  drawHeads(from, to, shift) {
    const { grid } = this;
    const wanted = new Map(grid.grouped ? [...grid.begins].filter(([, place]) => place >= from && place < to) : []);
    const places = new Set(wanted.values());
    for (const [place, head] of this.heads) if (!places.has(place)) { head.remove(); this.heads.delete(place); }
    for (const [line, place] of wanted) {
      let head = this.heads.get(place);
      if (!head) {
        head = make('div', { className: 'group-head', attributes: { 'aria-hidden': 'true' } });
        this.heads.set(place, head);
        this.inner.append(head);
      }
      const text = copies.heading(copies.of.get(this.list[place]));
      if (head.textContent !== text) head.textContent = text;
      head.style.transform = `translate(0, ${GAP + grid.top(line) - HEAD + 4 - shift}px)`;
    }
  },

  // What is said where there is no picture to show.
  drawNothing() {
    const searching = $('show').value === 'copies' && this.waiting;
    $('nothing').hidden = this.list.length > 0 && !searching;
    if ($('nothing').hidden) return;
    const [words, fault, show] = [$('find').value.trim(), Boolean(faults.mask()), $('show').value];
    const text = this.waiting || nothingWords({ words, fault, show, total: table.rows, message: copies.message });
    if ($('nothing-text').textContent !== text) $('nothing-text').textContent = text;
    $('searching').hidden = !searching;
    $('show-everything').hidden = !(words || fault || show !== 'all');
  },

  click(event) {
    const node = event.target.closest('.tile');
    if (!node) return;
    const { row } = node;
    if (event.shiftKey) this.selectTo(row);
    else if (event.ctrlKey || event.metaKey) this.select(row);
    else this.open(row);
    this.active = row;
    redraw();
  },

  select(row) {
    if (!this.selected.delete(row)) this.selected.add(row);
    redraw();
  },

  selectTo(row) {
    const [from, to] = [this.place(this.active), this.place(row)].sort((a, b) => a - b);
    for (let place = Math.max(0, from); place <= to; place++) this.selected.add(this.list[place]);
    this.active = row;
    redraw();
  },

  // Move by so many files; returns whether there was one to move to.
  move(by, selecting = false) { return this.moveTo(this.place(this.active) + by, selecting); },

  moveLines(lines, selecting) { return this.grid && this.moveTo(this.grid.below(Math.max(0, this.place(this.active)), lines), selecting); },

  moveTo(wanted, selecting) {
    const place = Math.max(0, Math.min(this.list.length - 1, wanted));
    if (!this.list.length) return false;
    const row = this.list[place];
    const moved = row !== this.active;
    if (selecting) { this.selected.add(this.active); this.selectTo(row); }
    this.active = row;
    this.reveal(row);
    redraw();
    return moved;
  },

  reveal(row) {
    const box = $('gallery-list');
    if (!this.grid) return;
    const { grid, grid: { pitch, tall } } = this;
    const line = grid.lineOf(this.place(row));
    const top = grid.top(line) - (grid.grouped && grid.begins.has(line) ? HEAD : 0);
    const scale = tall > TALLEST ? (TALLEST - box.clientHeight) / (tall - box.clientHeight) : 1;
    const seen = box.scrollTop + this.shift();
    if (top < seen) box.scrollTop = top * scale;
    else if (grid.top(line) + pitch + GAP > seen + box.clientHeight) box.scrollTop = (grid.top(line) + pitch + GAP - box.clientHeight) * scale;
  },

  // What a mark goes to: the selected files, else the active one.
  targets() {
    return this.selected.size ? [...this.selected] : this.active >= 0 ? [this.active] : [];
  },

  get lines() { return Math.max(1, Math.floor($('gallery-list').clientHeight / (this.grid?.pitch ?? 200))); },
};
