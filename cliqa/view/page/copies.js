// Groups of copies, bursts and brackets: which files belong together, which is the best copy, and why.

import { askJson } from './server.js';

const WORDS = { exact: 'the same file', pixels: 'the same pixels', near: 'the same picture', burst: 'a burst', bracket: 'a bracket' };

export const copies = {
  groups: [], // { kind, rows, best, why }
  of: new Map(), // row -> place of its first group
  rest: [], // copies that are not the best
  message: '',
  version: null,

  // Ask for them where there is something new.
  async load(version) {
    if (this.version === version) return;
    const told = await askJson('/api/copies');
    this.groups = told.groups.map(([kind, rows, best, why]) => ({ kind, rows, best, why }));
    this.rest = told.rest;
    this.message = told.message ?? '';
    this.of = firstGroups(this.groups);
    this.version = version;
  },

  // All rows in groups, group by group; a row comes once.
  order() { return [...this.of.keys()]; },

  // The other files of a row's group, the row itself among them.
  beside(row) { return this.groups[this.of.get(row)]?.rows ?? []; },

  isBest(row) { return this.groups[this.of.get(row)]?.best === row; },

  kindOf(row) { return WORDS[this.groups[this.of.get(row)]?.kind] ?? ''; },

  // In a line: which group, and why it is or isn't the best.
  words(row) {
    const place = this.of.get(row);
    if (place === undefined) return '';
    const { kind, why } = this.groups[place];
    return `${place + 1}: ${why[row] ?? WORDS[kind]}`;
  },
};

export function firstGroups(groups) {
  const of = new Map();
  groups.forEach(({ rows }, place) => { for (const row of rows) if (!of.has(row)) of.set(row, place); });
  return of;
}
