// A stage: one picture, fitted or at 100 % and more, moved by mouse, touch and keys, with the place that decided drawn on it.

import { make } from '../report/dom.js';

const LARGEST = 16; // screen pixels for one of the picture
const STEP = 1.25;

export class Stage {
  // `changed(stage)` is called when a person has moved or zoomed.
  constructor(element, changed = () => {}) {
    this.element = element;
    this.changed = changed;
    this.image = make('img', { alt: '', draggable: false, decoding: 'async' });
    this.frame = make('div', { className: 'place', hidden: true });
    this.note = make('p', { className: 'stage-note' });
    this.element.append(this.image, this.frame, this.note);
    this.view = { scale: 0, x: 0.5, y: 0.5 }; // CSS pixels for one of the picture (0: fit), and the point at the centre, in shares
    this.size = { width: 0, height: 0 };
    this.box = null;
    this.pointers = new Map();
    this.image.addEventListener('load', () => this.loaded());
    this.image.addEventListener('error', () => { if (this.image.getAttribute('src')) this.note.textContent = 'The picture can’t be read (any more).'; });
    element.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    for (const name of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel']) element.addEventListener(name, (event) => this[name](event));
    element.addEventListener('dblclick', (event) => this.zoomTo(this.view.scale ? 0 : this.unit, this.at(event)));
    new ResizeObserver(() => this.draw()).observe(element);
  }

  get unit() { return 1 / (devicePixelRatio || 1); } // the scale of 100 %

  get fitting() {
    const { clientWidth, clientHeight } = this.element;
    return Math.min(clientWidth / this.size.width, clientHeight / this.size.height) || 1;
  }

  get scale() { return this.view.scale || Math.min(this.fitting, 8); }

  show(row, small) {
    this.row = row;
    this.box = this.told = this.chosen = this.ready = null; // what was said of the picture before is not said of this one
    this.size = { width: 0, height: 0 };
    this.note.textContent = small ? '' : 'Reading …';
    this.image.classList.remove('there');
    this.image.src = `/picture/${row}`;
    this.draw();
  }

  loaded() {
    this.size = { width: this.image.naturalWidth, height: this.image.naturalHeight };
    this.note.textContent = '';
    this.image.classList.add('there');
    this.draw();
    this.ready?.();
  }

  // The place that decided: [left, top, right, bottom] in the picture's pixels, and what stands beside it.
  point(box) {
    this.box = box;
    this.draw();
  }

  goTo(box, scale) {
    if (!this.size.width) { this.ready = () => { this.ready = null; this.goTo(box, scale); }; return; }
    const [left, top, right, bottom] = box ?? [0, 0, this.size.width, this.size.height];
    this.set({ scale, x: (left + right) / 2 / this.size.width, y: (top + bottom) / 2 / this.size.height });
    this.changed(this);
  }

  zoomTo(scale, at = null) {
    const { width, height } = this.size;
    const before = this.scale;
    const [x, y] = at ?? [this.view.x, this.view.y];
    const limited = scale && Math.min(LARGEST, Math.max(this.fitting / 2, scale));
    const after = limited || this.fitting;
    this.set({ scale: limited, x: x + (this.view.x - x) * (before / after), y: y + (this.view.y - y) * (before / after) });
    if (width && height) this.changed(this);
  }

  set(view) {
    Object.assign(this.view, view);
    if (!this.view.scale) Object.assign(this.view, { x: 0.5, y: 0.5 });
    this.view.x = Math.max(0, Math.min(1, this.view.x));
    this.view.y = Math.max(0, Math.min(1, this.view.y));
    this.draw();
  }

  // Move by CSS pixels.
  pan(dx, dy) {
    if (!this.view.scale || !this.size.width) return;
    this.set({ x: this.view.x - dx / (this.size.width * this.scale), y: this.view.y - dy / (this.size.height * this.scale) });
    this.changed(this);
  }

  draw() {
    const { width, height } = this.size;
    if (!width) { this.frame.hidden = true; return; }
    const { clientWidth, clientHeight } = this.element;
    const { scale } = this;
    const left = this.along(clientWidth, width * scale, this.view.x);
    const top = this.along(clientHeight, height * scale, this.view.y);
    this.image.style.width = `${width}px`;
    this.image.style.height = `${height}px`;
    this.image.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
    this.image.classList.toggle('pixels', scale >= 1.5 * this.unit);
    this.frame.hidden = !this.box;
    if (this.box) {
      const [x0, y0, x1, y1] = this.box;
      this.frame.style.transform = `translate(${left + x0 * scale}px, ${top + y0 * scale}px)`;
      this.frame.style.width = `${(x1 - x0) * scale}px`;
      this.frame.style.height = `${(y1 - y0) * scale}px`;
    }
  }

  // Where the picture begins: centred where there is room, else the point of the view in the middle, and no gap at the ends.
  along(room, length, share) {
    if (length <= room) return (room - length) / 2;
    return Math.max(room - length, Math.min(0, room / 2 - share * length));
  }

  at(event) {
    const box = this.element.getBoundingClientRect();
    const { width, height } = this.size;
    if (!width) return null;
    const left = this.along(box.width, width * this.scale, this.view.x);
    const top = this.along(box.height, height * this.scale, this.view.y);
    return [(event.clientX - box.left - left) / (width * this.scale), (event.clientY - box.top - top) / (height * this.scale)];
  }

  wheel(event) {
    event.preventDefault();
    this.zoomTo(this.scale * STEP ** (event.deltaY < 0 ? 1 : -1), this.at(event));
  }

  pointerdown(event) {
    if (event.button) return;
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event);
  }

  pointermove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.pointers.values()].filter((one) => one.pointerId !== event.pointerId);
    if (others.length) {
      const distance = (one) => Math.hypot(one.clientX - others[0].clientX, one.clientY - others[0].clientY) || 1;
      this.zoomTo(this.scale * (distance(event) / distance(before)), this.at({ clientX: (event.clientX + others[0].clientX) / 2, clientY: (event.clientY + others[0].clientY) / 2 }));
    } else {
      this.pan(event.clientX - before.clientX, event.clientY - before.clientY);
    }
    this.pointers.set(event.pointerId, event);
  }

  pointerup(event) { this.pointers.delete(event.pointerId); }

  pointercancel(event) { this.pointers.delete(event.pointerId); }
}
