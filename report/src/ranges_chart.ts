// The ranges of a neuron on an axis (the paper's Fig. 4), and where its bit flips land.
import type {Detail, RangeRow, Report, Site} from './data';
import {circle, drawing, group, line, rect, text} from './draw';
import {axis, tip, tooltip, type Chart} from './figure';
import {bitMeaning, number, percent, percentNumber, placeText, range, shortened} from './format';
import {symlog, type Symlog} from './symlog';
import type {Colors} from './theme';

const SEARCHED = 2 ** 100;  // beyond it every flip is run
const MOST = 3.5e38;        // float32 ends

/** `value` with one bit of its float32 flipped. */
export function flipBit(value: number, bit: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  view.setUint32(0, view.getUint32(0) ^ (1 << bit));
  return view.getFloat32(0);
}

const finiteBounds = (rows: RangeRow[]): number[] =>
  rows.flatMap((r) => [...r.nonvulnerable, ...r.vulnerable, ...r.finite_only]).map(Math.abs)
    .filter((bound) => Number.isFinite(bound) && bound > 0);

/** An axis on which the innermost bound of these ranges is seen. */
export function axisFor(rows: RangeRow[], most: number, width: number): Symlog {
  const least = Math.min(...finiteBounds(rows), 1e30);
  return symlog(10 ** Math.min(Math.max(Math.floor(Math.log10(least)) - 1, -6), 3), most, width < 560 ? 2 : 5);
}

/** A little further than the outermost bound and golden value. */
const reach = (rows: RangeRow[]): number =>
  Math.min(SEARCHED, 20 * Math.max(1, ...finiteBounds(rows), ...rows.flatMap((r) => r.golden.map(Math.abs)).filter(Number.isFinite)));

const axes = (c: Colors, scale: Symlog, name: string) => axis(c, {
  type: 'value', min: scale.min, max: scale.max, name, nameGap: 28,
  axisTick: {show: true, customValues: scale.ticks, lineStyle: {color: c.line}},
  splitLine: {show: false}, axisLabel: {customValues: scale.ticks, formatter: (v: number) => scale.label(v)},
});
const grid = (scale: Symlog, c: Colors, rows: number, step: number, z: number) => drawing((api) => {
  const top = api.coord([0, 0])[1] - step / 2, bottom = api.coord([0, rows - 1])[1] + step / 2;
  return group(scale.ticks.map((tick) => {
    const x = api.coord([tick, 0])[0];
    return line(x, top, x, bottom, Math.abs(tick) < 1e-9 ? c.muted : c.line, Math.abs(tick) < 1e-9 ? 1.2 : 0.8);
  }));
}, z);

/** Pieces of an axis: [from, to, kind], from the lowest to the highest deviation. */
export function pieces(row: RangeRow): [number, number, 'safe' | 'semi' | 'vulnerable'][] {
  const [safeLow, safeHigh] = row.nonvulnerable, [low, high] = row.vulnerable;
  const all: [number, number, 'safe' | 'semi' | 'vulnerable'][] = [
    [-SEARCHED, Math.max(low, -SEARCHED), 'vulnerable'],
    [Math.max(low, -SEARCHED), Math.max(safeLow, -SEARCHED), 'semi'],
    [Math.max(safeLow, -SEARCHED), Math.min(safeHigh, SEARCHED), 'safe'],
    [Math.min(safeHigh, SEARCHED), Math.min(high, SEARCHED), 'semi'],
    [Math.min(high, SEARCHED), SEARCHED, 'vulnerable'],
  ];
  return all.filter(([from, to]) => to > from);
}

const THICKNESS = {safe: 8, semi: 13, vulnerable: 18};

