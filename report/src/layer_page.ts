// A layer: its neurons as feature maps, curve, thresholds, far classes, table.
import type {Report, Site} from './data';
import {dataTable, h} from './dom';
import {featureMaps} from './feature_map';
import {axis, figure, tip, tooltip, type Chart} from './figure';
import {integer, interval, number, percent, percentNumber, shapeText, superscript} from './format';
import {neuronTable} from './neuron_table';
import {sortedByFalling} from './stats';

function curve(report: Report, site: Site): Chart {
  const values = Float64Array.from({length: site.neurons}, (_, i) => report.nvf(site.first + i));
  const order = sortedByFalling(values);
  const step = Math.max(1, Math.floor(order.length / 600));
  const picked = Array.from(order.keys()).filter((i) => i % step === 0 || i === order.length - 1);
  const most = values[order[0]] ?? 0, middle = values[order[Math.floor(order.length / 2)]] ?? 0;
  const line = picked.map((i) => [i + 1, 100 * values[order[i]]]);
  const width = Math.ceil(order.length / 100);
  const band = (reading: 'low' | 'high') => Array.from({length: Math.ceil(order.length / width)}, (_, b) => {
    const part = Array.from(order.subarray(b * width, (b + 1) * width));
    return [b * width + (part.length + 1) / 2, 100 * part.reduce((sum, i) => sum + report.nvf(site.first + i, reading), 0) / part.length];
  });
  const [low, high] = [band('low'), band('high')];
  return {
    name: `${site.name}-sorted`, title: 'NVF, sorted', subject: site.name,
    label: `Sorted NVF of ${site.neurons} neurons: at most ${percent(most)}, median ${percent(middle)}`,
    caption: `From the most to the least vulnerable neuron: at most ${percent(most)}, median ${percent(middle)}. The band spans the low and the high readings, means of neighbours in the order.`,
    legend: (c) => [[c.main, 'NVF'], [c.band, 'low to high']],
    height: () => 260,
    table: () => ({columns: ['rank', 'neuron', 'nvf_low', 'nvf', 'nvf_high'], rows: Array.from(order, (i, rank) =>
      [rank + 1, report.flatIndex(site.first + i), report.nvf(site.first + i, 'low'), values[i], report.nvf(site.first + i, 'high')])}),
    option: (c) => ({
      grid: {left: 54, right: 18, top: 14, bottom: 46},
      xAxis: axis(c, {type: 'value', min: 1, max: Math.max(site.neurons, 2), name: 'rank of the neuron', nameGap: 28, splitLine: {show: false}, axisLabel: {showMinLabel: false}}),
      yAxis: axis(c, {type: 'value', min: 0, name: 'NVF, %', nameGap: 36}),
      tooltip: {...tooltip(c, (p: any) => tip(`rank ${integer(p[0].value[0])}`, ['NVF', percent(p[0].value[1] / 100)])), trigger: 'axis'},
      series: [
        {type: 'line', showSymbol: false, data: line, lineStyle: {color: c.main, width: 2}, itemStyle: {color: c.main}, z: 4},
        {type: 'line', showSymbol: false, silent: true, stack: 'band', data: low, lineStyle: {width: 0}},
        {type: 'line', showSymbol: false, silent: true, stack: 'band', lineStyle: {width: 0}, areaStyle: {color: c.band},
          data: high.map(([x, value], i) => [x, value - low[i][1]])},
      ],
    }),
  };
}

