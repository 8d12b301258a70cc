// Acting: which files, how, where each goes; then it is done, and can be taken back.

import { conditions } from '../report/conditions.js';
import { $, copyText, make, whole } from '../report/dom.js';
import { table } from '../report/table.js';
import { sameCommand } from './commands.js';
import { copies } from './copies.js';
import { gallery } from './gallery.js';
import { live } from './live.js';
import { marks } from './marks.js';
import { tell } from './server.js';

const WAYS = { copy: 'copy', link: 'link to them', hardlink: 'hard-link (same disk)', move: 'move', accept: 'XMP sidecars: accepted', reject: 'XMP sidecars: rejected' };
const DONE = { copy: 'copied', link: 'linked', hardlink: 'hard-linked', move: 'moved', accept: 'labelled', reject: 'labelled' };

export const acting = {
  turn: 0, // of the previews asked for

  build() {
    $('act-way').append(...table.facts.ways.map((way) => make('option', { value: way, text: WAYS[way] ?? way })));
    $('act-open').addEventListener('click', () => this.open());
    $('act-close').addEventListener('click', () => $('acting').close());
    for (const id of ['act-which', 'act-along']) $(id).addEventListener('change', () => this.preview());
    $('act-way').addEventListener('change', () => this.preview());
    $('act-go').addEventListener('click', () => this.act());
    $('act-undo').addEventListener('click', () => this.withdraw());
    $('copy').addEventListener('click', async () => {
      await copyText($('command').textContent, $('command'));
      $('copy').textContent = 'Copied';
      setTimeout(() => { $('copy').textContent = 'Copy'; }, 1500);
    });
  },

  open() {
    if (gallery.selected.size) $('act-which').value = 'selected';
    $('acting').showModal();
    this.preview();
  },

  rows() {
    const which = $('act-which').value;
    if (which === 'selected') return [...gallery.selected];
    if (which === 'copies') return copies.rest;
    const rows = [];
    for (let row = 0; row < table.rows; row++) {
      if (which === 'kept' ? conditions.kept[row] : which === 'dropped' ? gallery.states[row] === 1 && !conditions.kept[row] : marks.flag(row) === 'keep') rows.push(row);
    }
    return rows;
  },

  // What a terminal would need for the choice of the moment, or that it could not.
  showCommand() {
    const choice = { which: $('act-which').value, way: $('act-way').value, along: $('act-along').checked };
    const { words, command } = sameCommand(choice, { ...table.facts, where: conditions.whereOption() });
    $('command-words').textContent = words;
    $('command').textContent = command;
    $('command').parentNode.hidden = !command;
  },

  asked() { return { rows: this.rows(), way: $('act-way').value, along: $('act-along').checked }; },

  async preview() {
    const turn = this.turn += 1; // the answer to an earlier choice may come late: it is dropped
    this.showCommand();
    $('act-go').disabled = true;
    $('act-go').textContent = 'Do it';
    $('act-list').replaceChildren();
    $('act-summary').textContent = 'Looking what would happen …';
    try {
      if ($('act-which').value === 'copies') await copies.load(live.version, (words) => { if (turn === this.turn) $('act-summary').textContent = words; });
      if (turn !== this.turn) return;
      const told = await tell('/api/preview', this.asked());
      if (turn !== this.turn) return;
      $('act-summary').textContent = told.summary;
      $('act-list').replaceChildren(...told.files.map(([from, to]) => make('tr', {}, make('td', { text: from }), make('td', { text: `→ ${to}` }))));
      $('act-go').disabled = !told.count;
      $('act-go').textContent = told.count ? `Do it: ${whole(told.count)} file${told.count === 1 ? '' : 's'}` : 'Nothing to do';
      $('act-undo').disabled = !told.undo;
    } catch (error) {
      if (turn === this.turn) $('act-summary').textContent = error.message;
    }
  },

  async act() {
    $('act-go').disabled = true;
    $('act-summary').textContent = 'Under way …';
    await this.done(tell('/api/act', this.asked()),
      ({ done, failed, where }) => `${whole(done)} ${DONE[$('act-way').value]}${where ? ` into ${where}` : ''}${failed.length ? `; ${whole(failed.length)} could not be: ${failed[0]}` : ''}.`);
  },

  async withdraw() {
    $('act-undo').disabled = true;
    await this.done(tell('/api/withdraw', {}), ({ removed, left }) => `${whole(removed)} taken back${left ? `; ${whole(left)} were changed since, and stay` : ''}.`);
  },

  async done(asked, words) {
    let text;
    try {
      text = words(await asked);
    } catch (error) {
      text = error.message;
    }
    await this.preview();
    $('act-summary').textContent = text;
  },
};
