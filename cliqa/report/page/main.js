// Main: what the page begins with, and one redraw a frame for whatever changed.

let waiting = false;
let spent = 0; // ms of counting since the last redraw, which belong to the next one
let drawn = ''; // the command on the screen
function redraw(before = 0) {
  spent += before;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const start = performance.now() - spent;
    spent = 0;
    showTally();
    for (const column of visible) drawField(column);
    if ($('gallery').offsetParent) gallery.draw();
    scatter.draw();
    performance.clearMeasures('redraw');
    performance.measure('redraw', { start });
  });
}

function showTally() {
  const { keptCount } = conditions;
  $('kept').textContent = whole(keptCount);
  $('kept-share').textContent = `(${percent(keptCount, rowCount)})`;
  $('dropped').textContent = whole(rowCount - keptCount);
  $('proportion').style.transform = `scaleX(${rowCount ? keptCount / rowCount : 0})`;
  const command = conditions.command();
  if (command !== drawn) $('command').textContent = drawn = command;
}

function buildTabs() {
  const tabs = [...document.querySelectorAll('[role=tab]')];
  const select = (tab) => {
    for (const one of tabs) {
      one.setAttribute('aria-selected', one === tab);
      one.tabIndex = one === tab ? 0 : -1;
      const panel = one.getAttribute('aria-controls');
      if (panel !== 'thresholds') $(panel).hidden = one !== tab; // beside the others on a wide screen
    }
    document.body.dataset.view = tab.getAttribute('aria-controls');
    if (tab.id === 'tab-scatter') scatter.choose();
    redraw();
  };
  const narrow = matchMedia('(max-width: 60rem)');
  const settle = () => {
    if (narrow.matches && !document.body.dataset.view) select($('tab-thresholds'));
    if (!narrow.matches && document.body.dataset.view === 'thresholds') select($('tab-gallery'));
  };
  narrow.addEventListener('change', settle);
  settle();
  tabs.forEach((tab) => {
    tab.addEventListener('click', () => select(tab));
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const reachable = tabs.filter((one) => one.offsetParent);
      const next = reachable[(reachable.indexOf(tab) + step + reachable.length) % reachable.length];
      next.focus();
      select(next);
    });
  });
}

function buildTop() {
  $('copy').addEventListener('click', copyCommand);
  for (const way of ['all', 'any']) {
    $(`combine-${way}`).addEventListener('click', () => {
      conditions.combine = way;
      for (const one of ['all', 'any']) $(`combine-${one}`).setAttribute('aria-pressed', one === way);
      conditions.recount();
      redraw();
    });
  }
  $('reset').addEventListener('click', () => {
    for (const column of conditions.inUse()) {
      Object.assign(column.condition, { used: false, labels: new Set(column.labels.keys()) });
      conditions.update(column);
      showCondition(column);
    }
    redraw();
  });
  const measureTop = () => document.documentElement.style.setProperty('--top', `${document.querySelector('.top').offsetHeight}px`);
  measureTop();
  addEventListener('resize', () => { measureTop(); redraw(); });
}

async function copyCommand() {
  const text = conditions.command();
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no permission, or an old browser: the selection still works
    getSelection().selectAllChildren($('command'));
    document.execCommand('copy');
  }
  $('copy').textContent = 'Copied';
  setTimeout(() => { $('copy').textContent = 'Copy'; }, 1500);
}

// The thresholds that the page was made with.
async function begin() {
  for (const { name, operator, value } of facts.start) {
    const column = columns.find((one) => one.name === name);
    await column.load();
    column.reveal?.();
    conditions.begin(column);
    Object.assign(column.condition, { operator, value, used: true });
    conditions.update(column);
    fillField(column);
    showCondition(column);
  }
  const first = columns.find((column) => column.name === facts.start[0]?.name) ?? columns.find((column) => !column.isText);
  if (first) await gallery.sortBy(first);
  else $('position').textContent = 'No file was scored.';
}

async function main() {
  if (!('DecompressionStream' in window)) throw new Error('this browser is too old for the page (before 2023); open it in a current one');
  readColours();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { readColours(); redraw(); });
  buildTop();
  buildTabs();
  gallery.build();
  detail.build();
  scatter.build();
  buildHistograms();
  document.documentElement.dataset.built = 'true';
  await loadPaths();
  await begin();
  redraw();
  await issues.build();
  document.documentElement.dataset.ready = 'true';
  performance.mark('ready');
}

main().catch((error) => {
  $('fatal').hidden = false;
  $('fatal').textContent = `The page can't be shown: ${error.message}`;
});
