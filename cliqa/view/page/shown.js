// What the gallery shows: which files, in which order, and what is said where there are none.

import { conditions } from '../report/conditions.js';
import { whole } from '../report/dom.js';
import { table } from '../report/table.js';
import { copies } from './copies.js';
import { marks } from './marks.js';

export const WAITING = 0; // the state of a file that is not scored yet
const NEAR = 0.03; // of a histogram's span: so near to a threshold it is doubtful

// What tells of a row whether it is among those that `show` names.
export function passing(show, { states, selected }) {
  const near = show === 'near' ? nearThresholds() : null;
  return {
    all: () => true, kept: (row) => conditions.kept[row], dropped: (row) => states[row] === 1 && !conditions.kept[row], near: (row) => near[row],
    copies: (row) => copies.of.has(row), marked: (row) => marks.of.has(row), unmarked: (row) => !marks.of.has(row), waiting: (row) => states[row] === WAITING, selected: (row) => selected.has(row),
  }[show];
}

// All rows, in the order in which they are shown.
export function ordered(show, { column, down }) {
  if (show === 'copies') return copies.order();
  if (!column?.values) return down ? [...Array(table.rows).keys()].reverse() : Array(table.rows).keys();
  const order = down ? column.order.slice().reverse() : column.order;
  if (order.length === table.rows) return order;
  const rest = [];
  for (let row = 0; row < table.rows; row++) if (column.values[row] !== column.values[row]) rest.push(row);
  return [...order, ...rest];
}

const NONE = {
  kept: 'No file is kept', dropped: 'No file is dropped', near: 'No file is near a threshold in use', marked: 'No file is marked', unmarked: 'Every file is marked',
  copies: 'No copies were found', waiting: 'Every file was looked at', selected: 'No file is selected',
};

// How much is shown: `groups` of copies, files that are `selected`, `shown`, and in `total`.
export function positionWords({ groups, selected, shown, total }) {
  const parts = [groups && `${whole(groups)} group${groups === 1 ? '' : 's'}`, selected && `${whole(selected)} selected`];
  return [...parts, `${whole(shown)}${shown < total ? ` of ${whole(total)}` : ' files'}`].filter(Boolean).join(' · ');
}

// Why no file is shown: `words` are looked for in names, `fault` is whether one was chosen, `show` what is to be shown.
export function nothingWords({ words, fault, show, total, message }) {
  if (!total) return 'There are no pictures here.';
  if (show === 'copies' && message) return message;
  const among = fault || show !== 'all' ? ' among the files that you chose to see' : '';
  if (words) return `No name with “${words}”${among}.`;
  if (fault && show !== 'all') return 'No file with this fault is among those that you chose to see.';
  return `${NONE[show] ?? 'No file has this fault any more'}.`;
}

// 1 where a file is so near to a threshold in use that a little would turn it.
function nearThresholds() {
  const near = new Uint8Array(table.rows);
  for (const { values, condition, from, to, isText, whole: steps } of conditions.inUse()) {
    if (isText || !values) continue;
    const reach = steps ? 0.5 : NEAR * (to - from);
    for (let row = 0; row < near.length; row++) if (Math.abs(values[row] - condition.value) <= reach) near[row] = 1;
  }
  return near;
}
