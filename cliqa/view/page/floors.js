// Floors: of each folder at least so many are kept, the best of those that the conditions drop.

// The folder of each path as a number, and how many folders there are.
export function foldersOf(paths) {
  const numbers = new Map();
  const of = Uint32Array.from(paths, (path) => {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (!numbers.has(folder)) numbers.set(folder, numbers.size);
    return numbers.get(folder);
  });
  return { of, count: numbers.size };
}

// Adds to `kept` (1 for each kept row) until each group has `least`. Of the others those with the fewest failed conditions come first,
// then those that come first in `better(a, b)`. Rows with `barred[row]` stay out.
export function raise(kept, groups, least, fails, barred, better = () => 0) {
  if (!least) return;
  const counts = new Uint32Array(groups.count);
  for (let row = 0; row < kept.length; row++) counts[groups.of[row]] += kept[row];
  const waiting = Array.from({ length: groups.count }, () => []);
  for (let row = 0; row < kept.length; row++) {
    if (!kept[row] && !barred[row] && counts[groups.of[row]] < least) waiting[groups.of[row]].push(row);
  }
  waiting.forEach((rows, group) => {
    rows.sort((a, b) => fails[a] - fails[b] || better(a, b) || a - b);
    for (const row of rows.slice(0, least - counts[group])) kept[row] = 1;
  });
}
