// Conditions: which rows are kept, and the same in SQL and on a command line.

import { redraw } from './dom.js';
import { columnOf, table } from './table.js';

export const conditions = {
  combine: 'all',
  fails: new Uint8Array(0), // per row, how many of the conditions in use it does not fulfil
  kept: new Uint8Array(0),
  keptCount: 0,
  total: 0, // of the rows that are counted
  counted: null, // Uint8Array, 1 for rows that are counted; null: all are
  overrides: [], // functions that may change `kept` after the conditions: marks, floors of groups
  listeners: [], // functions that hear which column's condition was changed
  inUse: () => table.columns.filter((column) => column.condition?.used),

  // To be called when the table is filled.
  begins() {
    this.fails = new Uint8Array(table.rows);
    this.kept = new Uint8Array(table.rows).fill(1);
    this.keptCount = this.total = table.rows;
  },

  // Where a field starts: where its filter does, else at the worse tenth; not in use.
  begin(column) {
    if (column.condition) return column.condition;
    const lower = column.better === 'lower';
    const { order, values } = column;
    const at = order.length ? values[order[Math.floor((order.length - 1) * (lower ? 0.9 : 0.1))]] : 0;
    const [operator, value] = column.begins ?? [lower ? '<=' : '>=', column.isText ? 0 : onStep(column, at, lower ? Math.ceil : Math.floor)];
    column.condition = {
      used: false,
      operator,
      value,
      labels: new Set(column.labels.keys()),
      keepMissing: false,
      keepUnsure: true, // rows in which the column can't be told, as its filter does
      mask: null, // Uint8Array, 1 where the row does not fulfil it; null while not in use
      failing: 0,
    };
    return column.condition;
  },

  // Put the conditions in use that the page begins with.
  async start() {
    const begun = table.facts.start.map(({ name, ...condition }) => [columnOf(name), condition]);
    await Promise.all(begun.map(([column]) => column.load()));
    for (const [column, condition] of begun) {
      this.begin(column);
      Object.assign(column.condition, condition, { used: true });
      this.update(column);
    }
  },

  // Every condition as it was before anybody touched it, and those of the beginning in use.
  async reset() {
    this.combine = 'all';
    this.fails.fill(0);
    for (const column of table.columns.filter(({ condition }) => condition)) {
      column.condition = null;
      column.touched = false;
      this.begin(column);
    }
    await this.start();
    this.recount();
  },

  // Recount after a change of one column's condition, or of its values.
  update(column) {
    const { condition } = column;
    const mask = condition.used ? failMask(column) : null;
    const before = condition.mask;
    const { fails, counted } = this;
    condition.failing = 0;
    for (let i = 0; i < fails.length; i++) {
      const now = mask ? mask[i] : 0;
      if (!counted || counted[i]) condition.failing += now;
      fails[i] += now - (before ? before[i] : 0);
    }
    condition.mask = mask;
    this.recount();
  },

  recount() {
    const { fails, kept, counted } = this;
    const used = this.inUse().length;
    const limit = this.combine === 'any' && used ? used - 1 : 0;
    for (let i = 0; i < fails.length; i++) kept[i] = fails[i] <= limit && (!counted || counted[i]) ? 1 : 0;
    for (const override of this.overrides) override(kept);
    let count = 0, total = 0;
    for (let i = 0; i < fails.length; i++) {
      count += kept[i];
      total += !counted || counted[i] || kept[i] ? 1 : 0;
    }
    [this.keptCount, this.total] = [count, total];
  },

  // Apply a change of a condition, from whichever control it came.
  async change(column, difference) {
    if (!column.condition) { // touched before its values were read
      await column.load();
      this.begin(column);
    }
    const start = performance.now();
    Object.assign(column.condition, typeof difference === 'function' ? difference(column.condition) : difference);
    this.update(column);
    for (const listener of this.listeners) listener(column);
    redraw(performance.now() - start);
  },

  where() {
    return this.inUse().map(term).join(this.combine === 'any' ? ' or ' : ' and ');
  },

  // The same as an option of a command line, '' where none is in use.
  whereOption() {
    const where = this.where();
    const quoted = /["$`\\!]/.test(where) ? `'${where.replaceAll("'", `'"'"'`)}'` : `"${where}"`;
    return where ? ` --where ${quoted}` : '';
  },

  command() {
    return `cliqa apply ${table.facts.store}${this.whereOption()} -o kept`;
  },
};

export function onStep(column, value, rounding) {
  return Number((rounding(value / column.step) * column.step).toFixed(column.decimals));
}

const COMPARE = {
  '>=': (value, edge) => value >= edge,
  '<=': (value, edge) => value <= edge,
  '>': (value, edge) => value > edge,
  '<': (value, edge) => value < edge,
};

// 1 where a value does not stand in that relation to the edge. Values are float32, so the edge is rounded the same way.
export function fails(values, operator, edge, ofMissing) {
  const mask = new Uint8Array(values.length);
  const compare = COMPARE[operator];
  const rounded = Math.fround(edge);
  for (let i = 0; i < values.length; i++) mask[i] = values[i] !== values[i] ? ofMissing : compare(values[i], rounded) ? 0 : 1;
  return mask;
}

// 1 where a row does not fulfil the column's condition.
function failMask(column) {
  const { values, condition } = column;
  const ofMissing = condition.keepMissing ? 0 : 1;
  if (!column.isText) {
    const mask = fails(values, condition.operator, condition.value, ofMissing);
    if (condition.keepUnsure) unsure(column)?.forEach((one, row) => { if (one) mask[row] = 0; });
    return mask;
  }
  const mask = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) mask[i] = values[i] !== values[i] ? ofMissing : condition.labels.has(values[i]) ? 0 : 1;
  return mask;
}

// 1 where a column can't be told, by another one that says how sure it is; null where there is none.
export function unsure(column) {
  const { sureness } = column;
  if (!sureness?.values) return null;
  const least = Math.fround(column.least);
  return Uint8Array.from(sureness.values, (value) => (value < least ? 1 : 0));
}

export function term(column) {
  const { condition } = column;
  const name = nameOf(column);
  let text;
  if (column.isText) {
    const chosen = [...condition.labels].sort((a, b) => a - b).map((index) => `'${column.labels[index].replaceAll("'", "''")}'`);
    text = chosen.length === 1 ? `${name} = ${chosen[0]}` : `${name} in (${chosen.join(', ')})`;
  } else if (column.isDate) {
    text = `${name} ${condition.operator} ${column.name === 'mtime_ns' ? `${Math.round(condition.value * 86400)}000000000` : `'${column.show(condition.value)}'`}`;
  } else {
    text = `${name} ${condition.operator} ${condition.value}`;
  }
  const kept = [
    ...(!column.isText && condition.keepUnsure && column.sureness ? [`${nameOf(column.sureness)} < ${column.least}`] : []),
    ...(condition.keepMissing ? [`${name} is null`] : []),
  ];
  return kept.length ? `(${[text, ...kept].join(' or ')})` : text;
}

const nameOf = ({ name }) => (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
