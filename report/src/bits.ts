// Which bits? BVF of every layer and bit.
import type {Bits, Report} from './data';
import {box, colorBar, drawing, group, line, rect, text} from './draw';
import {h} from './dom';
import {axis, figure, tip, tooltip, type Chart} from './figure';
import {bitMeaning, labelRoom, percent, shortened} from './format';
import {rampColor, type Colors} from './theme';
import {worstBits} from './overview';

const LEAST = 1e-5;  // shares below have the colour of this one
/** Logarithmic: the bits of interest span five orders of magnitude. */
const place = (share: number): number => 1 - Math.log10(Math.max(share, LEAST)) / Math.log10(LEAST);
const color = (c: Colors, share: number): string => `rgb(${rampColor(c.ramp, place(share))})`;

export function heatMap(report: Report): Chart {
  const rows: {name: string; bits: Bits; site: number}[] = [
    {name: 'whole model', bits: report.run.model.bits, site: -1},
    ...report.sites.map((site) => ({name: site.name, bits: site.bits, site: site.index})),
  ];
  const step = rows.length <= 24 ? 26 : 18;
  const cells = rows.flatMap((_, row) => Array.from({length: 32}, (__, x) => [x, row]));
  return {
    name: 'bits', title: 'Bit vulnerability factor (BVF) by layer and bit',
    label: `Heat map of layers and bits. Worst bits of the model: ${worstBits(report).slice(0, 5).map((b) => `bit ${b} (${bitMeaning(b)}) ${percent(report.run.model.bits.resolved[b])}`).join(', ')}`,
    caption: 'Share of inputs and neurons for which flipping this bit changes the answer; float32, the colours are logarithmic. Empty cells: never.',
    height: () => rows.length * step + 90,
    click: ({dataIndex}) => { if (rows[cells[dataIndex][1]].site >= 0) location.hash = `#site/${rows[cells[dataIndex][1]].site}`; },
    table: () => ({
      columns: ['layer', 'bit', 'meaning', 'bvf_low', 'bvf', 'bvf_high', 'bvf_nan'],
      rows: rows.flatMap((row) => row.bits.resolved.map((value, bit) =>
        [row.name, bit, bitMeaning(bit), row.bits.low[bit], value, row.bits.high[bit], row.bits.nan[bit]])),
    }),
    option: (c, width) => {
      const narrow = width < 560;
      const labels = labelRoom(rows.map((row) => row.name), narrow ? 84 : 150);
      return {
        grid: {left: labels, right: 8, top: 50, bottom: 38},
        xAxis: axis(c, {type: 'category', data: Array.from({length: 32}, (_, x) => 31 - x), splitLine: {show: false},
          axisLabel: {interval: narrow ? 3 : 0, fontSize: 11, hideOverlap: true}}),
        yAxis: axis(c, {type: 'category', inverse: true, data: rows.map((_, i) => i), splitLine: {show: false},
          axisLabel: {interval: 0, hideOverlap: false, color: c.ink, formatter: (_: string, i: number) => shortened(rows[i].name, narrow ? 11 : 21)}}),
        tooltip: tooltip(c, ({dataIndex}) => {
          const [x, y] = cells[dataIndex];
          const bit = 31 - x, {bits} = rows[y];
          return tip(`${rows[y].name}, bit ${bit} (${bitMeaning(bit)})`, ['BVF', percent(bits.resolved[bit])],
            ['low to high', `${percent(bits.low[bit])} to ${percent(bits.high[bit])}`], ['NaN part', percent(bits.nan[bit])]);
        }),
        series: [{
          type: 'custom', data: cells, clip: false,
          renderItem: (params: any, api: any) => {
            const [x, row] = cells[params.dataIndex];
            const [cx, cy] = api.coord([x, row]);
            const [w, hgt] = api.size([1, 1]);
            const gap = row === 0 ? 4 : 1;
            const share = rows[row].bits.resolved[31 - x];
            const at = [cx - w / 2 + 0.5, cy - hgt / 2 + 0.5, w - 1, hgt - gap] as const;
            return share > 0 ? rect(...at, color(c, share), {r: 1.5}) : box(...at, c.line, {r: 1.5});
          },
        }, drawing((api) => {
          const [first, y] = api.coord([0, 0]);
          const [w] = api.size([1, 1]);
          const bottom = api.coord([0, rows.length - 1])[1] + step / 2 + 22;
          const spans: [string, number, number][] = [['sign', 0, 0], ['exponent', 1, 8], ['mantissa', 9, 31]];
          return group([
            ...spans.flatMap(([name, from, to]) => [line(first + w * (from - 0.4), bottom - 3, first + w * (to + 0.4), bottom - 3, c.muted),
              text(first + w * (from + to) / 2, bottom + 6, narrow && name === 'sign' ? '\u00b1' : name, c, {align: 'center', fontSize: 11})]),
            ...colorBar(c, width - 8 - Math.min(260, w * 22), y - 44, Math.min(250, w * 21),
              [[0.02, '0.001'], [0.2, narrow ? '' : '0.01'], [0.4, '0.1'], [0.6, '1'], [0.8, '10'], [0.98, '100 %']]),
          ]);
        })],
      };
    },
  };
}

export const bits = (report: Report): HTMLElement =>
  h('section', {id: 'bits', 'aria-labelledby': 'bits-title'}, h('h2', {id: 'bits-title'}, 'Which bits?'), figure(heatMap(report)));
