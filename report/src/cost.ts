// What did it cost? Against the paper's 9.1 forward passes and exhaustive injection's 32.
import type {Report} from './data';
import {dataTable, h} from './dom';
import {axis, figure, tip, tooltip, type Chart} from './figure';
import {duration, integer} from './format';

const PAPER = 9.1, EXHAUSTIVE = 32;

function chart(report: Report): Chart {
  const rows: [string, number][] = [
    ['this run', report.run.model.forward_equivalents], ['DeepVigor paper', PAPER], ['exhaustive injection', EXHAUSTIVE]];
  return {
    name: 'cost', title: 'Forward passes per neuron and input',
    label: rows.map(([name, value]) => `${name}: ${value.toPrecision(3)}`).join(', '),
    caption: 'Work in units of one fault-free run of the whole network: multiply-accumulates executed, divided by those of a forward pass. The paper and exhaustive injection run the network whole.',
    height: () => 150,
    table: () => ({columns: ['method', 'forward_passes_per_neuron_and_input'], rows}),
    option: (c, width) => ({
      grid: {left: width < 560 ? 118 : 150, right: 60, top: 6, bottom: 28},
      xAxis: axis(c, {type: 'value', min: 0, ...(rows[0][1] > EXHAUSTIVE ? {} : {max: EXHAUSTIVE, interval: 8})}),
      yAxis: axis(c, {type: 'category', inverse: true, data: rows.map(([name]) => name), splitLine: {show: false}, axisLabel: {color: c.ink}}),
      tooltip: tooltip(c, ({dataIndex: i}) => tip(rows[i][0], ['forward passes', rows[i][1].toPrecision(3)])),
      series: [{type: 'bar', barWidth: 14, data: rows.map(([, value], i) => ({value, itemStyle: {color: i ? c.pale : c.main}})),
        label: {show: true, position: 'right', color: c.ink, formatter: (p: any) => Number(p.value.toPrecision(3)).toString()}}],
    }),
  };
}

export function cost(report: Report): HTMLElement {
  const {model, made} = report.run;
  const pairs = report.neurons * report.inputs;
  const ratio = model.forward_equivalents > 0 ? EXHAUSTIVE / model.forward_equivalents : NaN;
  return h('section', {id: 'cost', 'aria-labelledby': 'cost-title'}, h('h2', {id: 'cost-title'}, 'What did it cost?'),
    h('p', null, `${duration(made.seconds)} on ${made.threads} thread${made.threads === 1 ? '' : 's'} (${made.isa}) for ${integer(report.neurons)} neurons and ${integer(report.inputs)} inputs, ${integer(pairs)} pairs: ` +
      `${model.probes_per_pair.toFixed(2)} probes per pair, the work of ${model.forward_equivalents.toPrecision(3)} forward passes. ` +
      (Number.isFinite(ratio) ? `Running every flip through the whole network takes ${integer(Math.round(ratio))} times as much.` : '')),
    figure(chart(report)),
    h('h3', null, 'By layer'),
    dataTable({columns: ['Layer', 'neurons', 'probes per pair', 'forward passes per pair', 'against exhaustive'],
      rows: report.sites.map((s) => [s.name, integer(s.neurons), s.probes_per_pair.toFixed(2), Number(s.forward_equivalents.toPrecision(3)).toString(),
        s.forward_equivalents > 0 ? `${integer(Math.round(EXHAUSTIVE / s.forward_equivalents))} times less` : '\u2013'])}));
}
