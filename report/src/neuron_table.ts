// The neurons of a layer: sorted, filtered, a page at a time.
import type {Report, Site} from './data';
import {fileName, h, save, toCsv} from './dom';
import {integer, number, percent, placeText, range} from './format';

interface Column {
  name: string;
  key: (position: number) => number;         // sorted by
  show: (position: number) => string;
}

const ROWS = 25;

export function neuronTable(report: Report, site: Site): HTMLElement {
  const far = (f: number): string => (f < 0 ? '\u2013' : report.className(f));
  const columns: Column[] = [
    {name: 'Neuron', key: (p) => report.flatIndex(p), show: (p) => placeText(report, p, site)},
    {name: 'NVF', key: (p) => report.nvf(p), show: (p) => percent(report.nvf(p))},
    {name: 'Safe from', key: (p) => report.nonvulnerable(p)[0], show: (p) => number(report.nonvulnerable(p)[0])},
    {name: 'to', key: (p) => report.nonvulnerable(p)[1], show: (p) => number(report.nonvulnerable(p)[1])},
    {name: 'Critical up to', key: (p) => report.vulnerable(p)[0], show: (p) => number(report.vulnerable(p)[0])},
    {name: 'from', key: (p) => report.vulnerable(p)[1], show: (p) => number(report.vulnerable(p)[1])},
    {name: 'Golden values', key: (p) => report.golden(p)[1], show: (p) => range(report.golden(p))},
    {name: 'Worst bit', key: (p) => report.worstBit(p), show: (p) => String(report.worstBit(p))},
    {name: 'Far class below', key: (p) => report.farClass(p)[0], show: (p) => far(report.farClass(p)[0])},
    {name: 'above', key: (p) => report.farClass(p)[1], show: (p) => far(report.farClass(p)[1])},
    {name: 'Contra\u00addictions', key: (p) => report.contradictions(p), show: (p) => integer(report.contradictions(p))},
  ];
  const all = Array.from({length: site.neurons}, (_, i) => site.first + i);
  let order = 1, falling = true, page = 0, shown = all;

  const body = h('tbody'), status = h('span', {'aria-live': 'polite'});
  const heads = columns.map((column, i) => h('th', {scope: 'col', class: i ? 'number' : null}, h('button', {
    type: 'button', onclick: () => { falling = order === i ? !falling : i > 0; order = i; page = 0; update(); },
  }, column.name)));
  const words = h('input', {type: 'search', placeholder: site.shape.length > 1 ? 'e.g. 3,*,7' : 'e.g. 42', 'aria-label': 'Filter by place, * for any', oninput: () => { page = 0; update(); }});
  const least = h('input', {type: 'number', min: 0, max: 100, step: 'any', 'aria-label': 'Least NVF in percent', oninput: () => { page = 0; update(); }});
  const step = (by: number) => h('button', {type: 'button', onclick: () => { page += by; update(); }}, by < 0 ? '\u2190 previous' : 'next \u2192');
  const [back, forth] = [step(-1), step(1)];

  const update = () => {
    const pattern = words.value.replace(/[()\s]/g, '').split(',').filter((part) => part !== '');
    const bound = least.value === '' ? -1 : Number(least.value) / 100;
    shown = all.filter((p) => {
      if (report.nvf(p) < bound) return false;
      if (pattern.length === 0) return true;
      const place = report.place(p, site);
      return pattern.every((part, i) => part === '*' || Number(part) === place[i]);
    });
    const {key} = columns[order];
    const keys = new Map(shown.map((p) => [p, key(p)]));
    shown.sort((a, b) => {
      const [x, y] = [keys.get(a)!, keys.get(b)!];
      return (x === y ? 0 : (x < y ? -1 : 1) * (falling ? -1 : 1)) || a - b;
    });
    const pages = Math.max(1, Math.ceil(shown.length / ROWS));
    page = Math.min(Math.max(page, 0), pages - 1);
    body.replaceChildren(...shown.slice(page * ROWS, (page + 1) * ROWS).map((p) => h('tr', null, columns.map((column, i) =>
      h('td', {class: i ? 'number' : null}, i === 0
        ? h('a', {href: `#neuron/${site.index}/${report.flatIndex(p)}`}, column.show(p)) : column.show(p))))));
    heads.forEach((head, i) => head.setAttribute('aria-sort', i === order ? (falling ? 'descending' : 'ascending') : 'none'));
    status.textContent = `${integer(shown.length)} of ${integer(all.length)} neurons, page ${page + 1} of ${integer(pages)}`;
    back.disabled = page === 0;
    forth.disabled = page === pages - 1;
  };
  update();

  const csv = () => save(`${fileName(site.name)}-neurons.csv`, new Blob([toCsv({
    columns: ['neuron', 'place', 'nvf_low', 'nvf', 'nvf_high', 'nonvulnerable_lower', 'nonvulnerable_upper', 'vulnerable_lower',
      'vulnerable_upper', 'golden_min', 'golden_max', 'worst_bit', 'far_class_below', 'far_class_above', 'contradictions'],
    rows: shown.map((p) => [report.flatIndex(p), report.place(p, site).join(' '), report.nvf(p, 'low'), report.nvf(p), report.nvf(p, 'high'),
      ...report.nonvulnerable(p), ...report.vulnerable(p), ...report.golden(p), report.worstBit(p), ...report.farClass(p), report.contradictions(p)]),
  })], {type: 'text/csv'}));
  return h('div', {class: 'neurons', id: 'neurons'},
    h('header', null, h('h3', null, 'Neurons'), h('div', {class: 'downloads'},
      h('button', {type: 'button', 'aria-label': 'Download the neurons shown as CSV', onclick: csv}, 'CSV'))),
    h('div', {class: 'filters'}, h('label', null, 'Place ', words), h('label', null, 'NVF at least, % ', least)),
    h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Neurons'},
      h('table', null, h('thead', null, h('tr', null, heads)), body)),
    h('div', {class: 'pages'}, back, status, forth));
}
