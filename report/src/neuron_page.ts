// A neuron: its ranges, where its bit flips land, its figures.
import type {Report, Site} from './data';
import {dataTable, h} from './dom';
import {figure} from './figure';
import {bitMeaning, integer, number, percent, percentNumber, placeText, range} from './format';
import {flipsChart, rangesChart} from './ranges_chart';

export function positionOf(report: Report, site: Site, flat: number): number {
  for (let p = site.first; p < site.first + site.neurons; ++p) if (report.flatIndex(p) === flat) return p;
  return -1;
}

export function neuronPage(report: Report, site: Site, position: number): HTMLElement {
  const detail = report.detail(position);
  const [far, near] = [report.farClass(position), report.golden(position)];
  const facts: [string, string][] = [
    ['NVF', percent(report.nvf(position))],
    ['low to high', `${percentNumber(report.nvf(position, 'low'))} to ${percent(report.nvf(position, 'high'))}`],
    ['NaN part', percent(report.nvf(position, 'nan'))],
    ['Worst bit', report.nvf(position) > 0 ? `${report.worstBit(position)} (${bitMeaning(report.worstBit(position))})` : '\u2013'],
    ['Golden values', range(near)],
    ['Far class', far.map((f) => (f < 0 ? 'none' : report.className(f))).join(' below, ') + ' above'],
    ['Contradictions', integer(report.contradictions(position))],
  ];
  const other = (by: number, words: string) => position + by >= site.first && position + by < site.first + site.neurons &&
    h('a', {href: `#neuron/${site.index}/${report.flatIndex(position + by)}`}, words);
  return h('article', {class: 'view', 'aria-labelledby': 'view-title'},
    h('nav', {class: 'crumbs', 'aria-label': 'Path'}, h('a', {href: '#where'}, 'All layers'), h('a', {href: `#site/${site.index}`}, 'Layer ', h('bdi', null, site.name)),
      other(-1, '\u2190 previous'), other(1, 'next \u2192')),
    h('h2', {id: 'view-title', tabindex: -1}, 'Neuron ', placeText(report, position, site), ' of ', h('bdi', null, site.name)),
    h('dl', {class: 'facts'}, facts.map(([key, value]) => h('div', null, h('dt', null, key), h('dd', null, value)))),
    figure(rangesChart(report, site, position)),
    detail ? figure(flipsChart(report, site, position, detail))
      : h('p', {class: 'note'}, `The ranges of every class and the bits are in this page for ${integer(report.detailed)} neurons, the most vulnerable; vigor report --detail names layers to add.`),
    h('h3', null, 'Ranges'),
    dataTable({
      columns: ['Golden class', 'safe from', 'to', 'critical up to', 'from', 'finite only: up to', 'from', 'golden values'],
      rows: report.rows(position).map((r) => [report.className(r.golden_class), ...r.nonvulnerable.map(number), ...r.vulnerable.map(number),
        ...r.finite_only.map(number), range(r.golden)]),
    }));
}
