// The report's pictures: blocks of base64 -> object URLs, each block when its first picture is seen.

import { bytesOf } from './packed.js';

export const pictures = { has: () => false, url: () => undefined, count: 0 };

export function fillPictures({ rows, blocks, sizes }) {
  const places = new Map(); // row -> [block, start, length]
  const raw = new Map();
  const urls = new Map();
  let start = 0;
  rows.forEach((row, i) => {
    if (i && blocks[i] !== blocks[i - 1]) start = 0;
    places.set(row, [blocks[i], start, sizes[i]]);
    start += sizes[i];
  });
  const has = (row) => places.has(row);
  function url(row) {
    if (!urls.has(row) && has(row)) {
      const [block, from, length] = places.get(row);
      if (!raw.has(block)) raw.set(block, bytesOf(`pictures-${block}`));
      urls.set(row, URL.createObjectURL(new Blob([raw.get(block).subarray(from, from + length)], { type: 'image/webp' })));
    }
    return urls.get(row);
  }
  Object.assign(pictures, { has, url, count: rows.length });
}
