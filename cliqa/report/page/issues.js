// Issues: the files that gave no score, and why.

import { $, make, whole } from './dom.js';
import { table } from './table.js';

export const issues = {
  all: [],
  shown: 200,

  // `all`: [path, kind, message] of each.
  build(all) {
    this.all = all;
    const kinds = [...new Set(this.all.map(([, kind]) => kind))].sort();
    $('issue-kind').append(make('option', { value: '', text: 'all' }), ...kinds.map((kind) => make('option', { value: kind, text: kind })));
    for (const id of ['issue-kind', 'issue-find']) $(id).addEventListener('input', () => { this.shown = 200; this.draw(); });
    $('more-issues').addEventListener('click', () => { this.shown += 1000; this.draw(); });
    this.draw();
  },

  draw() {
    const kind = $('issue-kind').value;
    const find = $('issue-find').value.toLowerCase();
    const found = this.all.filter(([path, type, message]) => (!kind || type === kind) && (!find || `${path}\n${message}`.toLowerCase().includes(find)));
    const lines = found.slice(0, this.shown).map(([path, type, message]) =>
      make('tr', {}, make('td', { text: type }), make('td', { text: path }), make('td', { text: message })));
    $('issues-table').tBodies[0].replaceChildren(...lines);
    $('issue-note').textContent = this.all.length ? `${whole(found.length)} files${table.facts.issues > this.all.length ? ` among the first ${whole(this.all.length)} of ${whole(table.facts.issues)}` : ''}` : 'Every file gave a score.';
    $('more-issues').hidden = found.length <= this.shown;
  },
};
