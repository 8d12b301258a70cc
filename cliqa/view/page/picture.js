// The picture, large: why it has its scores and where, other pictures, another one beside it.

import { conditions } from '../report/conditions.js';
import { $, fileName, groupBy, make, redraw } from '../report/dom.js';
import { table } from '../report/table.js';
import { sameView } from './compare.js';
import { copies } from './copies.js';
import { gallery } from './gallery.js';
import { marks } from './marks.js';
import { askJson } from './server.js';
import { sharpnessMap } from './sharp_map.js';
import { Stage } from './stage.js';

export const picture = {
  stages: [],
  side: 0, // the stage that keys and the words beside go to
  zoom: 'fit', // what the next picture begins with: 'fit', 1 or 2

  build() {
    this.stages = [$('stage-a'), $('stage-b')].map((element) => new Stage(element, (stage) => this.follow(stage)));
    this.stages.forEach((stage, side) => stage.element.addEventListener('pointerdown', () => this.choose(side), true));
    for (const stage of this.stages) stage.element.addEventListener('focus', () => this.choose(this.stages.indexOf(stage)));
    $('close').addEventListener('click', () => $('picture').close());
    $('picture').addEventListener('close', () => { this.compare(false); $('gallery-list').focus(); redraw(); });
    $('previous').addEventListener('click', () => this.step(-1));
    $('next').addEventListener('click', () => this.step(1));
    $('compare').addEventListener('click', () => this.compare(!this.comparing));
    for (const button of document.querySelectorAll('[data-zoom]')) {
      button.addEventListener('click', () => this.setZoom(button.dataset.zoom === 'fit' ? 'fit' : Number(button.dataset.zoom)));
    }
    $('stars').append(...[1, 2, 3, 4, 5].map((count) => {
      const star = make('button', { type: 'button', text: '★', attributes: { 'aria-label': `${count} star${count > 1 ? 's' : ''}` } });
      star.addEventListener('click', () => this.onStars(count));
      return star;
    }));
    marks.listeners.push(() => { if ($('picture').open) this.showMark(); });
  },

  get comparing() { return !$('stage-b').hidden; },
  get stage() { return this.stages[this.side]; },
  get row() { return this.stage.row; },

  async open(row) {
    await Promise.all(table.columns.map((column) => column.load()));
    if (!$('picture').open) $('picture').showModal();
    this.fill(0, row);
    this.choose(0);
    this.stages[0].element.focus();
  },

  fill(side, row) {
    const stage = this.stages[side];
    stage.show(row);
    stage.set(this.zoom === 'fit' ? { scale: 0 } : { scale: this.zoom * stage.unit });
    stage.element.setAttribute('aria-label', `${side ? 'To compare: ' : ''}${fileName(table.paths[row])}`);
    if (side === this.side) this.describe();
    this.reason(stage, row);
  },

  // Ask why, and show where.
  async reason(stage, row) {
    let told;
    try {
      told = await askJson(`/api/reasons/${row}`);
    } catch (error) {
      told = { reasons: [], message: error.message };
    }
    if (stage.row !== row) return; // another one was opened meanwhile
    stage.told = told;
    const chosen = told.reasons.find(({ fault, box }) => fault && box) ?? told.reasons.find(({ box }) => box);
    stage.chosen = chosen;
    stage.point(chosen?.box ?? null);
    if (this.zoom !== 'fit' && chosen?.box) stage.goTo(chosen.box, this.zoom * stage.unit);
    if (stage === this.stage) this.showReasons();
  },

  describe() {
    const { row } = this;
    const kept = conditions.kept[row];
    $('picture-name').textContent = fileName(table.paths[row]);
    $('picture-path').textContent = table.paths[row];
    const place = gallery.place(row);
    $('picture-verdict').textContent = `${kept ? '✓ kept' : gallery.states[row] === 1 ? '✕ dropped' : 'not scored'}${place >= 0 ? ` · ${place + 1} of ${gallery.list.length}` : ''}`;
    $('picture-verdict').className = kept ? 'in-text' : gallery.states[row] === 1 ? 'out-text' : 'quiet';
    const told = $('show').value === 'copies' ? copies.words(row) : '';
    $('picture-copies').hidden = !told;
    $('picture-copies').textContent = told && `Group ${told} (${copies.kindOf(row)})`;
    this.showMark();
    this.showReasons();
    const lines = [];
    for (const [metric, members] of groupBy(table.columns)) {
      const told = members.filter((column) => column.values[row] === column.values[row]);
      if (!told.length) continue;
      lines.push(make('tr', { className: 'metric-row' }, make('th', { colSpan: 2, text: metric, scope: 'colgroup' })));
      for (const column of told) {
        const fails = column.condition?.mask?.[row] === 1;
        const value = `${column.show(column.values[row])} ${column.unit}`.trim();
        lines.push(make('tr', { className: fails ? 'fails' : '', title: `${column.name}: ${column.meaning}` },
          make('th', { text: column.title, scope: 'row' }), make('td', { text: fails ? `${value} ✕` : value })));
      }
    }
    $('picture-scores').replaceChildren(...lines);
  },

  showReasons() {
    const { stage } = this;
    const told = stage.told;
    if (!told) return $('reasons').replaceChildren(make('li', { className: 'quiet', text: 'Looking for the place that decided …' }));
    const items = told.reasons.map((reason) => {
      const button = make('button', { type: 'button', className: 'reason', disabled: !reason.box, attributes: { 'aria-pressed': reason === stage.chosen } },
        make('b', { text: reason.title }), make('span', { text: reason.sentence }), ...(reason.cells ? sharpnessMap(reason.cells) : []));
      button.addEventListener('click', () => {
        stage.chosen = reason;
        stage.point(reason.box);
        stage.goTo(reason.box, (this.zoom === 'fit' ? 1 : this.zoom) * stage.unit);
        this.showReasons();
      });
      return make('li', { className: reason.fault ? 'bad' : '' }, button);
    });
    if (!items.length) items.push(make('li', { className: 'quiet', text: told.message ?? 'It has no scores yet.' }));
    return $('reasons').replaceChildren(...items);
  },

  showMark() {
    for (const flag of ['keep', 'drop']) {
      const chosen = marks.flag(this.row) === flag;
      $(`mark-${flag}`).setAttribute('aria-pressed', chosen);
      $(`mark-${flag}`).classList.toggle('chosen', chosen);
    }
    [...$('stars').children].forEach((star, at) => star.classList.toggle('lit', at < marks.stars(this.row)));
    [...$('stars').children].forEach((star, at) => star.setAttribute('aria-pressed', at + 1 === marks.stars(this.row)));
  },

  setZoom(zoom) {
    this.zoom = zoom;
    const { stage } = this;
    if (zoom === 'fit') stage.zoomTo(0);
    else stage.goTo(stage.box, zoom * stage.unit);
  },

  // Z: fit, then 100 % and 200 % of the place that decided.
  nextZoom() {
    this.setZoom(this.zoom === 'fit' ? 1 : this.zoom === 1 ? 2 : 'fit');
  },

  follow(stage) {
    const { scale } = stage.view;
    const shown = !scale ? 'fit' : String(scale / stage.unit);
    for (const button of document.querySelectorAll('[data-zoom]')) button.setAttribute('aria-pressed', button.dataset.zoom === shown);
    if (!scale) this.zoom = 'fit';
    if (!this.comparing) return;
    const other = this.stages.find((one) => one !== stage);
    if (other.size.width && stage.size.width) other.set(sameView(stage.view, stage.size, other.size));
  },

  choose(side) {
    this.side = this.comparing ? side : 0;
    this.stages.forEach((stage, at) => stage.element.classList.toggle('chosen', this.comparing && at === this.side));
    if (this.stage.row !== undefined) this.describe();
  },

  // Beside the picture stands the next one, or the next of those that are selected.
  compare(on) {
    $('stage-b').hidden = !on;
    $('compare').setAttribute('aria-pressed', on);
    $('stages').classList.toggle('two', on);
    if (on) {
      const { row } = this.stages[0];
      const beside = $('show').value === 'copies' ? copies.beside(row) : [];
      const among = beside.length ? beside : gallery.selected.has(row) && gallery.selected.size > 1 ? [...gallery.selected] : Array.from(gallery.list);
      this.fill(1, among[(among.indexOf(row) + 1) % among.length] ?? row);
      this.stages[1].set(sameView(this.stages[0].view, this.stages[0].size, this.stages[0].size));
      this.choose(1);
    } else {
      this.choose(0);
    }
  },

  step(by) {
    if (this.comparing) {
      const place = gallery.place(this.row) + by;
      if (place < 0 || place >= gallery.list.length) return false;
      this.fill(this.side, gallery.list[place]);
      return true;
    }
    gallery.active = this.row;
    if (!gallery.move(by)) return false;
    this.fill(0, gallery.active);
    return true;
  },

  onStars: () => {},
};
