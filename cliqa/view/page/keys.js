// Keys: the same in the gallery and in the picture, as photo software has them.

import { $, redraw } from '../report/dom.js';
import { gallery } from './gallery.js';
import { marks } from './marks.js';
import { picture } from './picture.js';

const PAN = 80; // px

export function buildKeys() {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.altKey) return;
    const { target } = event;
    if (target.matches('input:not([type=range], [type=checkbox]), select, textarea')) {
      if (event.key === 'Escape' && target.id === 'find') $('gallery-list').focus();
      return;
    }
    if ($('picture').open ? inPicture(event) : !document.querySelector('dialog[open]') && inGallery(event)) event.preventDefault();
  });
  $('mark-keep').addEventListener('click', () => mark({ flag: 'keep' }));
  $('mark-drop').addEventListener('click', () => mark({ flag: 'drop' }));
  $('undo').addEventListener('click', undo);
  picture.onStars = (stars) => mark({ stars });
}

// The mark that a key stands for.
export function markOf(key) {
  if (key === 'k' || key === 'p') return { flag: 'keep' };
  if (key === 'd' || key === 'x') return { flag: 'drop' };
  return /^[0-5]$/.test(key) ? { stars: Number(key) } : null;
}

function mark(difference) {
  const rows = $('picture').open ? [picture.row] : gallery.targets();
  const taken = 'flag' in difference ? marks.flag(rows[0]) === difference.flag : marks.stars(rows[0]) === difference.stars;
  marks.set(rows, difference);
  if (rows.length > 1 || taken || !$('advance').checked) return redraw();
  if ($('picture').open) picture.step(1);
  else gallery.move(1);
  return redraw();
}

async function undo() {
  await marks.undo();
  const [row] = marks.lastUndone ?? [];
  if (row === undefined) return;
  gallery.active = row; // back to where it was marked
  if ($('picture').open && !picture.comparing) picture.fill(0, row);
  else if (gallery.has(row)) gallery.reveal(row);
  redraw();
}

function common(event) {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === 'z') { undo(); return true; }
    return false;
  }
  const difference = markOf(key);
  if (difference) { mark(difference); return true; }
  if (key === 'u') { undo(); return true; }
  return false;
}

function inGallery(event) {
  if (event.target.closest('#thresholds, #faults, .tabs, .top') && !['k', 'd', 'u', '/', '?'].includes(event.key)) return false;
  if (common(event)) return true;
  if (event.key === '/') { $('find').focus(); return true; }
  if (event.key === '?') { $('help').showModal(); return true; }
  if (!event.target.closest('#gallery-list')) return false;
  const { lines, list } = gallery;
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -list.length, End: list.length }[event.key];
  if (step) { gallery.move(step, event.shiftKey); return true; }
  const down = { ArrowUp: -1, ArrowDown: 1, PageUp: -lines, PageDown: lines }[event.key];
  if (down) { gallery.moveLines(down, event.shiftKey); return true; }
  if (event.key === 'Enter' && gallery.active >= 0) { picture.open(gallery.active); return true; }
  if (event.key === ' ' && gallery.active >= 0) { gallery.select(gallery.active); return true; }
  if (event.key === 'Escape') { gallery.selected.clear(); redraw(); return true; }
  if (event.key.toLowerCase() === 'a' && (event.ctrlKey || event.metaKey)) { gallery.selected = new Set(list); redraw(); return true; }
  if (event.key.toLowerCase() === 'c' && gallery.active >= 0) { picture.open(gallery.active).then(() => picture.compare(true)); return true; }
  return false;
}

function inPicture(event) {
  if (common(event)) return true;
  const { stage } = picture;
  const turn = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] }[event.key];
  if (turn && event.target.closest('.picture-side')) return false;
  if (turn && (event.shiftKey || turn[1])) { stage.pan(...turn); return true; }
  if (turn) { picture.step(turn[0] > 0 ? -1 : 1); return true; }
  if (event.key === '+' || event.key === '=') { stage.zoomTo(stage.scale * 1.25); return true; }
  if (event.key === '-') { stage.zoomTo(stage.scale / 1.25); return true; }
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) return false;
  if (key === 'z') { picture.nextZoom(); return true; }
  if (key === 'f') { picture.setZoom('fit'); return true; }
  if (key === 'c') { picture.compare(!picture.comparing); return true; }
  return false;
}
