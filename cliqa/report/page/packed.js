// The report's data: base64 in script elements -> typed arrays, each when it is first needed.

import { $ } from './dom.js';

export function bytesOf(id) {
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
export async function inflated(id) {
  const page = document.documentElement;
  page.setAttribute('aria-busy', ++inflating > 0);
  try {
    const stream = new Blob([bytesOf(id)]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } finally {
    page.setAttribute('aria-busy', --inflating > 0);
  }
}

// The values of a column as cliqa.report.columns packs them: bytes, or floats in four byte planes.
export function unpacked(bytes, encoding) {
  if (encoding === 'u8') return Float32Array.from(bytes, (byte) => (byte === 255 ? NaN : byte));
  const rows = bytes.length / 4;
  const joined = new Uint8Array(bytes.length);
  for (let plane = 0; plane < 4; plane++) {
    const start = plane * rows;
    for (let i = 0; i < rows; i++) joined[4 * i + plane] = bytes[start + i];
  }
  return new Float32Array(joined.buffer);
}

export const readPacked = async (column) => unpacked(await inflated(`column-${column.index}`), column.encoding);
