// A figure: a chart with title, caption, downloads (PNG, SVG, CSV) and its figures as a table.
import {BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart} from 'echarts/charts';
import {GridComponent, MarkLineComponent, TooltipComponent, VisualMapComponent}
  from 'echarts/components';
import * as echarts from 'echarts/core';
import {SVGRenderer} from 'echarts/renderers';
import {dataTable, fileName, h, save, toCsv, type Child, type Table} from './dom';
import {LIGHT, colors, forgetListener, isPrinting, onTheme, type Colors} from './theme';

echarts.use([BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart, GridComponent,
  MarkLineComponent, TooltipComponent, VisualMapComponent, SVGRenderer]);

export type Option = Record<string, unknown>;

export interface FigureText {
  name: string;              // of the files
  title: string;
  subject?: string;          // layer or neuron: downloads name it, the page does so above
  caption?: Child;
  label: string;             // what a screen reader says
  table: () => Table;
}
export interface Chart extends FigureText {
  height: (width: number) => number;
  option: (colors: Colors, width: number) => Option;
  click?: (data: {seriesIndex: number; dataIndex: number; componentType: string; value: unknown}) => void;
  legend?: (colors: Colors) => [string, string][];  // colour, meaning
}

export const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica Neue, DejaVu Sans, sans-serif';
const EXPORT_WIDTH = 860, MARGIN = 16;
export const PRINT_WIDTH = 660;

const complete = (chart: Chart, c: Colors, width: number): Option => ({
  animation: false,
  textStyle: {fontFamily: FONT, color: c.ink},
  ...chart.option(c, width),
});

/** Lines of a tooltip: the first is its title. */
export function tip(title: string, ...rows: [string, string][]): HTMLElement {
  return h('div', {class: 'tip'}, h('strong', null, title),
    rows.map(([key, value]) => h('div', null, h('span', null, key), h('b', null, value))));
}
export const tooltip = (c: Colors, formatter: (p: any) => HTMLElement | string): Option => ({
  trigger: 'item', confine: true, backgroundColor: c.panel, borderColor: c.line, borderWidth: 1,
  padding: [8, 10], textStyle: {color: c.ink, fontSize: 13}, extraCssText: 'box-shadow: none',
  formatter,
});

/** Axes alike everywhere. */
export const axis = (c: Colors, more: Option = {}): Option => ({
  axisLine: {show: false}, axisTick: {show: false},
  splitLine: {lineStyle: {color: c.line, width: 0.8}},
  nameLocation: 'middle', nameTextStyle: {color: c.muted, fontSize: 12},
  ...more,
  axisLabel: {color: c.muted, fontSize: 12, hideOverlap: true, ...(more.axisLabel as Option ?? {})},
});

const TITLE = 34;
const headHeight = (chart: Chart): number => TITLE + (chart.legend ? 24 : 0);
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const titleOf = ({title, subject}: FigureText): string => (subject ? `${title}, ${subject}` : title);
const exportSize = (chart: Chart): [width: number, height: number] =>
  [EXPORT_WIDTH + 2 * MARGIN, chart.height(EXPORT_WIDTH) + headHeight(chart) + MARGIN / 2];

function svgOf(chart: Chart): string {
  const c = LIGHT, width = EXPORT_WIDTH, height = chart.height(width);
  const plot = echarts.init(null, null, {renderer: 'svg', ssr: true, width, height});
  plot.setOption({...complete(chart, c, width), backgroundColor: c.page, tooltip: {show: false}});
  const text = plot.renderToSVGString();
  plot.dispose();
  // Title and legend, which the page has outside of the drawing.
  const words = (x: number, y: number, weight: number, fill: string, what: string) =>
    `<text x="${x}" y="${y}" font-family='${FONT}' font-size="13" font-weight="${weight}" fill="${fill}">${escaped(what)}</text>`;
  let x = MARGIN;
  const legend = (chart.legend?.(c) ?? []).map(([color, meaning]) => {
    const piece = `<rect x="${x}" y="${TITLE + 2}" width="11" height="11" rx="2" fill="${color}"/>${words(x + 17, TITLE + 12, 400, c.muted, meaning)}`;
    x += 40 + 7 * meaning.length;
    return piece;
  });
  const [outerWidth, outerHeight] = exportSize(chart);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${outerWidth}" height="${outerHeight}" viewBox="0 0 ${outerWidth} ${outerHeight}">` +
    `<rect width="100%" height="100%" fill="${c.page}"/>${words(MARGIN, 22, 600, c.ink, titleOf(chart))}${legend.join('')}` +
    text.replace('<svg ', `<svg x="${MARGIN}" y="${headHeight(chart)}" `) + '</svg>';
}

