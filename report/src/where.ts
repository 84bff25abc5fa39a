// Where? LVF along the network; LVF against injected faults.
import type {Report, Site} from './data';
import {circle, drawing, group, line, rect, text, whisker} from './draw';
import {h} from './dom';
import {axis, figure, tip, tooltip, type Chart} from './figure';
import {integer, labelRoom, percent, percentNumber, roundEnds, shapeText, shortened} from './format';
import {labelPlaces} from './labels';
import {siteGraph, type SiteGraph} from './network';
import {fitted, pearson, spearman} from './stats';
import type {Colors} from './theme';

function layers(report: Report): Chart {
  const {sites} = report;
  const graph = siteGraph(report);
  const {ops} = graph;
  const sampled = sites.some((site) => site.lvf.interval);
  const tall = sites.length <= 24;
  const row = tall ? 40 : 24;
  return {
    name: 'layers', title: 'Layer vulnerability factor (LVF) along the network',
    label: `Bars of the vulnerability factor of ${sites.length} layers in the order of the network. ` +
      sites.slice(0, 40).map((s) => `${s.name}: ${percent(s.lvf.resolved)}`).join('; '),
    caption: ['Share of bit flips in a layer that change the answer. The line with caps spans the low and the high reading',
      sampled && '; the shaded band is the 95\u00a0% interval of a sample of the neurons',
      '. To the left, how the layers feed each other, dots for sums and joins. Click a layer to look into it.'],
    legend: (c) => [[c.main, 'another class'], [c.nan, 'NaN']],
    height: () => sites.length * row + 64,
    click: ({dataIndex}) => { location.hash = `#site/${dataIndex}`; },
    table: () => ({
      columns: ['layer', 'operators', 'shape', 'neurons', 'population', 'lvf_low', 'lvf', 'lvf_high', 'lvf_nan', 'interval_low', 'interval_high'],
      rows: sites.map((s) => [s.name, ops[s.index].join(' '), shapeText(s.shape), s.neurons, s.population,
        s.lvf.low, s.lvf.resolved, s.lvf.high, s.lvf.nan, s.lvf.interval?.[0] ?? s.lvf.resolved, s.lvf.interval?.[1] ?? s.lvf.resolved]),
    }),
    option: (c, width) => layersOption(report, c, width, {...graph, row, tall}),
  };
}

interface Rail extends SiteGraph { row: number; tall: boolean }

