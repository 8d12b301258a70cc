// The command that does the same as the page would, where there is one.

const OPTIONS = { copy: '', link: ' --symlink', hardlink: ' --hardlink', move: ' --move' };

// `where`: the conditions as an option of a command line, '' for none. Returns `words` that say what `command` does; no command is ''.
export function sameCommand({ which, way, along }, { store, output, where }) {
  if (!(way in OPTIONS)) return { words: 'No command does the same.', command: '' };
  const end = ` -o ${output}${OPTIONS[way]}${along ? ' --with-companions' : ''}`;
  const alone = 'The same by the conditions alone, without marks and floors:';
  if (which === 'kept') return { words: alone, command: `cliqa apply ${store}${where}${end}` };
  if (which === 'dropped' && where) return { words: alone, command: `cliqa apply ${store}${where} --invert${end}` };
  if (which === 'copies') return { words: 'The same as a command:', command: `cliqa duplicates ${store} --keep rest${end}` };
  const why = { dropped: 'no condition is in use', selected: 'it would have to know what is selected', marked: 'it would have to know your marks' }[which];
  return { words: `No command does the same: ${why}.`, command: '' };
}