async function pngOf(svg: string, width: number, height: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = h('canvas', {width: 2 * width, height: 2 * height});
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob((blob) => done(blob!), 'image/png'));
}

export type Download = [kind: string, make: () => Promise<Blob> | Blob];

/** Title, downloads, content, caption, table. */
export function frame(text: FigureText, content: Child, downloads: Download[]): HTMLElement {
  const table = h('details', {class: 'figures'}, h('summary', null, 'Figures as a table'));
  table.addEventListener('toggle', () => {
    if (table.open && table.childElementCount === 1) table.append(dataTable(text.table(), 200));
  });
  const csv: Download = ['CSV', () => new Blob([toCsv(text.table())], {type: 'text/csv'})];
  const buttons = [...downloads, csv].map(([kind, make]) => h('button', {
    type: 'button', title: `Download as ${kind}`, 'aria-label': `Download "${titleOf(text)}" as ${kind}`,
    onclick: async () => save(`${fileName(text.name)}.${kind.toLowerCase()}`, await make()),
  }, kind));
  return h('figure', {id: `figure-${fileName(text.name)}`},
    h('header', null, h('h3', null, text.title), h('div', {class: 'downloads'}, buttons)),
    content, text.caption && h('figcaption', null, text.caption), table);
}

/** The figure draws itself once it stands in the page and is about to be seen, or printed. */
export function figure(chart: Chart): HTMLElement {
  const place = h('div', {class: 'chart', role: 'img', 'aria-label': chart.label});
  const legend = h('ul', {class: 'legend'});
  let plot: echarts.ECharts | null = null;
  let width = 0, wanted = false;
  const draw = () => {
    if (!place.isConnected) {
      if (width > 0) { forgetListener(draw); watch.disconnect(); eye.disconnect(); plot?.dispose(); plot = null; }
      return;
    }
    width = isPrinting() ? Math.min(PRINT_WIDTH, width || PRINT_WIDTH) : Math.floor(place.clientWidth);
    if (width === 0) return;
    const height = chart.height(width);
    place.style.height = `${height}px`;
    if (!wanted && !isPrinting()) return;
    wanted = true;
    plot ??= echarts.init(place, null, {renderer: 'svg', width, height});
    plot.resize({width, height});
    plot.setOption(complete(chart, colors(), width), {notMerge: true});
    if (chart.legend) {
      legend.replaceChildren(...chart.legend(colors()).map(([color, meaning]) => {
        const swatch = h('span', {class: 'swatch'});
        swatch.style.background = color;
        return h('li', null, swatch, meaning);
      }));
    }
    if (chart.click) {
      plot.off('click');
      plot.on('click', chart.click as never);
    }
  };
  const watch = new ResizeObserver(() => {
    if (!isPrinting() && (!place.isConnected || Math.floor(place.clientWidth) !== width)) draw();
  });
  const eye = new IntersectionObserver((entries) => {
    if (wanted || !entries.some((entry) => entry.isIntersecting)) return;
    wanted = true;
    eye.disconnect();
    draw();
  }, {rootMargin: '600px'});
  watch.observe(place);
  eye.observe(place);
  onTheme(draw);
  return frame(chart, [chart.legend && legend, place], [
    ['PNG', () => pngOf(svgOf(chart), ...exportSize(chart))],
    ['SVG', () => new Blob([svgOf(chart)], {type: 'image/svg+xml'})],
  ]);
}
