// What should I protect? What is left of the MVF when bits or neurons can no longer be hit.
import {BITS, type Report} from './data';
import {dataTable, h} from './dom';
import {axis, figure, tip, tooltip, type Chart} from './figure';
import {bitMeaning, integer, percent} from './format';
import {worstBits, worstSites} from './overview';

/** MVF left after the most vulnerable neurons, and their share of all neurons; about 400 points. */
function neuronCurve(report: Report): [number, number][] {
  const total = report.sites.reduce((n, s) => n + s.population, 0);
  const {resolved} = report.critical;
  const flips = report.inputs * BITS;
  const shares = new Float64Array(flips + 1);  // of all neurons, by their critical flips
  for (const site of report.sites) {
    const weight = report.weight(site) / total;
    for (let i = site.first; i < site.first + site.neurons; ++i) shares[resolved[i]] += weight;
  }
  let left = report.run.model.mvf.resolved, share = 0;
  const points: [number, number][] = [[0, left]];
  for (let count = flips; count >= 0; --count) {
    if (shares[count] === 0) continue;
    left -= shares[count] * count / flips;
    share += shares[count];
    if (share - points[points.length - 1][0] > 1 / 400 || count === 0) points.push([share, Math.max(left, 0)]);
  }
  if (share > points[points.length - 1][0]) points.push([share, Math.max(left, 0)]);
  return points;
}

/** On the straight lines between its points. */
function leftAfter(points: [number, number][], share: number): number {
  const i = points.findIndex(([x]) => x >= share);
  if (i <= 0) return i < 0 ? 0 : points[0][1];
  const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
  return y0 + (y1 - y0) * (share - x0) / (x1 - x0);
}

function bitCurve(report: Report): {bit: number; left: number}[] {
  let left = report.run.model.mvf.resolved;
  const {resolved} = report.run.model.bits;
  return worstBits(report).filter((bit) => resolved[bit] > 0).map((bit) => {
    left -= resolved[bit] / 32;
    return {bit, left: Math.max(left, 0)};
  });
}

/** How far the curve can be trusted. */
function caution(report: Report): string {
  const sampled = report.sites.some((site) => site.neurons < site.population);
  return `Neurons are chosen and counted on the same ${integer(report.inputs)} input${report.inputs === 1 ? '' : 's'}: with few, this overstates what protecting them gains on others.`
    + (sampled ? ' The curve is estimated from the neurons that were analysed; which of the others to protect it cannot say.' : '');
}

function neuronsChart(report: Report, points: [number, number][]): Chart {
  const whole = points[0][1] || 1;
  const half = points.find(([, left]) => left <= whole / 2)?.[0] ?? 1;
  return {
    name: 'protect-neurons', title: 'Protecting the most vulnerable neurons',
    label: `Share of the vulnerability left against the share of neurons protected; half of it lies in ${percent(half)} of the neurons.`,
    caption: `Half of the vulnerability lies in the ${percent(half)} most vulnerable neurons. The straight line: neurons protected at random. ${caution(report)}`,
    height: () => 280,
    table: () => ({columns: ['share_of_neurons_protected', 'mvf_left'], rows: points}),
    option: (c) => ({
      grid: {left: 58, right: 18, top: 14, bottom: 46},
      xAxis: axis(c, {type: 'value', min: 0, max: 100, name: 'neurons protected, %', nameGap: 28}),
      yAxis: axis(c, {type: 'value', min: 0, max: 100, name: 'vulnerability left, %', nameGap: 36}),
      tooltip: {...tooltip(c, (p: any) => tip(`${percent(p[0].value[0] / 100)} of the neurons`, ['MVF left', percent(p[0].value[1] / 100 * whole)])), trigger: 'axis'},
      series: [
        {type: 'line', showSymbol: false, lineStyle: {color: c.main, width: 2}, itemStyle: {color: c.main}, areaStyle: {color: c.main, opacity: 0.1}, data: points.map(([x, y]) => [100 * x, 100 * y / whole])},
        {type: 'line', showSymbol: false, silent: true, lineStyle: {color: c.muted, width: 1, type: 'dashed'}, data: [[0, 100], [100, 0]]},
      ],
    }),
  };
}

function bitsChart(report: Report): Chart {
  const steps = bitCurve(report);
  const shown = steps.slice(0, 8);
  const whole = report.run.model.mvf.resolved || 1;
  return {
    name: 'protect-bits', title: 'Protecting the worst bits of every neuron',
    label: 'Share of the vulnerability left when bits are protected in this order: ' + shown.map((s) => `bit ${s.bit}: ${percent(s.left / whole)}`).join(', '),
    caption: shown.length > 0 && `Bit by bit, the worst first: with bit ${shown[0].bit} (${bitMeaning(shown[0].bit)}) protected in every neuron, ${percent(shown[0].left / whole)} of the vulnerability is left.`,
    height: () => 280,
    table: () => ({columns: ['bit_protected_next', 'mvf_left'], rows: steps.map((s) => [s.bit, s.left])}),
    option: (c) => ({
      grid: {left: 58, right: 18, top: 14, bottom: 46},
      xAxis: axis(c, {type: 'category', data: ['none', ...shown.map((s, i) => (i ? `+${s.bit}` : `${s.bit}`))], name: 'bits protected', nameGap: 28, splitLine: {show: false}, axisLabel: {interval: 0, hideOverlap: true}}),
      yAxis: axis(c, {type: 'value', min: 0, max: 100, name: 'vulnerability left, %', nameGap: 36}),
      tooltip: tooltip(c, ({dataIndex: i}) => tip(i ? `with bit ${shown[i - 1].bit} (${bitMeaning(shown[i - 1].bit)}) too` : 'nothing protected', ['MVF left', percent(i ? shown[i - 1].left : whole)])),
      series: [{type: 'bar', barMaxWidth: 26, itemStyle: {color: c.main}, data: [100, ...shown.map((s) => 100 * s.left / whole)],
        label: {show: true, position: 'top', color: c.muted, fontSize: 11, formatter: (p: any) => (p.value >= 9.95 ? p.value.toFixed(0) : p.value.toPrecision(1))}}],
    }),
  };
}

export function protect(report: Report): HTMLElement {
  const total = report.sites.reduce((n, s) => n + s.population, 0);
  const {model} = report.run;
  const whole = model.mvf.resolved, [worst] = worstBits(report);
  const points = neuronCurve(report);
  const rows = worstSites(report).map((s) => [s.name, integer(s.population), percent(s.population / total), percent(s.lvf.resolved),
    whole > 0 ? percent(s.lvf.resolved * s.population / total / whole) : '\u2013']);
  return h('section', {id: 'protect', 'aria-labelledby': 'protect-title'}, h('h2', {id: 'protect-title'}, 'What should I protect?'),
    whole > 0 && h('p', null, `${bitMeaning(worst) === 'sign' ? 'The sign' : `Bit ${worst} (${bitMeaning(worst)})`} of every neuron, 1 of 32 bits, holds ${percent(model.bits.resolved[worst] / 32 / whole)} of the vulnerability; the most vulnerable tenth of the neurons, with all their bits, ${percent(1 - leftAfter(points, 0.1) / whole)}.`),
    h('p', null, 'What is left of the model\u2019s vulnerability when some neurons, or some bits of all neurons, can no longer be hit, as by triplication, parity or a range check that catches these flips.'),
    h('div', {class: 'pair'}, figure(bitsChart(report)), figure(neuronsChart(report, points))),
    h('h3', null, 'Layers by vulnerability'),
    dataTable({columns: ['Layer', 'Neurons', 'of all neurons', 'LVF', 'of all vulnerability'], rows}));
}
