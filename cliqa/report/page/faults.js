// Faults in words: how many files have each, a click that shows them, and what stands under a picture.

import { conditions, fails } from './conditions.js';
import { $, make, whole } from './dom.js';
import { columnOf, table } from './table.js';

const FAULTLESS = { '<': '>=', '>': '<=', '>=': '<' }; // the condition that files without the fault fulfil

export const faults = {
  found: [], // { fault, column, mask, count }: the mask is 1 where a file has the fault
  chosen: null, // the fault whose files are shown
  changed: () => {}, // what hears that another was chosen

  // Count anew, by the thresholds of the moment.
  async count() {
    const found = [];
    for (const fault of table.facts.faults) {
      const column = columnOf(fault.column);
      const sure = fault.sure ? columnOf(fault.sure) : null;
      await Promise.all([column.load(), sure?.load()]);
      const mask = fails(column.values, FAULTLESS[fault.operator], edgeOf(fault, column), 0);
      if (sure) for (let i = 0; i < mask.length; i++) if (!(sure.values[i] >= fault.least)) mask[i] = 0;
      let count = 0;
      for (let i = 0; i < mask.length; i++) count += mask[i];
      found.push({ fault, column, mask, count });
    }
    this.found = found;
    this.draw();
  },

  // Those that drop files, the most frequent first; then those that do not, each with a button that switches its condition on.
  draw() {
    const some = this.found.filter(({ count }) => count).sort((a, b) => b.count - a.count);
    const [dropping, sparing] = [some.filter(drops), some.filter((one) => !drops(one))];
    const chips = dropping.map((one) => this.chip(one));
    if (sparing.length) chips.push(make('span', { className: 'quiet', text: sparing.every(({ fault }) => fault.taste) ? 'Taste, not among the conditions:' : 'Not among the conditions:' }));
    for (const one of sparing) chips.push(make('span', { className: 'fault-pair' }, this.chip(one), this.switchOf(one)));
    if (!chips.length) chips.push(make('span', { className: 'quiet', text: this.found.length ? 'No fault was found so far.' : 'There are no scores yet.' }));
    const buttons = () => [...$('faults').querySelectorAll('button')];
    const focused = buttons().indexOf(document.activeElement);
    $('faults').replaceChildren(...chips);
    if (focused >= 0) buttons()[Math.min(focused, buttons().length - 1)]?.focus();
  },

  chip({ fault, column, count }) {
    const words = (count === 1 ? fault.one : fault.many).replace('{}', column.show(edgeOf(fault, column)));
    const chip = make('button', { type: 'button', className: 'fault', attributes: { 'aria-pressed': this.chosen === fault.column } },
      make('b', { text: whole(count) }), ` ${words}`);
    chip.addEventListener('click', () => this.choose(this.chosen === fault.column ? null : fault.column));
    return chip;
  },

  switchOf({ fault, column }) {
    const words = `Drop those that ${fault.many.replace('{}', column.show(edgeOf(fault, column)))}: ${column.title} becomes a condition`;
    const button = make('button', { type: 'button', className: 'fault', text: 'drop', title: words, attributes: { 'aria-label': words } });
    button.addEventListener('click', async () => {
      await conditions.change(column, { used: true, operator: FAULTLESS[fault.operator], value: fault.value });
      column.card?.scrollIntoView({ block: 'nearest' });
    });
    return button;
  },

  choose(column) {
    this.chosen = column;
    this.draw();
    this.changed();
  },

  mask() {
    return this.found.find(({ column }) => column.name === this.chosen)?.mask ?? null;
  },

  // The faults of one file, in few words, those of taste last.
  short(row) {
    const words = (taste) => this.found.filter(({ fault, mask }) => fault.taste === taste && mask[row])
      .map(({ fault, column }) => fault.short.replace('{}', column.values[row].toFixed(0)));
    const taste = words(true);
    return [...words(false), ...(taste.length ? [`taste: ${taste.join(', ')}`] : [])].join(' · ');
  },
};

// Whether a condition drops the files with the fault.
const drops = ({ fault, column }) => Boolean(column.condition?.used && sameWay(fault, column));

const sameWay = (fault, { condition }) => (condition.operator[0] === '>') === (fault.operator[0] === '<');

// The threshold of the moment where there is one of the same direction, else the fault's own.
function edgeOf(fault, column) {
  return column.condition?.used && sameWay(fault, column) ? column.condition.value : fault.value;
}
