// A small image of how blurred each part of a picture is: bright is sharp, dark is blurred, hatched can't be told.

import { make } from '../report/dom.js';

const SHARP = [255, 236, 160];
const BLURRED = [24, 34, 74];
const MOST = 4; // pixels of blur from which all is as dark

export function sharpnessMap(cells) {
  const [width, height] = [cells[0].length, cells.length];
  const told = cells.flat().filter((value) => value !== null);
  const words = told.length
    ? `Map of its parts, from ${Math.min(...told).toFixed(1)} (bright, sharp) to ${Math.max(...told).toFixed(1)} pixels of blur; hatched can't be told`
    : "No part can be told.";
  const canvas = make('canvas', { width, height, className: 'sharp-map', attributes: { role: 'img', 'aria-label': words } });
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  cells.flat().forEach((value, place) => {
    if (value === null) return; // stays transparent
    const share = Math.min(1, value / MOST);
    image.data.set([...SHARP.map((level, part) => level + share * (BLURRED[part] - level)), 255], 4 * place);
  });
  context.putImageData(image, 0, 0);
  return [canvas, make('small', { text: words })];
}
