// Marks: shown at once, told to the server at once, and kept in the browser until the server has said that they are on its disk.

import { Refused, askJson, tell } from './server.js';

export const marks = {
  of: new Map(), // row -> { flag, stars, foreign }
  waiting: [], // what the server has not confirmed yet, the oldest first
  listeners: [], // functions that hear that marks have changed
  trouble: () => {}, // what is told when the server can't be reached; with '' when it can again
  sending: false,

  async begin(session) {
    this.place = `cliqa-marks-${session}`;
    try {
      this.waiting = JSON.parse(localStorage.getItem(this.place) ?? '[]');
    } catch { // a browser that keeps nothing
      this.waiting = [];
    }
    await this.read();
    for (const one of this.waiting) if (one.rows) this.show(one);
    this.send();
  },

  async read() {
    const { marks: found } = await askJson('/api/marks');
    this.take(found);
  },

  take(found) {
    for (const [row, flag, stars, foreign] of found) {
      if (flag || stars) this.of.set(row, { flag, stars, foreign });
      else this.of.delete(row);
    }
    this.tell();
  },

  tell() { for (const listener of this.listeners) listener(); },

  flag: (row) => marks.of.get(row)?.flag ?? null,
  stars: (row) => marks.of.get(row)?.stars ?? 0,

  // Set `flag` or `stars` of rows; the same again takes it away.
  set(rows, difference) {
    if (!rows.length) return;
    const same = rows.every((row) => ('flag' in difference ? this.flag(row) === difference.flag : this.stars(row) === difference.stars));
    const change = 'flag' in difference ? { flag: same ? null : difference.flag } : { stars: same ? 0 : difference.stars };
    const one = { rows, ...change };
    this.show(one);
    this.waiting.push(one);
    this.tell();
    this.send();
  },

  undo() {
    this.waiting.push({ undo: true });
    return this.send();
  },

  show({ rows, ...change }) {
    for (const row of rows) {
      const mark = { flag: this.flag(row), stars: this.stars(row), ...change };
      if (mark.flag || mark.stars) this.of.set(row, mark);
      else this.of.delete(row);
    }
  },

  remember() {
    try {
      if (this.waiting.length) localStorage.setItem(this.place, JSON.stringify(this.waiting));
      else localStorage.removeItem(this.place);
    } catch { /* a browser that keeps nothing */ }
  },

  async send() {
    this.remember();
    if (this.sending) return;
    this.sending = true;
    try {
      while (this.waiting.length) {
        const [one] = this.waiting;
        let found = [];
        try {
          ({ marks: found } = await (one.undo ? tell('/api/undo', {}) : tell('/api/marks', one)));
        } catch (error) {
          if (!error.answered) throw error;
          await this.read(); // the server will not have it: what it has counts
        }
        this.waiting.shift();
        this.remember();
        if (one.undo) this.lastUndone = found.map(([row]) => row);
        if (!this.waiting.length) this.take(found);
      }
      this.trouble('');
    } catch (error) {
      const many = this.waiting.length;
      const kept = `${many} mark${many > 1 ? 's are' : ' is'} kept in this browser until then`;
      this.trouble(error instanceof Refused ? `The viewer was started anew: open the address that it printed; ${kept}.` : `The viewer does not answer; ${kept}.`);
      setTimeout(() => this.send(), 1500);
    } finally {
      this.sending = false;
    }
  },
};
