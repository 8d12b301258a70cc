// What changes while files are being scored: how far it is, and the values that have come.

import { $, redraw, whole } from '../report/dom.js';
import { conditions } from '../report/conditions.js';
import { faults } from '../report/faults.js';
import { fillField, showCondition } from '../report/histograms.js';
import { table } from '../report/table.js';
import { gallery } from './gallery.js';
import { marks } from './marks.js';
import { Refused, ask, askJson, readColumn } from './server.js';

const OFTEN = 700; // ms between two questions while files are being scored
const SELDOM = 5000;

export const live = {
  version: -1,
  trouble: () => {},
  issues: () => {},

  async follow() {
    let wait = SELDOM;
    try {
      const progress = await askJson('/api/progress');
      this.trouble('');
      this.show(progress);
      if (progress.version !== this.version) {
        const start = performance.now();
        await this.renew();
        this.version = progress.version;
        wait = Math.max(OFTEN, 10 * (performance.now() - start)); // most of the time is the person's
      } else if (progress.running) wait = OFTEN;
      if (!progress.read || !this.read) await marks.read();
      this.read = progress.read;
    } catch (error) {
      this.trouble(error instanceof Refused ? 'The viewer was started anew: open the address that it printed.' : 'The viewer does not answer. Is it still running?');
      wait = 2000;
    }
    setTimeout(() => this.follow(), wait);
  },

  show({ scored, issues, total, running, left, message }) {
    const done = scored + issues;
    $('progress').hidden = !running;
    $('progress').value = total ? done / total : 0;
    $('issue-count').textContent = whole(issues);
    const files = `${whole(total)} file${total === 1 ? '' : 's'}`;
    let text = `${files} · ${whole(scored)} scored`;
    if (running) text = done < total ? `${whole(done)} of ${files} scored${left === null ? '' : ` · about ${duration(left)} left`}` : `${files} · finishing`;
    if (message) text = `${text} · ${message}`;
    if ($('progress-text').textContent !== text) $('progress-text').textContent = text;
  },

  // Read anew what the page has read before; at its start the columns are as new as can be.
  async renew(start = false) {
    const loaded = start ? [] : table.columns.filter((column) => column.values);
    const known = loaded.map((column) => column.labels.length);
    const [states, ...values] = await Promise.all([ask('/api/states').then((answer) => answer.arrayBuffer()), ...loaded.map(readColumn)]);
    gallery.states = new Uint8Array(states);
    conditions.counted = gallery.states.map((state) => (state === 1 ? 1 : 0));
    loaded.forEach((column, at) => column.setValues(values[at])); // all before any is counted: one may say how sure another is
    loaded.forEach((column, at) => {
      const untouched = column.condition && !column.condition.used && !column.touched;
      if (untouched) column.condition = null; // where it begins follows the values
      else if (column.condition) {
        for (let label = known[at]; label < column.labels.length; label++) column.condition.labels.add(label); // new ones are kept
        conditions.update(column);
      }
      if (column.parts) {
        column.parts.filled = false;
        fillField(column);
      }
    });
    if (start) for (const column of conditions.inUse()) { conditions.update(column); showCondition(column); }
    conditions.recount();
    await faults.count();
    this.issues(await askJson('/api/issues'));
    gallery.renew();
    redraw();
  },
};

export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
