// Pieces of drawings for ECharts' custom series.
import type {Colors} from './theme';
import {rampColor} from './theme';

type Shape = Record<string, unknown>;

export const rect = (x: number, y: number, width: number, height: number, fill: string, more: Shape = {}): Shape =>
  ({type: 'rect', shape: {x, y, width, height, ...more}, style: {fill}});
export const line = (x1: number, y1: number, x2: number, y2: number, stroke: string, lineWidth = 1): Shape =>
  ({type: 'line', shape: {x1, y1, x2, y2}, style: {stroke, lineWidth}});
export const circle = (cx: number, cy: number, r: number, style: Shape): Shape =>
  ({type: 'circle', shape: {cx, cy, r}, style});
export const text = (x: number, y: number, words: string, c: Colors, more: Shape = {}): Shape =>
  ({type: 'text', x, y, style: {text: words, fill: c.muted, fontSize: 12, verticalAlign: 'middle', ...more}});
export const group = (children: Shape[]): Shape => ({type: 'group', children});

/** A frame without a filling. */
export const box = (x: number, y: number, width: number, height: number, stroke: string, more: Shape = {}): Shape =>
  ({type: 'rect', shape: {x, y, width, height, ...more}, style: {fill: 'none', stroke, lineWidth: 0.8}});

/** A horizontal line with caps. */
export const whisker = (x1: number, x2: number, y: number, cap: number, stroke: string, width = 1.3): Shape[] => [
  line(x1, y, x2, y, stroke, width), line(x1, y - cap, x1, y + cap, stroke, width),
  line(x2, y - cap, x2, y + cap, stroke, width),
];

/** A series that draws one thing at fixed places of the chart. */
export const drawing = (draw: (api: any) => Shape, z = 3): Shape => ({
  type: 'custom', silent: true, clip: false, data: [[0, 0]], tooltip: {show: false}, z,
  renderItem: (_: unknown, api: unknown) => draw(api),
});

/** The ramp with a label at each of some places from 0 to 1. */
export function colorBar(c: Colors, x: number, y: number, width: number, labels: [number, string][]): Shape[] {
  const steps = 48;
  const bars = Array.from({length: steps}, (_, i) =>
    rect(x + i * width / steps, y, width / steps + 0.6, 9, `rgb(${rampColor(c.ramp, i / (steps - 1))})`));
  return [...bars, ...labels.map(([at, words]) =>
    text(x + at * width, y + 19, words, c, {align: 'center', fontSize: 11}))];
}
