// Groups of copies, bursts and brackets: which files belong together, which is the best copy, and why.

import { askJson } from './server.js';

const WORDS = { exact: 'the same file', pixels: 'the same pixels', near: 'the same picture', burst: 'a burst', bracket: 'a bracket' };

export const copies = {
  groups: [], // { kind, rows, best, why }
  of: new Map(), // row -> place of its first group
  rest: [], // copies that are not the best
  message: '',
  version: null,
  heard: () => {}, // what is told, each second, that they are still looked for

  // Ask for them where there is something new; `heard(words)` until they are there.
  load(version, heard = () => {}) {
    this.heard = heard;
    if (this.version === version) return Promise.resolve();
    this.loading ??= this.ask(version).finally(() => { this.loading = null; });
    return this.loading;
  },

  async ask(version) {
    const begun = Date.now();
    const tick = () => this.heard(waitingWords(Math.round((Date.now() - begun) / 1000)));
    tick();
    const ticking = setInterval(tick, 1000);
    const told = await askJson('/api/copies').finally(() => clearInterval(ticking));
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

  // What stands above a group.
  heading(place) {
    const { kind, rows } = this.groups[place];
    return `Group ${place + 1}: ${WORDS[kind]}, ${rows.length} files`;
  },

  // In a line: which group, and why it is or isn't the best.
  words(row) {
    const place = this.of.get(row);
    if (place === undefined) return '';
    const { kind, why } = this.groups[place];
    return `${place + 1}: ${why[row] ?? WORDS[kind]}`;
  },
};

export function waitingWords(seconds) {
  return `Looking for copies: files that look alike are compared in their pixels …${seconds ? ` ${seconds} s` : ''}`;
}

export function firstGroups(groups) {
  const of = new Map();
  groups.forEach(({ rows }, place) => { for (const row of rows) if (!of.has(row)) of.set(row, place); });
  return of;
}
