// One file of the gallery: its picture, its name, and what is said of it.

import { conditions } from '../report/conditions.js';
import { $, fileName, make } from '../report/dom.js';
import { faults } from '../report/faults.js';
import { table } from '../report/table.js';
import { copies } from './copies.js';
import { marks } from './marks.js';
import { WAITING } from './shown.js';

export function newTile() {
  const image = make('img', { alt: '', decoding: 'async', draggable: false });
  const empty = make('span', { className: 'empty' });
  const [mark, stars, file, note, status] = ['mark', 'card-stars', 'file', 'note', 'status'].map((className) => make('span', { className }));
  const node = make('div', { className: 'tile', attributes: { role: 'option' } },
    make('span', { className: 'frame' }, empty, image, mark, stars),
    make('span', { className: 'caption' }, make('span', { className: 'line' }, file, status), note));
  image.addEventListener('load', () => image.classList.add('there'));
  image.addEventListener('error', () => { if (node.row !== undefined) { image.hidden = true; empty.textContent = 'no picture'; } });
  node.parts = { image, empty, mark, stars, file, note, status };
  return node;
}

// Put a file into its tile: `place` in the gallery's list.
export function fillTile(node, row, place, gallery) {
  const { image, empty, mark, stars, file, note, status } = node.parts;
  if (node.row !== row) {
    node.row = row;
    node.id = `file-${row}`;
    empty.textContent = '';
    image.hidden = false;
    image.classList.remove('there');
    image.src = `/thumbnail/${row}`;
    file.textContent = fileName(table.paths[row]);
    node.title = table.paths[row];
  }
  const state = gallery.states[row];
  const kept = conditions.kept[row] === 1;
  const said = marks.of.get(row);
  const verdict = kept ? 0 : state === 1 || said?.flag === 'drop' ? 1 : state === 2 ? 2 : 3;
  if (node.verdict !== verdict) status.replaceChildren(make('span', { text: '✓✕!…'[verdict], attributes: { 'aria-hidden': 'true' } }), make('span', { className: 'hidden-text', text: ['kept', 'dropped', '', ''][verdict] }));
  node.verdict = verdict;
  status.className = `status ${kept ? 'in-text' : state === 1 ? 'out-text' : ''}`;
  const value = gallery.column?.values ? `${gallery.column.show(gallery.column.values[row])} ${gallery.column.unit}`.trim() : '';
  const grouped = $('show').value === 'copies';
  node.classList.toggle('best', grouped && copies.isBest(row));
  const words = grouped ? copies.words(row) : state === 2 ? 'no score' : state === WAITING ? 'not scored yet' : faults.short(row) || 'no fault found';
  const text = value && value !== '–' ? `${value} · ${words}` : words;
  if (note.textContent !== text) { note.textContent = text; note.title = grouped ? text : ''; }
  mark.hidden = !said?.flag;
  mark.textContent = said?.flag ?? '';
  mark.dataset.flag = said?.flag ?? '';
  stars.textContent = '★'.repeat(said?.stars ?? 0);
  node.classList.toggle('active', row === gallery.active);
  node.setAttribute('aria-selected', gallery.selected.has(row));
  node.setAttribute('aria-posinset', place + 1);
  node.setAttribute('aria-setsize', gallery.list.length);
}
