// How sure are we? Band, intervals, audit, contradictions, injection, validation.
import type {Report} from './data';
import {dataTable, h, type Table} from './dom';
import {integer, interval, percent} from './format';
import {wilson} from './stats';
import {validation} from './validation';
import {injected} from './where';

function layerTable(report: Report): Table {
  const {sites} = report;
  const faults = new Map(injected(report).map(({site, found}) => [site.index, found]));
  const sampled = sites.some((s) => s.lvf.interval), audited = sites.some((s) => s.audited > 0);
  const columns = ['Layer', 'low', 'LVF', 'high', 'NaN part', ...(sampled ? ['95\u00a0% interval'] : []), 'contradictions in 10\u2076 flips',
    ...(audited ? ['audit: wrong'] : []), ...(faults.size ? ['injected, interval'] : [])];
  return {columns, rows: sites.map((s) => {
    const found = faults.get(s.index);
    const flips = s.neurons * 32 * report.inputs;
    return [s.name, percent(s.lvf.low), percent(s.lvf.resolved), percent(s.lvf.high), percent(s.lvf.nan),
      ...(sampled ? [s.lvf.interval ? interval(...s.lvf.interval) : 'all neurons'] : []),
      flips > 0 ? (1e6 * s.contradictions / flips).toPrecision(3).replace(/\.?0+$/, '') : '\u2013',
      ...(audited ? [s.audited ? `${integer(s.disagreements)} of ${integer(s.audited)}` : '\u2013'] : []),
      ...(faults.size ? [found ? interval(found.critical.low, found.critical.high) : '\u2013'] : [])];
  })};
}

function auditText(report: Report): string {
  const {audited, disagreements} = report.run.model;
  if (audited === 0) return 'No flips that were settled without a run were run again: vigor analyze --audit does so.';
  return `Audit: of ${integer(audited)} flips that the thresholds had settled, drawn at random and run, ${integer(disagreements)} came out otherwise: ` +
    `${percent(disagreements / audited)} (95\u00a0% interval ${interval(...wilson(disagreements, audited))}).`;
}

export function trust(report: Report): HTMLElement {
  const {mvf} = report.run.model;
  const beyond = report.sites.reduce((n, s) => n + s.critical_beyond, 0);
  return h('section', {id: 'trust', 'aria-labelledby': 'trust-title'}, h('h2', {id: 'trust-title'}, 'How sure are we?'),
    h('ul', {class: 'points'},
      h('li', null, `The MVF is ${percent(mvf.resolved)}; the low and high readings, by ranges that all inputs of a class share, are ${percent(mvf.low)} and ${percent(mvf.high)}.`),
      h('li', null, mvf.interval ? `A sample of the neurons was analysed: the 95\u00a0% interval of the MVF is ${interval(...mvf.interval)}.` : 'Every neuron of these layers was analysed: no sampling error.'),
      h('li', null, auditText(report)),
      h('li', null, `${integer(beyond)} critical flips lie beyond 2`, h('sup', null, '100'), ' in size, are infinite or NaN: each of them was run.'),
      h('li', null, `All figures speak of these ${integer(report.inputs)} inputs. Other inputs differ.`)),
    h('h3', null, 'By layer'), dataTable(layerTable(report)),
    validation(report));
}