function layersOption(report: Report, c: Colors, width: number, {edges, junctions, ops, row, tall}: Rail) {
  const {sites} = report;
  const narrow = width < 560;
  const rail = narrow ? 34 : 58;
  const words = (i: number) => `${shapeText(sites[i].shape)}  ${ops[i].join(' \u203a ')}`;
  const labels = narrow ? 88 : Math.max(labelRoom(sites.map((s) => s.name), 200), tall ? labelRoom(sites.map((_, i) => words(i)), 236) * 0.9 : 0);
  const most = Math.max(...sites.map((s) => Math.max(s.lvf.high, s.lvf.interval?.[1] ?? 0)), 1e-6);
  const describe = (i: number) => tall && !narrow
    ? `{b|${shortened(sites[i].name, 26)}}\n{m|${shortened(words(i), 36)}}`
    : `{b|${shortened(sites[i].name, narrow ? 11 : 26)}}`;
  return {
    grid: {left: labels + rail, right: narrow ? 52 : 64, top: 22, bottom: 36},
    xAxis: axis(c, {type: 'value', ...roundEnds(0, most * 100, narrow ? 4 : 8), name: narrow ? 'LVF, %' : 'bit flips that change the answer, %', nameGap: 26}),
    yAxis: axis(c, {
      type: 'category', inverse: true, data: sites.map((_, i) => i), splitLine: {show: false},
      axisLabel: {
        margin: labels + rail, interval: 0, hideOverlap: false, align: 'left', formatter: (_: string, i: number) => describe(i),
        rich: {b: {color: c.ink, fontSize: 13, lineHeight: 16}, m: {color: c.muted, fontSize: 11, lineHeight: 15}},
      },
    }),
    tooltip: tooltip(c, ({dataIndex}) => {
      const s = sites[dataIndex];
      return tip(s.name, ['LVF', percent(s.lvf.resolved)], ['low to high', `${percentNumber(s.lvf.low)} to ${percent(s.lvf.high)}`],
        ['NaN part', percent(s.lvf.nan)], ...(s.lvf.interval ? [['95\u00a0% interval', `${percentNumber(s.lvf.interval[0])} to ${percent(s.lvf.interval[1])}`] as [string, string]] : []),
        ['neurons', s.neurons === s.population ? integer(s.population) : `${integer(s.neurons)} of ${integer(s.population)}`], ['operators', ops[s.index].join(', ')]);
    }),
    series: [
      {type: 'bar', stack: 'lvf', barWidth: Math.min(16, row * 0.5), itemStyle: {color: c.main}, data: sites.map((s) => 100 * (s.lvf.resolved - s.lvf.nan)), cursor: 'pointer'},
      {type: 'bar', stack: 'lvf', barWidth: Math.min(16, row * 0.5), itemStyle: {color: c.nan}, data: sites.map((s) => 100 * s.lvf.nan), cursor: 'pointer'},
      {
        type: 'custom', data: sites.map((_, i) => [0, i]), clip: false, silent: true, z: 4,
        renderItem: (params: any, api: any) => {
          const {lvf} = sites[params.dataIndex];
          const at = (share: number) => api.coord([100 * share, params.dataIndex]);
          const [low, y] = at(lvf.low), [high] = at(lvf.high);
          const parts = whisker(low, high, y, 4, c.ink);
          if (lvf.interval) {
            const [from] = at(lvf.interval[0]), [to] = at(lvf.interval[1]);
            parts.unshift({...rect(from, y - 6, Math.max(to - from, 1), 12, c.ink), style: {fill: c.ink, opacity: 0.16}});
          }
          parts.push(text(width - 4, y, percentNumber(lvf.resolved), c, {fill: c.ink, align: 'right'}));
          return group(parts);
        },
      },
      drawing((api) => {
        const [x0, first] = api.coord([0, 0]);
        const x = x0 - 16;
        const y = (at: number) => first + (at < 0 ? -0.6 : at) * row;
        const places = [-1, ...sites.keys(), ...junctions];
        const curves = edges.map(([from, to]) => {
          if (!places.some((at) => at > from && at < to)) return line(x, y(from), x, y(to), c.muted, 1.4);
          const bulge = x - Math.min(rail - 22, 10 + 5 * (to - from));
          return {type: 'bezierCurve', shape: {x1: x, y1: y(from), x2: x, y2: y(to), cpx1: bulge, cpy1: y(from) + 4, cpx2: bulge, cpy2: y(to) - 4},
            style: {stroke: c.muted, lineWidth: 1, fill: 'none', opacity: 0.8}};
        });
        return group([...curves, ...junctions.map((at) => circle(x, y(at), 2.2, {fill: c.ink})),
          ...sites.map((_, i) => circle(x, y(i), 4, {fill: c.page, stroke: c.ink, lineWidth: 1.4})),
          text(x, y(-1) - 8, 'input', c, {align: 'center', fontSize: 11}),
          text(width - 4, y(-1) - 8, 'LVF, %', c, {align: 'right', fontSize: 11})]);
      }),
    ],
  };
}

/** Sites that were injected too. */
export function injected(report: Report) {
  return report.sites.flatMap((site) => {
    const found = report.content.injection?.sites.find((s) => s.name === site.name);
    return found && found.critical.rate !== null ? [{site, found, rate: found.critical.rate}] : [];
  });
}

const coefficient = (value: number): string => (Number.isNaN(value) ? 'undefined' : value.toFixed(3).replace('-', '\u2212'));

