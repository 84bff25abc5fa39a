// Why? How far a value must move before the answer changes, by layer.
import type {Report, Site} from './data';
import {circle, group, line, rect, text} from './draw';
import {h} from './dom';
import {axis, figure, tip, tooltip, type Chart} from './figure';
import {integer, labelRoom, number, percent, shortened} from './format';
import {histogramQuantiles} from './stats';

const SHARES = [0.05, 0.25, 0.5, 0.75, 0.95];

function sides(site: Site) {
  return (['above', 'below'] as const).map((side) => {
    const bins = site.histogram[side];
    const total = bins.reduce((a, b) => a + b, 0);
    const quantiles = histogramQuantiles(bins, SHARES)?.map((power) => power * Math.log10(2)) ?? null;
    return {side, quantiles, none: total > 0 ? bins[bins.length - 1] / total : 1};
  });
}

function thresholds(report: Report): Chart {
  const rows = report.sites.flatMap((site) => sides(site).map((side) => ({site, ...side})));
  const every = rows.flatMap((row) => row.quantiles ?? []);
  const least = Math.floor(Math.min(...every, 0)), most = Math.ceil(Math.max(...every, 1));
  return {
    name: 'thresholds', title: 'How far a value must move before the answer changes',
    label: 'Thresholds by layer. ' + rows.slice(0, 60).map((r) => `${r.site.name} ${r.side}: ${r.quantiles ? `median ${number(10 ** r.quantiles[2])}, ` : ''}no threshold for ${percent(r.none)}`).join('; '),
    caption: 'Size of the least critical deviation over neurons and inputs, upwards and downwards: median, quartiles (bar) and 5 to 95\u00a0% (line) of those that have one; pale where fewer than 1\u00a0% do. In grey, the share of neurons and inputs that no deviation on that side misclassifies.',
    legend: (c) => [[c.main, 'upwards'], [c.second, 'downwards']],
    height: () => rows.length * 17 + 62,
    click: ({dataIndex}) => { location.hash = `#site/${rows[dataIndex].site.index}`; },
    table: () => ({
      columns: ['layer', 'side', ...SHARES.map((s) => `quantile_${s}`), 'share_without_threshold'],
      rows: rows.map((r) => [r.site.name, r.side, ...SHARES.map((_, i) => (r.quantiles ? 10 ** r.quantiles[i] : '')), r.none]),
    }),
    option: (c, width) => {
      const narrow = width < 560;
      return {
        grid: {left: labelRoom(rows.map((row) => row.site.name), narrow ? 92 : 170), right: narrow ? 70 : 152, top: 20, bottom: 36},
        xAxis: axis(c, {type: 'value', min: least, max: most, name: 'size of the deviation', nameGap: 26, splitNumber: narrow ? 4 : 8, minInterval: 1,
          axisLabel: {formatter: (v: number) => number(10 ** v).replace('1\u00b710', '10')}}),
        yAxis: axis(c, {type: 'category', inverse: true, data: rows.map((_, i) => i), splitLine: {show: false},
          axisLabel: {interval: 0, hideOverlap: false, color: c.ink, verticalAlign: 'top', lineHeight: 2, formatter: (_: string, i: number) => (i % 2 ? '' : shortened(rows[i].site.name, narrow ? 12 : 24))}}),
        tooltip: tooltip(c, ({dataIndex}) => {
          const row = rows[dataIndex];
          return tip(`${row.site.name}, ${row.side === 'above' ? 'upwards' : 'downwards'}`,
            ...(row.quantiles ? SHARES.map((s, i) => [`${Math.round(100 * s)}\u00a0% below`, number(10 ** row.quantiles![i])] as [string, string]) : []),
            ['no threshold', percent(row.none)]);
        }),
        series: [{
          type: 'custom', data: rows.map((_, i) => [least, i]), clip: false, cursor: 'pointer',
          renderItem: (params: any, api: any) => {
            const row = rows[params.dataIndex];
            const color = row.side === 'above' ? c.main : c.second;
            const at = (v: number) => api.coord([v, params.dataIndex]);
            const y = at(0)[1] + (row.side === 'above' ? 2 : -2);
            const end = at(most)[0];
            const parts: Record<string, unknown>[] = [{...rect(at(least)[0], y - 6, end - at(least)[0], 12, 'transparent')}];
            if (row.quantiles) {
              const x = row.quantiles.map((q) => at(q)[0]);
              parts.push(line(x[0], y, x[4], y, color, 1.2), rect(x[1], y - 4, Math.max(x[3] - x[1], 1), 8, color, {r: 1.5}),
                circle(x[2], y, 3, {fill: c.page, stroke: color, lineWidth: 1.5}));
            }
            if (row.none > 0.99) parts.forEach((part) => { part.style = {...part.style as object, opacity: 0.35}; });
            const room = narrow ? 58 : 92;
            parts.push(rect(end + 8, y - 3, room * row.none, 6, c.pale, {r: 1}));
            if (!narrow) parts.push(text(width - 2, y, row.none > 0.9995 && row.none < 1 ? '> 99.9 %' : `${(100 * row.none).toFixed(1)} %`, c, {fontSize: 11, align: 'right'}));
            return group(parts);
          },
        }, {
          type: 'custom', silent: true, clip: false, data: [[most, 0]],
          renderItem: (_: unknown, api: any) => {
            const [x, y] = api.coord([most, 0]);
            return {type: 'text', x: x + 8, y: y - 20, style: {text: narrow ? 'none' : 'no threshold', fill: c.muted, fontSize: 11}};
          },
        }],
      };
    },
  };
}

export function why(report: Report): HTMLElement {
  return h('section', {id: 'why', 'aria-labelledby': 'why-title'},
    h('h2', {id: 'why-title'}, 'Why?'),
    h('p', null, 'A flip is critical when it moves a value further than the network bears. A small threshold makes a layer vulnerable only if flips reach it: for values below 2 in size, bit 30 alone makes a value of 2 or more (2 out of 0, up to 10', h('sup', null, '38'), ' out of smaller ones, infinity or NaN out of 1 and more), and bit 31 turns the sign.'),
    figure(thresholds(report)),
    h('h3', null, 'Look into a layer'),
    h('ul', {class: 'tiles'}, report.sites.map((site) => h('li', null, h('a', {href: `#site/${site.index}`},
      h('bdi', null, site.name), h('small', null, `${integer(site.neurons)} neurons, LVF ${percent(site.lvf.resolved)}`))))));
}
