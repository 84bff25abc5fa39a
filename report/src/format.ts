// Numbers and names as people read them.
import type {Report, Site} from './data';

const MINUS = '\u2212';
const signed = (text: string): string => text.replace('-', MINUS);

/** 0.0339 -> "3.39": percent with two decimals, more where a share would read as nothing. */
export function percentNumber(share: number): string {
  const percent = share * 100;
  if (!Number.isFinite(percent)) return '\u2013';
  if (percent === 0) return '0';
  // Never rounded up to all.
  for (let digits = 3; percent >= 99.995 && percent < 100 && digits <= 9; ++digits) if (Number(percent.toFixed(digits)) < 100) return percent.toFixed(digits);
  return percent < 0.095 ? percent.toPrecision(2).replace(/e-(\d+)/, `e${MINUS}$1`)
    : percent === 100 ? '100' : percent.toFixed(2);
}
export const percent = (share: number): string => (Number.isFinite(share) ? `${percentNumber(share)}\u00a0%` : '\u2013');
export const interval = (low: number, high: number): string =>
  `${percentNumber(low)} to ${percent(high)}`;

export const superscript = (value: number): string =>
  String(value).replace(/\d/g, (d) => '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'[+d]).replace('-', '\u207b');

/** Four significant digits; infinities as such. */
export function number(value: number): string {
  if (Number.isNaN(value)) return '\u2013';
  if (value === Infinity) return '\u221e';
  if (value === -Infinity) return `${MINUS}\u221e`;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) {
    const [mantissa, exponent] = value.toExponential(3).split('e');
    return `${signed(String(Number(mantissa)))}\u00b710${superscript(Number(exponent))}`;
  }
  return signed(String(Number(value.toPrecision(4))));
}
export const range = ([low, high]: [number, number]): string =>
  Number.isNaN(low) ? '\u2013' : `${number(low)} to ${number(high)}`;

/** Round ends of an axis that hold both, and the distance of its ticks. */
export function roundEnds(least: number, most: number, ticks = 6): {min: number; max: number; interval: number} {
  const raw = Math.max(most - least, 1e-12) / ticks;
  const power = 10 ** Math.floor(Math.log10(raw));
  const interval = [1, 2, 5, 10].map((step) => step * power).find((step) => step >= raw * (1 - 1e-9))!;
  const round = (count: number) => Number((count * interval).toPrecision(12));
  return {min: round(Math.floor(least / interval + 1e-9)), max: round(Math.ceil(most / interval - 1e-9)), interval};
}

export const integer = (value: number): string => value.toLocaleString('en-US');

export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
}

export function bitMeaning(bit: number): string {
  if (bit === 31) return 'sign';
  return bit >= 23 ? `exponent ${bit - 23}` : `mantissa ${bit}`;
}

export const shapeText = (shape: number[]): string => shape.join('\u00d7');
export const placeText = (report: Report, position: number, site?: Site): string =>
  `(${report.place(position, site).join(', ')})`;

export const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}\u2026` : text;

/** Pixels that the longest of these names takes, at most `most`. */
export const labelRoom = (names: string[], most: number): number =>
  Math.min(most, 18 + 7.2 * Math.max(0, ...names.map((name) => name.length)));
