// The table that a page shows: columns of numbers and labels, and the files' paths. Who fills it decides where they come from.

import { niceStep, sortedRows } from './sorting.js';

const BINS = 64;
const NO_BIN = 255;
const ZOOM = 1.6; // the whole range may be so many times the range of most values; beyond, a histogram zooms to these
const LEVELS = 16; // a scale of so few steps is shown whole
const TAIL = 0.005; // the share of the values at either end that may lie outside of a zoomed histogram

// `rows`, `columns` and `paths` are filled by `fillTable`; `facts` is what the page was told at its start.
export const table = { rows: 0, columns: [], paths: [], facts: {} };

export function fillTable(facts, read) {
  Object.assign(table, { rows: facts.rows, facts });
  table.columns = facts.columns.map((description, index) => new Column(description, index, read));
}

export const columnOf = (name) => table.columns.find((column) => column.name === name);

export class Column {
  // `read(column)` promises the values: Float32Array, NaN where missing.
  constructor(description, index, read) {
    Object.assign(this, description);
    this.index = index;
    this.values = null;
    this.reader = read;
    this.condition = null; // see conditions.js
  }

  get isText() { return Boolean(this.text) || this.labels.length > 0; }

  // The column that says how sure this one is, if there is one.
  get sureness() { return this.sure ? columnOf(this.sure) : undefined; }

  load() {
    this.loading ??= Promise.all([this.reader(this), this.sureness?.load()]).then(([values]) => this.setValues(values));
    return this.loading;
  }

  setValues(values) {
    this.values = values;
    this.sorted = this.pictured = null;
    let missing = 0;
    for (let i = 0; i < values.length; i++) missing += values[i] !== values[i] ? 1 : 0;
    this.missing = missing;
    this.setRange();
    this.fillBins();
    return this;
  }

  // What the histogram spans: where the values are, and the threshold that the column begins with.
  setRange() {
    const { order, values } = this;
    const at = (share) => values[order[Math.round(share * (order.length - 1))]];
    let [low, high] = order.length ? [at(0), at(1)] : [this.low, this.high];
    if (order.length && !this.isText && !this.whole && high - low > ZOOM * (at(1 - TAIL) - at(TAIL))) {
      const margin = 0.1 * (at(1 - TAIL) - at(TAIL)) || (high - low) / 20;
      [low, high] = [Math.max(low, at(TAIL) - margin), Math.min(high, at(1 - TAIL) + margin)];
    }
    for (const begins of [this.begins?.[1], table.facts.start?.find((one) => one.name === this.name)?.value]) {
      if (begins !== undefined) [low, high] = [Math.min(low, begins), Math.max(high, begins)];
    }
    if (this.whole && this.high > this.low && this.high - this.low <= LEVELS) [low, high] = [Math.min(low, this.low), Math.max(high, this.high)];
    if (this.isText) [low, high] = [0, this.labels.length - 1];
    if (high <= low) [low, high] = [low - 1, low + 1];
    this.step = this.whole ? 1 : niceStep(high - low, 2000);
    this.decimals = Math.max(0, -Math.floor(Math.log10(this.step) + 1e-9));
    this.from = Number((Math.floor(low / this.step + 1e-6) * this.step).toFixed(this.decimals));
    this.to = Number((Math.ceil(high / this.step - 1e-6) * this.step).toFixed(this.decimals));
    this.perValue = this.whole && this.to - this.from < BINS;
    this.bins = this.isText || this.perValue ? Math.round(this.to - this.from) + 1 : BINS;
  }

  fillBins() {
    const { values, from, bins } = this;
    const scale = this.isText || this.perValue ? 1 : bins / (this.to - from);
    this.binOf = new Uint8Array(values.length);
    this.totals = new Uint32Array(256);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      const bin = value !== value ? NO_BIN : Math.max(0, Math.min(bins - 1, Math.floor((value - from) * scale)));
      this.binOf[i] = bin;
      this.totals[bin]++;
    }
  }

  // Row numbers by rising value, rows without a value left out.
  get order() {
    this.sorted ??= sortedRows(this.values);
    return this.sorted;
  }

  show(value) {
    if (value === undefined || value !== value) return '–';
    if (this.isText) return this.labels[value];
    if (this.isDate) return new Date(value * 86400000).toISOString().slice(0, 10);
    return value.toLocaleString('en-US', { maximumFractionDigits: this.whole ? 0 : Math.min(this.decimals, 4), useGrouping: false });
  }
}