export function rangesChart(report: Report, site: Site, position: number): Chart {
  const rows = [...report.rows(position)].sort((a, b) => a.golden_class - b.golden_class);
  const step = 28;
  const place = placeText(report, position, site);
  const said = (row: RangeRow) => `${report.className(row.golden_class)}: safe ${range(row.nonvulnerable)}, critical up to ${number(row.vulnerable[0])} and from ${number(row.vulnerable[1])}`;
  return {
    name: `${site.name}-${report.flatIndex(position)}-ranges`, title: 'Vulnerability ranges', subject: `neuron ${place} of ${site.name}`,
    label: `Ranges of neuron ${place}. ${rows.map(said).join('; ')}`,
    caption: 'Deviations from the golden value, by golden class; thickness repeats the colour. A red stroke: from here on every input that has a threshold at all is misclassified. The thin bars show how large the golden values themselves are. Symmetric-log axis, linear next to zero; what reaches its end goes on to 2\u00b9\u2070\u2070.',
    legend: (c) => [[c.safe, 'non-vulnerable: no input'], [c.semi, 'semi-vulnerable: some'], [c.vulnerable, 'vulnerable: every input'], [c.ink, 'golden values']],
    height: () => rows.length * step + 62,
    table: () => ({columns: ['golden_class', 'nonvulnerable_lower', 'nonvulnerable_upper', 'vulnerable_lower', 'vulnerable_upper', 'vulnerable_finite_lower', 'vulnerable_finite_upper', 'finite_below', 'finite_above', 'golden_min', 'golden_max'],
      rows: rows.map((r) => [report.className(r.golden_class), ...r.nonvulnerable, ...r.vulnerable, ...r.finite_only, ...r.finite, ...r.golden])}),
    option: (c, width) => {
      const scale = axisFor(rows, reach(rows), width);
      return {
        grid: {left: width < 560 ? 84 : 130, right: 22, top: 8, bottom: 50},
        xAxis: axes(c, scale, 'deviation d = v \u2212 a'),
        yAxis: axis(c, {type: 'category', inverse: true, data: rows.map((_, i) => i), splitLine: {show: false},
          axisLabel: {interval: 0, hideOverlap: false, color: c.ink, formatter: (_: string, i: number) => shortened(report.className(rows[i].golden_class), width < 560 ? 11 : 18)}}),
        tooltip: tooltip(c, ({dataIndex: i}) => tip(report.className(rows[i].golden_class), ['safe', range(rows[i].nonvulnerable)],
          ['critical up to', number(rows[i].vulnerable[0])], ['critical from', number(rows[i].vulnerable[1])], ['golden values', range(rows[i].golden)])),
        series: [{
          type: 'custom', data: rows.map((_, i) => [0, i]), clip: false, z: 2,
          renderItem: (params: any, api: any) => {
            const i = params.dataIndex;
            const at = (d: number) => api.coord([scale.at(d), i])[0];
            const y = api.coord([0, i])[1];
            const parts: Record<string, unknown>[] = [];
            for (const [from, to, kind] of pieces(rows[i])) {
              parts.push(rect(at(from), y - THICKNESS[kind] / 2, Math.max(at(to) - at(from), 0.8), THICKNESS[kind], c[kind]));
            }
            for (const side of [0, 1]) {
              const bound = rows[i].finite_only[side];
              if (Number.isFinite(rows[i].vulnerable[side]) || !Number.isFinite(bound)) continue;
              parts.push(line(at(bound), y - 9, at(bound), y + 9, c.vulnerable, 2));
            }
            const [low, high] = rows[i].golden;
            parts.push(rect(at(low) - 1, y - 1.5, Math.max(at(high) - at(low), 0) + 2, 3, c.ink, {r: 1}));
            return group(parts);
          },
        }, grid(scale, c, rows.length, step, 1)],
      };
    },
  };
}

