// Faults in words: how many files have each, a click that shows them, and what stands under a picture.

import { fails } from '../report/conditions.js';
import { $, make, whole } from '../report/dom.js';
import { columnOf, table } from '../report/table.js';

const KEPT = { '<': '>=', '>': '<=', '>=': '<' }; // the condition that files without the fault fulfil

export const faults = {
  found: [], // { fault, column, mask, count }: the mask is 1 where a file has the fault
  chosen: null, // the fault whose files are shown
  changed: () => {}, // what hears that another was chosen

  // Count anew, by the thresholds of the moment.
  async count() {
    this.found = [];
    for (const fault of table.facts.faults) {
      const column = columnOf(fault.column);
      const sure = fault.sure ? columnOf(fault.sure) : null;
      await Promise.all([column.load(), sure?.load()]);
      const mask = fails(column.values, KEPT[fault.operator], edge(fault, column), 0);
      if (sure) for (let i = 0; i < mask.length; i++) if (!(sure.values[i] >= fault.least)) mask[i] = 0;
      let count = 0;
      for (let i = 0; i < mask.length; i++) count += mask[i];
      this.found.push({ fault, column, mask, count });
    }
    this.draw();
  },

  draw() {
    const some = this.found.filter(({ count }) => count).sort((a, b) => b.count - a.count);
    const chips = some.map(({ fault, column, count }) => {
      const words = (count === 1 ? fault.one : fault.many).replace('{}', column.show(edge(fault, column)));
      const chip = make('button', { type: 'button', className: 'fault', attributes: { 'aria-pressed': this.chosen === fault.column } },
        make('b', { text: whole(count) }), ` ${words}`);
      chip.addEventListener('click', () => this.choose(this.chosen === fault.column ? null : fault.column));
      return chip;
    });
    if (!chips.length) chips.push(make('span', { className: 'quiet', text: this.found.length ? 'No fault was found so far.' : 'There are no scores yet.' }));
    const focused = document.activeElement?.closest?.('#faults') ? [...$('faults').children].indexOf(document.activeElement) : -1;
    $('faults').replaceChildren(...chips);
    if (focused >= 0) $('faults').children[Math.min(focused, chips.length - 1)].focus?.();
  },

  choose(column) {
    this.chosen = column;
    this.draw();
    this.changed();
  },

  mask() {
    return this.found.find(({ column }) => column.name === this.chosen)?.mask ?? null;
  },

  // The faults of one file, in few words.
  short(row) {
    return this.found.filter(({ mask }) => mask[row]).map(({ fault, column }) =>
      fault.short.replace('{}', column.values[row].toFixed(0))).join(' · ');
  },
};


// The threshold of the moment where there is one of the same direction, else the fault's own.
function edge(fault, column) {
  const { condition } = column;
  return condition?.used && (condition.operator[0] === '>') === (fault.operator[0] === '<') ? condition.value : fault.value;
}