function accuracy(report: Report): Chart | null {
  const points = injected(report).filter(({found}) => found.accuracy_loss !== null);
  if (points.length < 2) return null;
  const x = points.map(({site}) => site.lvf.resolved), y = points.map(({found}) => found.accuracy_loss!);
  const correlation = `Pearson ${coefficient(pearson(x, y))}, Spearman ${coefficient(spearman(x, y))}`;
  const injection = report.content.injection!;
  const names = points.map(({site}) => shortened(site.name, 18));
  const tall = (width: number) => Math.min(380, Math.max(280, width * 0.5));
  return {
    name: 'accuracy-loss', title: 'LVF against measured accuracy loss',
    label: `Scatter of LVF and accuracy lost under injected faults of ${points.length} layers. ${correlation}`,
    caption: [`${correlation} over ${points.length} layers; dashed, the line of least squares. Accuracy loss: right answers without faults minus those with one random bit flip in the layer, ${integer(injection.model.faults)} faults (plan ${injection.plan.kind}, ${integer(injection.data.inputs)} inputs`,
      injection.same_inputs ? ', the same as analysed' : ', others than analysed', ').'],
    height: tall,
    click: ({dataIndex}) => { location.hash = `#site/${points[dataIndex].site.index}`; },
    table: () => ({columns: ['layer', 'lvf', 'accuracy_loss', 'faults'], rows: points.map(({site, found}, i) => [site.name, x[i], y[i], found.faults])}),
    option: (c, width) => {
      // The axes begin at 0 where the points are not far from it, and leave room around them.
      const ends = (values: number[]) => {
        const [least, most] = [100 * Math.min(...values), 100 * Math.max(...values)];
        const room = 0.08 * (most - least) || 0.1 * Math.abs(most) || 1;
        return roundEnds(least >= 0 && least < most / 2 ? 0 : least - room, most + room, width < 560 ? 4 : 6);
      };
      const across = ends(x), up = ends(y);
      const [slope, offset] = fitted(x, y);
      const grid = {left: 64, right: 28, top: 16, bottom: 52};
      const places = labelPlaces(points.map((_, i) => [
        grid.left + (width - grid.left - grid.right) * (100 * x[i] - across.min) / (across.max - across.min),
        grid.top + (tall(width) - grid.top - grid.bottom) * (up.max - 100 * y[i]) / (up.max - up.min)]), names, width);
      return {
        grid,
        xAxis: axis(c, {type: 'value', ...across, name: 'LVF, %', nameGap: 30}),
        yAxis: axis(c, {type: 'value', ...up, name: 'accuracy loss, points', nameGap: 44}),
        tooltip: tooltip(c, ({dataIndex: i}) => tip(points[i].site.name, ['LVF', percent(x[i])], ['accuracy loss', percent(y[i])])),
        series: [{
          type: 'scatter', symbolSize: 10, itemStyle: {color: c.main, opacity: 1}, z: 3,
          data: points.map((_, i) => ({value: [100 * x[i], 100 * y[i]], label: {show: places[i] !== null, position: places[i] ?? 'right'}})),
          label: {color: c.ink, fontSize: 12, textBorderColor: c.page, textBorderWidth: 3, formatter: (p: any) => names[p.dataIndex]},
        }, {
          type: 'line', silent: true, showSymbol: false, z: 2, lineStyle: {color: c.muted, width: 1, type: 'dashed'},
          data: Number.isFinite(slope) ? [Math.min(...x), Math.max(...x)].map((v) => [100 * v, 100 * (slope * v + offset)]) : [],
        }, drawing((api) => {
          const [left, top] = api.coord([across.min, up.max]);
          return text(left + 10, top + 14, correlation, c, {fill: c.ink});
        })],
      };
    },
  };
}