/** Where flips of each bit land, for the least and the greatest golden value. */
export function flipsChart(report: Report, site: Site, position: number, detail: Detail): Chart {
  const all = detail.rows[detail.rows.length - 1];
  const bits = Array.from({length: 32}, (_, i) => 31 - i);
  const share = (counts: Uint32Array, bit: number) => counts[bit] / report.inputs;
  const landing = (bit: number) => all.golden.map((a) => flipBit(a, bit) - a);
  const words = (d: number) => (Number.isNaN(d) ? 'NaN' : number(d));
  return {
    name: `${site.name}-${report.flatIndex(position)}-flips`, title: 'Where each bit flip lands', subject: `neuron ${placeText(report, position, site)} of ${site.name}`,
    label: 'Deviation made by each bit flip and its BVF. ' + bits.filter((b) => detail.resolved[b] > 0).map((b) => `bit ${b}: ${percent(share(detail.resolved, b))}`).join(', '),
    caption: 'Deviation that flipping a bit makes of the least (ring) and of the greatest golden value (dot), on the ranges of all inputs; at the right edge also what ends in infinity or NaN. To the right, the BVF.',
    legend: (c) => [[c.safe, 'non-vulnerable'], [c.semi, 'semi-vulnerable'], [c.vulnerable, 'vulnerable'], [c.beyond, 'beyond 2\u00b9\u2070\u2070: every flip is run']],
    height: () => 32 * 16 + 58,
    table: () => ({columns: ['bit', 'meaning', 'deviation_of_least', 'deviation_of_greatest', 'bvf_low', 'bvf', 'bvf_high', 'bvf_nan', 'bvf_beyond'],
      rows: bits.map((b) => [b, bitMeaning(b), ...landing(b), share(detail.low, b), share(detail.resolved, b), share(detail.high, b), share(detail.nan, b), share(detail.beyond, b)])}),
    option: (c, width) => {
      const narrow = width < 560;
      const scale = axisFor(detail.rows, MOST, width);
      return {
        grid: {left: narrow ? 34 : 130, right: narrow ? 66 : 150, top: 8, bottom: 50},
        xAxis: axes(c, scale, 'deviation d = v \u2212 a'),
        yAxis: axis(c, {type: 'category', inverse: true, data: bits, splitLine: {show: false},
          axisLabel: {interval: 0, hideOverlap: false, fontSize: 11, formatter: (_: string, i: number) => (narrow ? String(bits[i]) : `${bitMeaning(bits[i])}   ${bits[i]}`)}}),
        tooltip: tooltip(c, ({dataIndex: i}) => {
          const bit = bits[i], [least, greatest] = landing(bit);
          return tip(`bit ${bit} (${bitMeaning(bit)})`, ['of the least', words(least)], ['of the greatest', words(greatest)], ['BVF', percent(share(detail.resolved, bit))],
            ['low to high', `${percent(share(detail.low, bit))} to ${percent(share(detail.high, bit))}`], ['NaN part', percent(share(detail.nan, bit))]);
        }),
        series: [drawing((api) => {
          const at = (d: number) => api.coord([scale.at(d), 0])[0];
          const top = api.coord([0, 0])[1] - 8, bottom = api.coord([0, 31])[1] + 8;
          return group([
            ...pieces(all).map(([from, to, kind]) => ({...rect(at(from), top, at(to) - at(from), bottom - top, c[kind]), style: {fill: c[kind], opacity: c.dark ? 0.3 : 0.26}})),
            ...[[-MOST, -SEARCHED], [SEARCHED, MOST]].map(([a, b]) => rect(at(a), top, at(b) - at(a), bottom - top, c.beyond))]);
        }), {
          type: 'custom', data: bits.map((_, i) => [0, i]), clip: false, z: 4,
          renderItem: (params: any, api: any) => {
            const bit = bits[params.dataIndex];
            const at = (d: number) => api.coord([scale.at(Number.isNaN(d) ? Infinity : d), params.dataIndex]);
            const [least, greatest] = landing(bit);
            const y = at(0)[1], end = at(MOST)[0];
            const bvf = share(detail.resolved, bit);
            const room = narrow ? 22 : 90;
            return group([
              {...rect(at(-MOST)[0], y - 8, end - at(-MOST)[0], 16, 'transparent')},
              circle(at(greatest)[0], y, 3.2, {fill: c.ink}),
              circle(at(least)[0], y, 3.6, {fill: 'none', stroke: c.ink, lineWidth: 1.3}),
              rect(end + 10, y - 5, Math.max(room * bvf, bvf > 0 ? 1 : 0), 10, c.main, {r: 1}),
              text(end + 14 + room * bvf, y, bvf > 0 ? (narrow ? percentNumber(bvf) : percent(bvf)) : '', c, {fontSize: 11, fill: c.ink})]);
          },
        }, grid(scale, c, 32, 16, 3)],
      };
    },
  };
}
