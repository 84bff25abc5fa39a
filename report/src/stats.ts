// Statistics of small tables.

export function pearson(x: number[], y: number[]): number {
  const mean = (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  let xy = 0, xx = 0, yy = 0;
  x.forEach((_, i) => {
    xy += (x[i] - mx) * (y[i] - my);
    xx += (x[i] - mx) ** 2;
    yy += (y[i] - my) ** 2;
  });
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : NaN;
}

/** The straight line of least squares: slope, and value at 0. */
export function fitted(x: number[], y: number[]): [slope: number, offset: number] {
  const mean = (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  const slope = x.reduce((sum, v, i) => sum + (v - mx) * (y[i] - my), 0) / x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
  return [slope, my - slope * mx];
}

// Equal values share the mean of their ranks.
function ranks(values: number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const result: number[] = [];
  for (let i = 0; i < order.length;) {
    let end = i;
    while (end < order.length && values[order[end]] === values[order[i]]) ++end;
    for (let j = i; j < end; ++j) result[order[j]] = (i + end - 1) / 2;
    i = end;
  }
  return result;
}
export const spearman = (x: number[], y: number[]): number => pearson(ranks(x), ranks(y));

/** Wilson's 95 % interval of a share. */
export function wilson(hits: number, trials: number): [number, number] {
  if (trials === 0) return [0, 1];
  const t = 1.959964, p = hits / trials, z = t * t / trials;
  const half = t * Math.sqrt(p * (1 - p) / trials + z / trials / 4);
  return [Math.max(0, (p + z / 2 - half) / (1 + z)), Math.min(1, (p + z / 2 + half) / (1 + z))];
}

/**
 * Powers of two below which these shares of the thresholds lie, evenly spread inside a bin; null
 * without any. Bin b holds 2^(b-150) <= |d| < 2^(b-149), the last one those without a threshold.
 */
export function histogramQuantiles(bins: number[], shares: number[]): number[] | null {
  const total = bins.slice(0, -1).reduce((a, b) => a + b, 0);
  if (total === 0) return null;
  return shares.map((share) => {
    let left = share * total, bin = 0;
    while (bin < bins.length - 2 && left > bins[bin]) left -= bins[bin++];
    return bin - 150 + (bins[bin] > 0 ? left / bins[bin] : 0);
  });
}

/** Positions by falling value; of equals the first. */
export function sortedByFalling(values: Float64Array): Uint32Array {
  return Uint32Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
}