function histogram(site: Site): Chart {
  const {below, above} = site.histogram;
  const used = below.map((n, i) => (n + above[i] > 0 ? i : -1)).filter((i) => i >= 0 && i < below.length - 1);
  const first = used[0] ?? 140, last = used[used.length - 1] ?? 160;
  const bins = Array.from({length: last - first + 1}, (_, i) => first + i);
  const total = above.reduce((a, b) => a + b, 0) || 1;
  const without = (side: number[]) => side[side.length - 1] / (side.reduce((a, b) => a + b, 0) || 1);
  return {
    name: `${site.name}-thresholds`, title: 'Thresholds', subject: site.name,
    label: `Histogram of thresholds. No threshold upwards for ${percent(without(above))}, downwards for ${percent(without(below))} of neurons and inputs.`,
    caption: `Size of the least critical deviation, upwards above the line and downwards below it. None at all: ${percent(without(above))} upwards, ${percent(without(below))} downwards.`,
    legend: (c) => [[c.main, 'upwards'], [c.second, 'downwards']],
    height: () => 260,
    table: () => ({columns: ['from', 'below', 'upwards', 'downwards'], rows: [...bins.map((b) => [2 ** (b - 150), 2 ** (b - 149), above[b], below[b]]),
      ['none', '', above[above.length - 1], below[below.length - 1]]]}),
    option: (c, width) => ({
      grid: {left: 54, right: 18, top: 14, bottom: 46},
      xAxis: axis(c, {type: 'category', data: bins.map((b) => `2${superscript(b - 150)}`), name: 'size of the deviation, from', nameGap: 28, splitLine: {show: false},
        axisLabel: {interval: Math.max(0, Math.ceil(bins.length / Math.max(3, width / 90)) - 1)}}),
      yAxis: axis(c, {type: 'value', name: '% of neurons and inputs', nameGap: 36, axisLabel: {formatter: (v: number) => String(Math.abs(v))}}),
      tooltip: {...tooltip(c, (p: any) => {
        const b = bins[p[0].dataIndex];
        return tip(`${number(2 ** (b - 150))} to ${number(2 ** (b - 149))}`, ['upwards', percent(above[b] / total)], ['downwards', percent(below[b] / total)]);
      }), trigger: 'axis'},
      series: [[above, 1, c.main], [below, -1, c.second]].map(([side, sign, color]) => ({
        type: 'bar', stack: 'all', barCategoryGap: '8%', itemStyle: {color},
        data: bins.map((b) => 100 * (sign as number) * (side as number[])[b] / total)})),
    }),
  };
}

function farClasses(report: Report, site: Site): HTMLElement {
  const counts = new Map<number, [number, number]>();
  for (let p = site.first; p < site.first + site.neurons; ++p) {
    report.farClass(p).forEach((f, side) => {
      const pair = counts.get(f) ?? [0, 0];
      ++pair[side];
      counts.set(f, pair);
    });
  }
  const rows = [...counts].sort((a, b) => b[1][1] + b[1][0] - a[1][1] - a[1][0] || a[0] - b[0]).map(([f, [below, above]]) =>
    [f < 0 ? 'none' : report.className(f), integer(above), integer(below)]);
  return h('div', {class: 'far'}, h('h3', null, 'Far classes'),
    h('p', {class: 'note'}, 'The class that the network tends to as a neuron of this layer grows without bound, whatever the input.'),
    dataTable({columns: ['Class', 'neurons, upwards', 'downwards'], rows}, 12));
}

export function layerPage(report: Report, site: Site): HTMLElement {
  const {lvf} = site;
  const next = (by: number) => {
    const other = report.sites[site.index + by];
    return other && h('a', {href: `#site/${other.index}`, rel: by < 0 ? 'prev' : 'next'}, by < 0 && '\u2190 ', h('bdi', null, other.name), by > 0 && ' \u2192');
  };
  const facts: [string, string][] = [
    ['LVF', percent(lvf.resolved)], ['low to high', `${percentNumber(lvf.low)} to ${percent(lvf.high)}`],
    ...(lvf.interval ? [['95\u00a0% interval', interval(...lvf.interval)] as [string, string]] : []),
    ['NaN part', percent(lvf.nan)],
    ['Neurons', site.neurons === site.population ? integer(site.population) : `${integer(site.neurons)} of ${integer(site.population)}`],
    ['Shape', shapeText(site.shape)], ['Kind', site.kind],
  ];
  return h('article', {class: 'view', 'aria-labelledby': 'view-title'},
    h('nav', {class: 'crumbs', 'aria-label': 'Path'}, h('a', {href: '#where'}, 'All layers'), next(-1), next(1)),
    h('h2', {id: 'view-title', tabindex: -1}, 'Layer ', h('bdi', null, site.name)),
    h('p', {class: 'note'}, 'Tensor ', h('bdi', null, site.tensor), ', node ', h('bdi', null, site.node)),
    h('dl', {class: 'facts'}, facts.map(([key, value]) => h('div', null, h('dt', null, key), h('dd', null, value)))),
    site.neurons > 0 && [
      featureMaps(report, site),
      h('div', {class: 'pair'}, figure(curve(report, site)), figure(histogram(site))),
      farClasses(report, site), neuronTable(report, site)]);
}
