// The page: sections in the order of the questions, and a view for each layer and neuron.
import {bits} from './bits';
import {cost} from './cost';
import {readReport, type Report} from './data';
import {h} from './dom';
import {glossary, provenance} from './glossary';
import {layerPage} from './layer_page';
import {neuronPage, positionOf} from './neuron_page';
import {overview} from './overview';
import {protect} from './protect';
import {startTheme, toggleTheme} from './theme';
import {trust} from './trust';
import {where} from './where';
import {why} from './why';

const SECTIONS: [id: string, name: string, make: (report: Report) => HTMLElement][] = [
  ['overview', 'How vulnerable', overview], ['where', 'Where', where], ['bits', 'Which bits', bits], ['why', 'Why', why],
  ['protect', 'What to protect', protect], ['trust', 'How sure', trust], ['cost', 'Cost', cost],
  ['glossary', 'Glossary', glossary], ['provenance', 'Origin', provenance],
];

function viewOf(report: Report, hash: string): HTMLElement | null {
  const [kind, index, flat] = hash.split('/');
  const site = report.sites[Number(index)];
  if (!site || (kind !== 'site' && kind !== 'neuron')) return null;
  if (kind === 'site') return layerPage(report, site);
  const position = positionOf(report, site, Number(flat));
  return position < 0 ? null : neuronPage(report, site, position);
}

function route(report: Report, main: HTMLElement, links: Map<string, HTMLElement>): void {
  const hash = location.hash.slice(1);
  const view = viewOf(report, hash);
  if (view) {
    main.replaceChildren(view);
    main.dataset.view = 'detail';
    window.scrollTo(0, 0);
    view.querySelector<HTMLElement>('#view-title')?.focus({preventScroll: true});
  } else if (main.dataset.view !== 'all') {
    main.replaceChildren(...SECTIONS.map(([, , make]) => make(report)));
    main.dataset.view = 'all';
    watchSections(main, links);
  }
  if (!view) {
    // Once the charts have their heights.
    requestAnimationFrame(() => requestAnimationFrame(() =>
      SECTIONS.some(([id]) => id === hash) ? document.getElementById(hash)?.scrollIntoView() : undefined));
  }
  links.forEach((link, id) => link.toggleAttribute('aria-current', !view && id === (hash || 'overview')));
}

// Marks the section that is read.
function watchSections(main: HTMLElement, links: Map<string, HTMLElement>): void {
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) links.forEach((link, id) => link.toggleAttribute('aria-current', id === entry.target.id));
    }
  }, {rootMargin: '-20% 0px -70% 0px'});
  main.querySelectorAll('section').forEach((section) => watch.observe(section));
}

async function start(): Promise<void> {
  const pieces = [...document.querySelectorAll('script.data')];
  const report = await readReport(pieces.map((piece) => piece.textContent!));
  pieces.forEach((piece) => piece.remove());
  document.title = `vigor: ${report.run.model.name}`;
  const links = new Map(SECTIONS.map(([id, name]) => [id, h('a', {href: `#${id}`}, name)]));
  const main = h('main', {id: 'main'});
  document.body.append(
    h('a', {class: 'skip', href: '#main', onclick: (event: Event) => { event.preventDefault(); main.querySelector<HTMLElement>('a, button')?.focus(); }}, 'Skip to the content'),
    h('header', {class: 'top'},
      h('a', {class: 'brand', href: '#overview'}, 'vigor'),
      h('h1', null, h('bdi', null, report.run.model.name), h('small', null, ' on ', h('bdi', null, report.run.data.name))),
      h('button', {type: 'button', class: 'theme', 'aria-label': 'Switch between light and dark', title: 'Light or dark', onclick: toggleTheme}, '\u25d0')),
    h('nav', {class: 'sections', 'aria-label': 'Sections'}, [...links.values()]),
    main,
    h('footer', null, `Made by vigor ${report.run.made.version}. Charts: Apache ECharts. This file loads nothing from the network.`));
  window.addEventListener('hashchange', () => route(report, main, links));
  startTheme();
  route(report, main, links);
  // After the first drawing.
  requestAnimationFrame(() => setTimeout(() => {
    performance.mark('ready');
    document.body.dataset.ready = 'true';
  }));
}

start().catch((error: unknown) => {
  document.body.append(h('p', {role: 'alert'}, `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}`));
});
