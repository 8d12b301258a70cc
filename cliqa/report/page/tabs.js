// Tabs: one panel at a time; on a wide screen the thresholds stand beside the others.

import { $, redraw } from './dom.js';

// `chosen(tab)` is called when a tab comes to the front.
export function buildTabs(chosen = () => {}) {
  const tabs = [...document.querySelectorAll('[role=tab]')];
  const select = (tab) => {
    for (const one of tabs) {
      one.setAttribute('aria-selected', one === tab);
      one.tabIndex = one === tab ? 0 : -1;
      const panel = one.getAttribute('aria-controls');
      if (panel !== 'thresholds') $(panel).hidden = one !== tab; // beside the others on a wide screen
    }
    document.body.dataset.view = tab.getAttribute('aria-controls');
    chosen(tab);
    redraw();
  };
  const narrow = matchMedia('(max-width: 60rem)');
  const settle = () => {
    if (narrow.matches && !document.body.dataset.view) select($('tab-gallery')); // pictures first, as beside the thresholds
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