function agreement(report: Report): Chart | null {
  const points = injected(report);
  if (points.length === 0) return null;
  const sampled = points.some(({site}) => site.lvf.interval);
  const own = ({lvf}: Site): [number, number] => lvf.interval ?? [lvf.resolved, lvf.resolved];
  const inside = points.filter(({site, found}) => own(site)[1] >= found.critical.low && own(site)[0] <= found.critical.high).length;
  const said = sampled ? `The intervals overlap in ${inside} of ${points.length} layers` : `The LVF of ${inside} of ${points.length} layers lies inside the interval of the injection`;
  const injection = report.content.injection!;
  return {
    name: 'injection', title: 'LVF against injected faults',
    label: `LVF beside the critical share of injected faults. ${said}.`,
    caption: `${said} (${Math.round(100 * injection.plan.confidence)}\u00a0%, Wilson).` +
      (injection.same_inputs ? '' : ' The injection used other inputs: the two figures are about different things.'),
    legend: (c) => [[c.main, sampled ? 'LVF, with the interval of the sample' : 'LVF'], [c.second, 'injected, with interval']],
    height: () => points.length * 26 + 60,
    table: () => ({columns: ['layer', 'lvf', 'critical_rate', 'interval_low', 'interval_high', 'faults'],
      rows: points.map(({site, found, rate}) => [site.name, site.lvf.resolved, rate, found.critical.low, found.critical.high, found.faults])}),
    option: (c, width) => ({
      grid: {left: labelRoom(points.map(({site}) => site.name), width < 560 ? 92 : 170), right: 24, top: 8, bottom: 46},
      xAxis: axis(c, {type: 'value', ...roundEnds(0, 100 * Math.max(...points.map(({site, found}) => Math.max(own(site)[1], found.critical.high))), width < 560 ? 4 : 8), name: 'bit flips that change the answer, %', nameGap: 28}),
      yAxis: axis(c, {type: 'category', inverse: true, data: points.map((_, i) => i), axisLabel: {interval: 0, hideOverlap: false, color: c.ink, formatter: (_: string, i: number) => shortened(points[i].site.name, width < 560 ? 12 : 24)}}),
      tooltip: tooltip(c, ({dataIndex: i}) => tip(points[i].site.name, ['LVF', percent(points[i].site.lvf.resolved)], ['injected', percent(points[i].rate)],
        ['interval', `${percentNumber(points[i].found.critical.low)} to ${percent(points[i].found.critical.high)}`], ['faults', integer(points[i].found.faults)])),
      series: [{
        type: 'custom', data: points.map(({found}, i) => [100 * found.critical.high, i]), encode: {x: 0, y: 1},
        renderItem: (params: any, api: any) => {
          const {site, found, rate} = points[params.dataIndex];
          const at = (share: number) => api.coord([100 * share, params.dataIndex]);
          const [x, middle] = at(rate);
          const [above, below] = [middle - 4, middle + 4];
          return group([...whisker(at(found.critical.low)[0], at(found.critical.high)[0], below, 3, c.second),
            circle(x, below, 3.5, {fill: c.page, stroke: c.second, lineWidth: 1.6}),
            ...(site.lvf.interval ? whisker(at(site.lvf.interval[0])[0], at(site.lvf.interval[1])[0], above, 3, c.main) : []),
            circle(at(site.lvf.resolved)[0], above, 4, {fill: c.main})]);
        },
      }, {type: 'scatter', symbolSize: 0, silent: true, data: points.map(({site}, i) => [100 * site.lvf.resolved, i])}],
    }),
  };
}

export function where(report: Report): HTMLElement {
  const charts = [layers(report), accuracy(report), agreement(report)].filter((chart) => chart !== null);
  return h('section', {id: 'where', 'aria-labelledby': 'where-title'}, h('h2', {id: 'where-title'}, 'Where?'),
    charts.map((chart) => figure(chart)),
    !report.content.injection && h('p', {class: 'note'}, 'With --injection FI.h5 (of vigor inject) this page also shows LVF against measured accuracy loss.'));
}
