// The members of a group side by side: one zoom and one place for all of them, in shares of their pictures.

import { $, fileName, make } from './dom.js';
import { pictures } from './pictures.js';
import { table } from './table.js';

const MOST = 6; // panes that a screen has room for
const CLOSEST = 16;

export const beside = {
  zoom: 1, // 1: the whole picture fits its pane
  x: 0.5, // what is in the middle of each pane, in shares of the picture's sides
  y: 0.5,

  build() {
    const panes = $('beside-panes');
    $('beside-close').addEventListener('click', () => $('beside').close());
    $('beside-in').addEventListener('click', () => this.scale(1.5));
    $('beside-out').addEventListener('click', () => this.scale(1 / 1.5));
    $('beside-whole').addEventListener('click', () => this.show(1, 0.5, 0.5));
    $('beside').addEventListener('keydown', (event) => this.key(event));
    panes.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    panes.addEventListener('pointerdown', (event) => {
      const pane = event.target.closest('.pane');
      if (pane) pane.setPointerCapture(event.pointerId);
    });
    panes.addEventListener('pointermove', (event) => {
      const pane = event.target.closest('.pane');
      if (pane?.hasPointerCapture(event.pointerId)) this.move(pane, event.movementX, event.movementY);
    });
    addEventListener('resize', () => { if ($('beside').open) this.draw(); });
  },

  // The pictures of a group that the page has, beginning with `row`'s own when there are too many.
  members(row, group) {
    const rows = group[1].filter((one) => pictures.has(one));
    return rows.length > MOST && rows.indexOf(row) >= MOST ? [row, ...rows.slice(0, MOST - 1)] : rows.slice(0, MOST);
  },

  open(row, group) {
    const [kind, , best, why] = group;
    const rows = this.members(row, group);
    $('beside-kind').textContent = kind;
    $('beside-panes').replaceChildren(...rows.map((one) => {
      const image = make('img', { alt: fileName(table.paths[one]), src: pictures.url(one), draggable: false });
      image.addEventListener('load', () => this.draw());
      return make('figure', {}, make('div', { className: 'pane' }, image),
        make('figcaption', { title: table.paths[one] }, make('b', { text: fileName(table.paths[one]) }), make('span', { className: 'quiet', text: why[one] ?? '' })));
    }));
    if (!$('beside').open) $('beside').showModal();
    this.show(1, 0.5, 0.5);
  },

  show(zoom, x, y) {
    this.zoom = Math.min(CLOSEST, Math.max(1, zoom));
    const edge = 0.5 / this.zoom;
    this.x = Math.min(1 - edge, Math.max(edge, x));
    this.y = Math.min(1 - edge, Math.max(edge, y));
    this.draw();
  },

  // Zoom about a point given in shares of the picture: it stays where it is on the screen.
  scale(factor, x = this.x, y = this.y) {
    const zoom = Math.min(CLOSEST, Math.max(1, this.zoom * factor));
    const ratio = this.zoom / zoom;
    this.show(zoom, x + (this.x - x) * ratio, y + (this.y - y) * ratio);
  },

  // The size of a picture on the screen: all show the same thing at the same size, however many pixels they have.
  size(pane) {
    const { naturalWidth: width, naturalHeight: height } = pane.firstChild;
    const fit = Math.min(pane.clientWidth / width, pane.clientHeight / height) * this.zoom;
    return [width * fit, height * fit];
  },

  draw() {
    for (const pane of document.querySelectorAll('#beside-panes .pane')) {
      const image = pane.firstChild;
      if (!image.naturalWidth) continue;
      const [width, height] = this.size(pane);
      Object.assign(image.style, {
        width: `${width}px`, height: `${height}px`,
        left: `${pane.clientWidth / 2 - this.x * width}px`, top: `${pane.clientHeight / 2 - this.y * height}px`,
      });
    }
    $('beside-zoom').textContent = `${Math.round(100 * this.zoom)} %`;
  },

  move(pane, right, down) {
    const [width, height] = this.size(pane);
    this.show(this.zoom, this.x - right / width, this.y - down / height);
  },

  wheel(event) {
    const pane = event.target.closest('.pane');
    if (!pane) return;
    event.preventDefault();
    const [width, height] = this.size(pane);
    const frame = pane.getBoundingClientRect();
    const x = this.x + (event.clientX - frame.left - frame.width / 2) / width;
    const y = this.y + (event.clientY - frame.top - frame.height / 2) / height;
    this.scale(event.deltaY < 0 ? 1.2 : 1 / 1.2, x, y);
  },

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 0.1 / this.zoom;
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (by) this.show(this.zoom, this.x + by[0], this.y + by[1]);
    else if (event.key === '+' || event.key === '=') this.scale(1.5);
    else if (event.key === '-') this.scale(1 / 1.5);
    else if (event.key === '0') this.show(1, 0.5, 0.5);
    else return;
    event.preventDefault();
  },
};
