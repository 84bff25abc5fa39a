// The symmetric-log axis: linear next to zero, logarithmic outside.
import {number} from './format';

export interface Symlog {
  /** Deviation to place on the axis; beyond the ends, the ends. */
  at(value: number): number;
  min: number;
  max: number;
  ticks: number[];
  label(place: number): string;
}

/** From -most to most, linear where |d| < linear. */
export function symlog(linear: number, most: number, ticksPerSide: number): Symlog {
  const place = (value: number) => Math.sign(value) * Math.log10(1 + Math.abs(value) / linear);
  const end = place(most);
  const lowest = Math.ceil(Math.log10(linear)) + 1, highest = Math.floor(Math.log10(most));
  const step = Math.max(1, Math.ceil((highest - lowest + 1) / ticksPerSide));
  const powers: number[] = [];
  for (let power = highest; power >= lowest; power -= step) powers.unshift(power);
  const values = [...powers.map((p) => -(10 ** p)).reverse(), 0, ...powers.map((p) => 10 ** p)];
  const ticks = values.map(place);
  return {
    at: (value) => Math.min(Math.max(place(value), -end), end),
    min: -end, max: end, ticks,
    label: (tick) => {
      const i = ticks.findIndex((t) => Math.abs(t - tick) < 1e-9);
      return i < 0 ? '' : number(values[i]).replace('1\u00b710', '10');
    },
  };
}
