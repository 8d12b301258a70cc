// Data: base64 in script elements -> typed arrays, each when it is first needed.

const $ = (id) => document.getElementById(id);
const facts = JSON.parse($('facts').textContent);
const rowCount = facts.rows;
const BINS = 64;
const NO_BIN = 255;

function bytesOf(id) {
  const element = $(id);
  const text = element.textContent;
  element.remove(); // the text is not needed twice
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

let inflating = 0; // the page says that it is busy while anything is being read
async function inflated(id) {
  const page = document.documentElement;
  page.setAttribute('aria-busy', ++inflating > 0);
  try {
    const stream = new Blob([bytesOf(id)]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } finally {
    page.setAttribute('aria-busy', --inflating > 0);
  }
}

// A step of 1, 2 or 5 times a power of ten, about `span / parts`.
function niceStep(span, parts) {
  const rough = span / parts || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
}

class Column {
  constructor(description, index) {
    Object.assign(this, description);
    this.id = `column-${index}`;
    this.values = null; // Float32Array, NaN where missing
    this.isText = this.labels.length > 0;
    this.condition = null; // see conditions.js
  }

  load() {
    this.loading ??= this.read();
    return this.loading;
  }

  async read() {
    const bytes = await inflated(this.id);
    if (this.encoding === 'u8') {
      this.values = Float32Array.from(bytes, (byte) => (byte === 255 ? NaN : byte));
    } else {
      const joined = new Uint8Array(4 * rowCount); // four byte planes -> little-endian floats
      for (let plane = 0; plane < 4; plane++) {
        const start = plane * rowCount;
        for (let i = 0; i < rowCount; i++) joined[4 * i + plane] = bytes[start + i];
      }
      this.values = new Float32Array(joined.buffer);
    }
    this.measure();
    return this;
  }

  measure() {
    const { values } = this;
    let least = Infinity, most = -Infinity;
    this.missing = 0;
    for (let i = 0; i < rowCount; i++) {
      const value = values[i];
      if (value !== value) this.missing++;
      else {
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
    this.setRange(least, most);
    this.fillBins();
  }

  // What the histogram spans: the field's own range where the values use much of it, else the values' range.
  setRange(least, most) {
    const declared = this.high > this.low;
    const wide = declared && least >= this.low && most <= this.high && most - least > (this.high - this.low) / 5;
    let low = wide ? this.low : least, high = wide ? this.high : most;
    if (this.isText) [low, high] = [0, this.labels.length - 1];
    if (high <= low) [low, high] = [low - 1, low + 1];
    this.step = this.whole ? 1 : niceStep(high - low, 2000);
    this.decimals = Math.max(0, -Math.floor(Math.log10(this.step) + 1e-9));
    this.from = Number((Math.floor(low / this.step + 1e-6) * this.step).toFixed(this.decimals));
    this.to = Number((Math.ceil(high / this.step - 1e-6) * this.step).toFixed(this.decimals));
    this.perValue = this.whole && this.to - this.from < BINS;
    this.bins = this.isText || this.perValue ? Math.round(this.to - this.from) + 1 : BINS;
  }

  fillBins() {
    const { values, from, bins } = this;
    const scale = this.isText || this.perValue ? 1 : bins / (this.to - from);
    this.binOf = new Uint8Array(rowCount);
    this.totals = new Uint32Array(256);
    for (let i = 0; i < rowCount; i++) {
      const value = values[i];
      const bin = value !== value ? NO_BIN : Math.max(0, Math.min(bins - 1, Math.floor((value - from) * scale)));
      this.binOf[i] = bin;
      this.totals[bin]++;
    }
  }

  // Row numbers by rising value, rows without a value left out.
  get order() {
    if (!this.sorted) {
      const bits = new Uint32Array(this.values.buffer, this.values.byteOffset, rowCount);
      const keys = new Float64Array(rowCount - this.missing);
      for (let i = 0, n = 0; i < rowCount; i++) {
        if (this.values[i] !== this.values[i]) continue;
        const sortable = bits[i] & 0x80000000 ? ~bits[i] >>> 0 : (bits[i] | 0x80000000) >>> 0;
        keys[n++] = sortable * 1048576 + i; // exact below 2^53
      }
      keys.sort();
      this.sorted = Uint32Array.from(keys, (key) => key % 1048576);
    }
    return this.sorted;
  }

  show(value) {
    if (value !== value) return '–';
    if (this.isText) return this.labels[value];
    return value.toLocaleString('en-US', { maximumFractionDigits: this.whole ? 0 : Math.min(this.decimals, 4), useGrouping: false });
  }
}

const columns = facts.columns.map((description, index) => new Column(description, index));
let paths = [];

async function loadPaths() {
  const text = new TextDecoder().decode(await inflated('paths'));
  paths = rowCount ? text.split('\n') : [];
}

const fileName = (path) => path.slice(path.lastIndexOf('/') + 1) || path;
const whole = (number) => number.toLocaleString('en-US');
const percent = (part, total) => (total ? `${((100 * part) / total).toFixed(1)} %` : '–');

// An element with properties and children; text only ever goes in as text.
function make(tag, properties = {}, ...children) {
  const { text, data, attributes, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(data ?? {})) element.dataset[name] = value;
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
