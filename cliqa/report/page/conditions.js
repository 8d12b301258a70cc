// Conditions: which rows are kept, and the same in SQL and on a command line.

const conditions = {
  combine: 'all',
  fails: new Uint8Array(rowCount), // per row, how many of the conditions in use it does not fulfil
  kept: new Uint8Array(rowCount).fill(1),
  keptCount: rowCount,
  inUse: () => columns.filter((column) => column.condition?.used),

  // Where a field starts: at the worse tenth, not in use.
  begin(column) {
    if (column.condition) return column.condition;
    const lower = column.better === 'lower';
    const { order, values } = column;
    const at = order.length ? values[order[Math.floor((order.length - 1) * (lower ? 0.9 : 0.1))]] : 0;
    column.condition = {
      used: false,
      operator: lower ? '<=' : '>=',
      value: column.isText ? 0 : onStep(column, at, lower ? Math.ceil : Math.floor),
      labels: new Set(column.labels.keys()),
      keepMissing: false,
      mask: null, // Uint8Array, 1 where the row does not fulfil it; null while not in use
      failing: 0,
    };
    return column.condition;
  },

  // Recount after a change of one column's condition.
  update(column) {
    const { condition } = column;
    const mask = condition.used ? failMask(column) : null;
    const before = condition.mask;
    const { fails } = this;
    condition.failing = 0;
    for (let i = 0; i < rowCount; i++) {
      const now = mask ? mask[i] : 0;
      condition.failing += now;
      fails[i] += now - (before ? before[i] : 0);
    }
    condition.mask = mask;
    this.recount();
  },

  recount() {
    const { fails, kept } = this;
    const used = this.inUse().length;
    const limit = this.combine === 'any' && used ? used - 1 : 0;
    let count = 0;
    for (let i = 0; i < rowCount; i++) count += kept[i] = fails[i] <= limit ? 1 : 0;
    this.keptCount = count;
  },

  where() {
    return this.inUse().map(term).join(this.combine === 'any' ? ' or ' : ' and ');
  },

  command() {
    const where = this.where();
    const quoted = /["$`\\!]/.test(where) ? `'${where.replaceAll("'", `'"'"'`)}'` : `"${where}"`;
    return `python -m cliqa.apply ${facts.store}${where ? ` --where ${quoted}` : ''} -o kept`;
  },
};

function onStep(column, value, rounding) {
  return Number((rounding(value / column.step) * column.step).toFixed(column.decimals));
}

// 1 where a row does not fulfil the column's condition. Values are float32, so the threshold is rounded the same way.
function failMask(column) {
  const { values, condition } = column;
  const mask = new Uint8Array(rowCount);
  const ofMissing = condition.keepMissing ? 0 : 1;
  if (column.isText) {
    for (let i = 0; i < rowCount; i++) mask[i] = values[i] !== values[i] ? ofMissing : condition.labels.has(values[i]) ? 0 : 1;
    return mask;
  }
  const edge = Math.fround(condition.value);
  const compare = {
    '>=': (value) => value >= edge,
    '<=': (value) => value <= edge,
    '>': (value) => value > edge,
    '<': (value) => value < edge,
  }[condition.operator];
  for (let i = 0; i < rowCount; i++) mask[i] = values[i] !== values[i] ? ofMissing : compare(values[i]) ? 0 : 1;
  return mask;
}

function term(column) {
  const { condition } = column;
  const name = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(column.name) ? column.name : `"${column.name.replaceAll('"', '""')}"`;
  let text;
  if (column.isText) {
    const chosen = [...condition.labels].sort((a, b) => a - b).map((index) => `'${column.labels[index].replaceAll("'", "''")}'`);
    text = chosen.length === 1 ? `${name} = ${chosen[0]}` : `${name} in (${chosen.join(', ')})`;
  } else {
    text = `${name} ${condition.operator} ${condition.value}`;
  }
  return condition.keepMissing ? `(${text} or ${name} is null)` : text;
}
