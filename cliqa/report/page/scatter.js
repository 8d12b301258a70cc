// Scatter: two fields against each other, every row a point, kept over dropped.

import { conditions } from './conditions.js';
import { $, colours, fileName, fit, groupBy, make, redraw, whole } from './dom.js';
import { niceStep } from './sorting.js';
import { table } from './table.js';

export const scatter = {
  open: () => {}, // what shows one row
  margin: { left: 52, right: 16, top: 14, bottom: 34 },

  build() {
    const numeric = table.columns.filter((column) => !column.isText);
    for (const id of ['scatter-x', 'scatter-y']) {
      $(id).append(...numeric.map((column) => make('option', { value: column.name, text: `${column.title} (${column.name})` })));
      $(id).addEventListener('change', () => this.choose());
    }
    const mains = [...groupBy(numeric).values()].map((members) => members[0]).filter((column) => column.metric !== 'file');
    $('scatter-x').value = (mains[0] ?? numeric[0])?.name ?? '';
    $('scatter-y').value = (mains[1] ?? numeric[1] ?? numeric[0])?.name ?? '';
    const canvas = $('scatter-canvas');
    canvas.addEventListener('pointermove', (event) => { this.at = this.nearest(event); this.note(); });
    canvas.addEventListener('click', (event) => { const row = this.nearest(event); if (row >= 0) this.open(row); });
    canvas.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => redraw()).observe(canvas);
  },

  async choose() {
    this.x = table.columns.find((column) => column.name === $('scatter-x').value);
    this.y = table.columns.find((column) => column.name === $('scatter-y').value);
    if (!this.x || !this.y) return;
    await Promise.all([this.x.load(), this.y.load()]);
    this.at = -1;
    redraw();
  },

  draw() {
    if (!$('scatter').offsetParent || !this.x?.values || !this.y?.values) return;
    const canvas = $('scatter-canvas');
    const { context, width, height } = fit(canvas);
    this.frame = { x: this.margin.left, y: this.margin.top, width: width - this.margin.left - this.margin.right, height: height - this.margin.top - this.margin.bottom };
    this.axes(context);
    this.points(context, canvas);
    this.thresholds(context);
    this.ring(context);
    $('scatter-canvas').setAttribute('aria-label', `Scatter of ${this.y.title} over ${this.x.title}, ${whole(table.rows)} files. Arrow keys step through them, Enter opens one.`);
    this.note();
  },

  toX(value) { return this.frame.x + ((value - this.x.from) / (this.x.to - this.x.from)) * this.frame.width; },
  toY(value) { return this.frame.y + this.frame.height - ((value - this.y.from) / (this.y.to - this.y.from)) * this.frame.height; },

  axes(context) {
    const { frame, x, y } = this;
    context.font = '12px system-ui, sans-serif';
    context.fillStyle = colours.quiet;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.beginPath();
    for (const [column, along] of [[x, true], [y, false]]) {
      const step = Math.max(column.whole ? 1 : 0, niceStep(column.to - column.from, along ? frame.width / 90 : frame.height / 60));
      for (let value = Math.ceil(column.from / step - 1e-6) * step; value <= column.to + step * 1e-6; value += step) {
        const label = Number(value.toPrecision(6)).toString();
        context.textAlign = along ? 'center' : 'right';
        context.textBaseline = along ? 'top' : 'middle';
        if (along) {
          const place = Math.round(this.toX(value)) + 0.5;
          context.moveTo(place, frame.y);
          context.lineTo(place, frame.y + frame.height);
          context.fillText(label, place, frame.y + frame.height + 7);
        } else {
          const place = Math.round(this.toY(value)) + 0.5;
          context.moveTo(frame.x, place);
          context.lineTo(frame.x + frame.width, place);
          context.fillText(label, frame.x - 8, place);
        }
      }
    }
    context.stroke();
  },

  // Points are counted per pixel and painted once: dense places darken, kept ones lie on top.
  points(context, canvas) {
    const { frame, x, y } = this;
    const ratio = devicePixelRatio || 1;
    const [wide, high] = [Math.round(frame.width * ratio), Math.round(frame.height * ratio)];
    if (wide < 2 || high < 2) return;
    const dot = Math.max(1, Math.round((table.rows < 3000 ? 4 : table.rows < 20000 ? 2.5 : 1.5) * ratio));
    const faint = table.rows < 5000 ? 200 : 110; // how solid a single point is, of 255
    const counts = [new Uint16Array(wide * high), new Uint16Array(wide * high)];
    const [scaleX, scaleY] = [(wide - dot) / (x.to - x.from), (high - dot) / (y.to - y.from)];
    for (let i = 0; i < table.rows; i++) {
      const column = Math.round((x.values[i] - x.from) * scaleX);
      const line = Math.round((y.to - y.values[i]) * scaleY);
      if (!(column >= 0 && line >= 0 && column <= wide - dot && line <= high - dot)) continue;
      const layer = counts[conditions.kept[i]];
      for (let dy = 0; dy < dot; dy++) for (let dx = 0; dx < dot; dx++) layer[(line + dy) * wide + column + dx]++;
    }
    const image = context.createImageData(wide, high);
    const [dropped, kept] = [rgb(colours.dropped), rgb(colours.kept)];
    for (let cell = 0; cell < wide * high; cell++) {
      const [below, above] = [counts[0][cell], counts[1][cell]];
      if (!below && !above) continue;
      const share = above / (above + below);
      for (let channel = 0; channel < 3; channel++) image.data[4 * cell + channel] = dropped[channel] + share * (kept[channel] - dropped[channel]);
      image.data[4 * cell + 3] = Math.min(255, faint + 45 * Math.log2(above + below));
    }
    this.layer ??= document.createElement('canvas');
    Object.assign(this.layer, { width: wide, height: high });
    this.layer.getContext('2d').putImageData(image, 0, 0);
    context.drawImage(this.layer, frame.x, frame.y, frame.width, frame.height);
  },

  thresholds(context) {
    const { frame } = this;
    context.strokeStyle = colours.text;
    context.setLineDash([5, 4]);
    context.lineWidth = 1.5;
    context.beginPath();
    if (this.x.condition?.used) {
      context.moveTo(this.toX(this.x.condition.value), frame.y);
      context.lineTo(this.toX(this.x.condition.value), frame.y + frame.height);
    }
    if (this.y.condition?.used) {
      context.moveTo(frame.x, this.toY(this.y.condition.value));
      context.lineTo(frame.x + frame.width, this.toY(this.y.condition.value));
    }
    context.stroke();
    context.setLineDash([]);
  },

  ring(context) {
    if (!(this.at >= 0) || document.activeElement !== $('scatter-canvas')) return;
    context.strokeStyle = colours.text;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(this.toX(this.x.values[this.at]), this.toY(this.y.values[this.at]), 7, 0, 2 * Math.PI);
    context.stroke();
  },

  nearest(event) {
    if (!this.frame) return -1;
    const box = $('scatter-canvas').getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let found = -1, least = 14 * 14;
    for (let i = 0; i < table.rows; i++) {
      const distance = (this.toX(this.x.values[i]) - left) ** 2 + (this.toY(this.y.values[i]) - top) ** 2;
      if (distance < least) [found, least] = [i, distance];
    }
    return found;
  },

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      const { order } = this.x;
      const position = this.at >= 0 ? order.indexOf(this.at) : -1;
      this.at = order[Math.max(0, Math.min(order.length - 1, position + step * (event.shiftKey ? Math.ceil(order.length / 50) : 1)))];
      event.preventDefault();
      redraw();
    }
    if (event.key === 'Enter' && this.at >= 0) this.open(this.at);
  },

  note() {
    const row = this.at;
    $('scatter-note').textContent = row >= 0 ? `${fileName(table.paths[row])}: ${this.x.show(this.x.values[row])}, ${this.y.show(this.y.values[row])}` : '';
  },
};

function rgb(colour) {
  const digits = colour.replace('#', '');
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
}
