// What vigor validate found: do the ranges hold, and how far do they reach.
import type {Report} from './data';
import {dataTable, h, type Child, type Table} from './dom';
import {integer, percent, percentNumber} from './format';

type Json = Record<string, unknown>;
interface Share { k?: number; n?: number; share?: number | null; low?: number; high?: number }

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const isShare = (value: unknown): value is Share => isJson(value) && ('share' in value || 'k' in value);

const HOLD: Record<string, string> = {
  true_noncritical: 'true non-critical', true_critical: 'true critical',
  true_critical_finite: 'true critical, of inputs with a threshold', true_critical_open: 'true critical, no end at 2\u00b9\u2070\u2070',
};
const REACH: Record<string, string> = {
  base_rate: 'critical faults', nan_share: 'NaN', nan: 'NaN', coverage: 'coverage', recall: 'recall',
  recall_not_noncritical: 'not missed', critical_beyond: 'beyond 2\u00b9\u2070\u2070',
};

const rateOf = (value: unknown): number => {
  if (typeof value === 'number') return value;
  if (!isShare(value)) return NaN;
  const {k, n, share} = value;
  return typeof share === 'number' ? share : typeof k === 'number' && typeof n === 'number' && n > 0 ? k / n : NaN;
};
/** The share, and in a second line its interval and, if wanted, of how many faults. */
function shareText(value: unknown, counted: boolean): string {
  const rate = rateOf(value);
  if (!isShare(value)) return percent(rate);
  const {n, low, high} = value;
  return percent(rate) + '\n' + [
    !Number.isNaN(rate) && typeof low === 'number' && typeof high === 'number' && `${percentNumber(low)} to ${percentNumber(high)}`,
    counted && typeof n === 'number' && `of ${integer(n)}`].filter(Boolean).join(', ');
}

function tableOf(rows: Json[], names: [key: string, name: string][]): Table | null {
  const found = names.filter(([key]) => rows.some((row) => isShare(row[key]) || typeof row[key] === 'number'));
  if (found.length === 0) return null;
  return {columns: ['Layer', ...found.map(([, name]) => name)],
    rows: rows.map((row) => [String(row.name ?? ''), ...found.map(([key]) => shareText(row[key], key in HOLD || key === 'base_rate'))])};
}

// As vigor validate says it.
function sentence(total: Json): Child {
  const rates = ['true_noncritical', 'true_critical', 'coverage', 'recall_not_noncritical'].map((key) => rateOf(total[key]));
  if (rates.every(Number.isNaN)) return null;
  const [safe, critical, coverage, caught] = rates.map(percent);
  return h('p', null, `Of the faults that the ranges call non-critical ${safe} are, of those that they call critical ${critical}. ` +
    `They speak of ${coverage} of all faults, and ${caught} of the critical ones are not among those called non-critical.`);
}

function disagreements(layers: Json[]): Child {
  const causes = new Map<string, number>();
  for (const side of layers.flatMap((layer) => (isJson(layer.disagreements) ? Object.values(layer.disagreements).filter(isJson) : []))) {
    for (const [cause, n] of Object.entries(side)) if (typeof n === 'number') causes.set(cause, (causes.get(cause) ?? 0) + n);
  }
  if (causes.size === 0) return null;
  const some = [...causes].filter(([, n]) => n > 0);
  return h('p', {class: 'note'}, 'Faults that came out otherwise than their range says: ',
    some.length === 0 ? 'none.' : `${some.map(([cause, n]) => `${integer(n)} (${cause.replaceAll('_', ' ')})`).join(', ')}.`);
}

function about(set: Json): Child {
  const {data, plan} = set;
  if (!isJson(data)) return null;
  return h('p', {class: 'note'}, h('bdi', null, String(data.name)), `, ${integer(Number(data.inputs))} inputs` +
    (isJson(plan) ? `; plan ${String(plan.kind)}` : ''), '. Below each share its 95\u00a0% interval for these inputs, and of how many faults it is.');
}

function titleOf(set: Json, i: number): string {
  if (typeof set.seen === 'boolean') return set.seen ? 'Validation on the inputs of the ranges' : 'Validation on other inputs';
  return typeof set.name === 'string' ? `Validation: ${set.name}` : `Validation${i > 0 ? ` ${i + 1}` : ''}`;
}

function setOf(set: Json, i: number): Child {
  const layers = Array.isArray(set.layers) ? set.layers.filter(isJson) : [];
  const total = isJson(set.total) ? set.total : null;
  const rows: Json[] = total ? [...layers, {name: 'all layers', ...total}] : layers;
  const others = [...new Set(rows.flatMap((row) => Object.keys(row).filter((key) => isShare(row[key]) && !(key in HOLD) && !(key in REACH))))];
  const tables: [string, Table | null][] = [
    ['Faults that the ranges speak of, and are right about', tableOf(rows, Object.entries(HOLD))],
    ['How far the ranges reach', tableOf(rows, [...Object.entries(REACH), ...others.map((key) => [key, key.replaceAll('_', ' ')] as [string, string])])]];
  return [h('h3', null, titleOf(set, i)), total && sentence(total), about(set),
    tables.map(([title, table]) => table && [h('h4', null, title), dataTable(table)]),
    tables.every(([, table]) => !table) && h('p', {class: 'note'}, 'This file holds no layers that could be shown.'), disagreements(layers)];
}

export function validation(report: Report): Child {
  const content = report.content.validation;
  if (!content) return h('p', {class: 'note'}, 'With --validation V.json (of vigor validate) this page also shows how the ranges fare against injected faults.');
  return (Array.isArray(content.sets) ? content.sets.filter(isJson) : [content]).map(setOf);
}
