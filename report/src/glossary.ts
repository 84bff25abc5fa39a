// The words, and where the figures come from.
import type {Report} from './data';
import {h, type Child} from './dom';

const WORDS: [string, string][] = [
  ['site, layer', 'a tensor whose elements are neurons: by default the output of a convolution or dense layer after bias, batch normalisation and activation'],
  ['deviation', 'd = v \u2212 a: a fault replaces the value a of a neuron by v, in one run of the network'],
  ['golden', 'without a fault: golden value, golden class'],
  ['critical', 'the fault changes the class answered, or makes a NaN'],
  ['non-vulnerable range', 'no deviation in it is critical, for any input of a golden class'],
  ['vulnerable range', 'every deviation in it is critical, for every input of the class'],
  ['semi-vulnerable', 'between the two: critical for some inputs'],
  ['BVF, NVF, LVF, MVF', 'vulnerability factor of a bit of a neuron (share of inputs for which flipping it is critical), of a neuron (mean over its bits), of a layer (mean over its neurons), of the model (mean over the layers, weighted by their neurons)'],
  ['low, resolved, high', 'three readings of critical: in the vulnerable range of the class; by the input\u2019s own threshold or a run (the figure to use); outside the non-vulnerable range'],
  ['far class', 'the class that the network tends to as one neuron grows without bound, the same for every input'],
  ['threshold', 'the least critical deviation of a neuron, for one input, on one side'],
  ['contradiction', 'a run that contradicts a threshold: real networks may return to the right answer further out'],
  ['true non-critical, true critical', 'of the faults in the non-vulnerable (vulnerable) range, those whose run keeps (changes) the answer'],
  ['coverage, recall, not missed', 'of all faults, those in either range; of the critical ones, those in the vulnerable range, and those not in the non-vulnerable one'],
  ['forward passes', 'multiply-accumulates executed, in units of one run of the whole network'],
];

// What says something: no empty lists, no nulls; single-precision numbers without their tails; [1, 255] is a fraction.
const optionText = (key: string, value: unknown): string => {
  if (key === 'scale' && Array.isArray(value)) return value.join('/');
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : value === true ? 'yes' : String(value);
};
const listed = (options: Record<string, unknown> | null): string =>
  Object.entries(options ?? {}).map(([key, value]) => [key, value === null || value === false ? '' : optionText(key, value)])
    .filter(([, text]) => text !== '').map(([key, text]) => `${key.replaceAll('_', ' ')} ${text}`).join(', ') || '\u2013';

export const glossary = (): HTMLElement =>
  h('section', {id: 'glossary', 'aria-labelledby': 'glossary-title'}, h('h2', {id: 'glossary-title'}, 'Glossary'),
    h('dl', {class: 'words'}, WORDS.map(([word, meaning]) => [h('dt', null, word), h('dd', null, meaning)])));

export function provenance(report: Report): HTMLElement {
  const {model, data, made} = report.run;
  const rows: [string, Child][] = [
    ['Model', [h('bdi', null, model.name), h('code', null, model.sha256)]],
    ['Data', [h('bdi', null, data.name), h('code', null, data.sha256)]],
    ['Preprocessing', listed(data.preprocessing)],
    ['Options', listed(made.options)],
    ['Method, seed', `${made.method}, ${made.seed}`],
    ['Version', `vigor ${made.version}, instruction set ${made.isa}`],
    ['Machine', `${made.machine}, ${made.threads} thread${made.threads === 1 ? '' : 's'}`],
    ['Time', made.time],
    ['Command', h('code', null, made.command)],
  ];
  return h('section', {id: 'provenance', 'aria-labelledby': 'provenance-title'}, h('h2', {id: 'provenance-title'}, 'Where this comes from'),
    h('dl', {class: 'words provenance'}, rows.map(([key, value]) => [h('dt', null, key), h('dd', null, value)])));
}
