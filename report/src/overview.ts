// How vulnerable is this network? The figure, the sentence, the worst layers and bits.
import type {Factor, Report} from './data';
import {h, type Child} from './dom';
import {bitMeaning, duration, integer, interval, percent, percentNumber} from './format';

function factorBar(factor: Factor, most: number, label: string): HTMLElement {
  const fill = h('span', {class: 'fill'}), band = h('span', {class: 'band'});
  fill.style.width = `${100 * factor.resolved / most}%`;
  band.style.left = `${100 * factor.low / most}%`;
  band.style.width = `${100 * (factor.high - factor.low) / most}%`;
  return h('span', {class: 'factor-bar', role: 'img', 'aria-label': label}, fill, band);
}

export function worstBits(report: Report): number[] {
  const means = report.run.model.bits.resolved;
  return [...means.keys()].reverse().sort((a, b) => means[b] - means[a]);
}
export const worstSites = (report: Report) =>
  report.sites.filter((s) => s.neurons > 0).sort((a, b) => b.lvf.resolved - a.lvf.resolved);

function sentence(report: Report): Child {
  const {model, data} = report.run;
  const {mvf, bits} = model;
  const [bit] = worstBits(report), [site] = worstSites(report);
  const oneIn = mvf.resolved > 0 ? Math.round(1 / mvf.resolved) : 0;
  const parts: Child[] = [
    `Flip one random bit of one random neuron while the network works on one of these ${integer(data.inputs)} inputs: `,
    mvf.resolved > 0 ? ['in ', h('strong', null, oneIn >= 2 ? `1 of ${integer(oneIn)} cases` : percent(mvf.resolved)), ' its answer changes. ']
      : 'its answer never changes. ',
  ];
  if (mvf.resolved > 0) {
    parts.push(`Bit ${bit} (${bitMeaning(bit)}) matters most: flipped, it changes ${percent(bits.resolved[bit])} of the answers. `);
    if (report.sites.length > 1) parts.push('The most vulnerable layer is ', h('bdi', null, site.name), ` with ${percent(site.lvf.resolved)}. `);
    if (mvf.nan > 0) parts.push(`Of the changed answers, ${percent(mvf.nan / mvf.resolved)} are no answer at all: a NaN. `);
  }
  if (mvf.interval) parts.push(`Not every neuron was analysed: the 95\u00a0% interval of the first figure is ${interval(...mvf.interval)}.`);
  return h('p', {class: 'lead'}, parts);
}

function ranking(title: string, rows: [Child, Factor, string][]): HTMLElement {
  const most = Math.max(...rows.map(([, f]) => Math.max(f.high, f.interval?.[1] ?? 0)), 1e-12);
  return h('div', {class: 'ranking'}, h('h3', null, title), h('ol', null, rows.map(([name, factor, label]) =>
    h('li', null, h('span', {class: 'name'}, name),
      factorBar(factor, most, `${label}: ${percent(factor.resolved)}, between ${percent(factor.low)} and ${percent(factor.high)}`),
      h('span', {class: 'value'}, percent(factor.resolved))))));
}

export function overview(report: Report): HTMLElement {
  const {model, data, made} = report.run;
  const {mvf, bits} = model;
  const bitRows = worstBits(report).slice(0, 3).filter((b) => bits.resolved[b] > 0);
  const code = (sha256: string) => h('code', {title: `SHA-256 ${sha256}`}, sha256.slice(0, 12));
  const facts: [string, string][] = [
    ['Neurons analysed', integer(report.neurons) + (mvf.interval
      ? ` of ${integer(report.sites.reduce((n, s) => n + s.population, 0))}` : '')],
    ['Inputs', integer(data.inputs) + (data.left_out ? `, ${data.left_out} left out` : '')],
    ['Right answers without faults', data.labelled ? percent(data.correct / data.labelled) : 'unknown'],
    ['Time', `${duration(made.seconds)} on ${made.threads} thread${made.threads === 1 ? '' : 's'}`],
  ];
  return h('section', {id: 'overview', 'aria-labelledby': 'overview-title'},
    h('h2', {id: 'overview-title'}, 'How vulnerable is this network?'),
    h('div', {class: 'front'},
      h('div', {class: 'hero'},
        h('p', {class: 'figure', 'data-mvf': mvf.resolved}, percentNumber(mvf.resolved), h('small', null, '\u00a0%')),
        h('p', {class: 'figure-name'}, 'model vulnerability factor (MVF)'),
        factorBar(mvf, Math.max(mvf.high, mvf.interval?.[1] ?? 0) * 1.15 || 1, 'Band of the model vulnerability factor'),
        h('p', {class: 'note'}, `low ${percentNumber(mvf.low)}, high ${percent(mvf.high)}: judged by the ranges that all inputs of a class share`)),
      sentence(report)),
    h('dl', {class: 'facts'}, facts.map(([key, value]) => h('div', null, h('dt', null, key), h('dd', null, value)))),
    h('div', {class: 'rankings'},
      ranking('Most vulnerable layers', worstSites(report).slice(0, 3).map((site) =>
        [h('a', {href: `#site/${site.index}`}, h('bdi', null, site.name)), site.lvf, site.name])),
      bitRows.length > 0 && ranking('Worst bits', bitRows.map((bit) =>
        [`${bit} `, {low: bits.low[bit], resolved: bits.resolved[bit], high: bits.high[bit], nan: bits.nan[bit], interval: null},
          `bit ${bit}, ${bitMeaning(bit)}`] as [Child, Factor, string]).map(([name, f, label], i) =>
        [[name, h('small', null, bitMeaning(bitRows[i]))], f, label]))),
    h('p', {class: 'note origin'}, 'Model ', h('bdi', null, model.name), ' (', code(model.sha256), '), data ', h('bdi', null, data.name), ' (', code(data.sha256), `), method ${made.method}, seed ${made.seed}, `,
      `vigor ${made.version} on `, h('bdi', null, made.machine), '. ', h('a', {href: '#provenance'}, 'Options and all the rest')));
}
