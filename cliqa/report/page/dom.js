// What every part of a page needs: elements, numbers as text, canvases and colours.

export const $ = (id) => document.getElementById(id);

// An element with properties and children; text only ever goes in as text.
export function make(tag, properties = {}, ...children) {
  const { text, data, attributes, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(data ?? {})) element.dataset[name] = value;
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const fileName = (path) => path.slice(path.lastIndexOf('/') + 1) || path;
export const whole = (number) => number.toLocaleString('en-US');
export const percent = (part, total) => (total ? `${((100 * part) / total).toFixed(1)} %` : '–');

export function groupBy(columns) {
  const groups = new Map();
  for (const column of columns) groups.set(column.metric, [...(groups.get(column.metric) ?? []), column]);
  return groups;
}

// Fit a canvas to its place on the screen; returns its context in CSS pixels and its size.
export function fit(canvas) {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

export const colours = {};

export function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['bar', 'kept', 'kept-soft', 'dropped', 'dropped-soft', 'text', 'quiet', 'line', 'panel', 'page']) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

export async function copyText(text, element) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no permission, or an old browser: the selection still works
    getSelection().selectAllChildren(element);
    document.execCommand('copy');
  }
}

// One redraw a frame for whatever changed.
export const painters = [];
let waiting = false;
let spent = 0; // ms of counting since the last redraw, which belong to the next one
export function redraw(before = 0) {
  spent += before;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const start = performance.now() - spent;
    spent = 0;
    for (const paint of painters) paint();
    performance.clearMeasures('redraw');
    performance.measure('redraw', { start });
  });
}
