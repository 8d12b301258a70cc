// Row numbers by rising value, rows without one left out; equal values in the order of the rows. Right for any number of rows.

// `values`: Float32Array, NaN where missing. Its bits, turned so that they sort as the numbers do, are sorted by their lower and then
// by their upper half: two stable passes, whatever the values.
export function sortedRows(values) {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let keys = new Uint32Array(values.length);
  let rows = new Uint32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== values[i]) continue;
    keys[count] = bits[i] & 0x80000000 ? ~bits[i] : bits[i] | 0x80000000;
    rows[count++] = i;
  }
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(65537);
    for (let i = 0; i < count; i++) starts[((keys[i] >>> shift) & 65535) + 1]++;
    for (let bucket = 0; bucket < 65536; bucket++) starts[bucket + 1] += starts[bucket];
    const [nextKeys, nextRows] = [new Uint32Array(count), new Uint32Array(count)];
    for (let i = 0; i < count; i++) {
      const place = starts[(keys[i] >>> shift) & 65535]++;
      nextKeys[place] = keys[i];
      nextRows[place] = rows[i];
    }
    [keys, rows] = [nextKeys, nextRows];
  }
  return rows;
}

// A step of 1, 2 or 5 times a power of ten, about `span / parts`.
export function niceStep(span, parts) {
  const rough = span / parts || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
}
