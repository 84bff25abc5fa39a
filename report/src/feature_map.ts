// NVF as feature maps: every neuron a square, every channel a tile, one colour scale.
import type {Report, Site} from './data';
import {h} from './dom';
import {FONT, PRINT_WIDTH, frame, titleOf, type FigureText} from './figure';
import {integer, percent, placeText, range} from './format';
import {LIGHT, colors, forgetListener, isPrinting, onTheme, rampColor, type Colors} from './theme';

interface Layout {
  tiles: number; tileColumns: number; tileRows: number;  // tiles, and neurons of one
  tileOf(position: number): [tile: number, x: number, y: number];
}

// Channels as tiles where the whole of a feature map was analysed; else the neurons in one tile.
function layout(report: Report, site: Site): Layout {
  const mapped = site.shape.length >= 3 && site.neurons === site.population;
  if (mapped) {
    const [, height, width] = [site.shape[0], site.shape[1], site.shape.slice(2).reduce((a, b) => a * b, 1)];
    return {tiles: site.shape[0], tileColumns: width, tileRows: height, tileOf: (position) => {
      const [c, y, x] = report.place(position, site);
      return [c, x, y];
    }};
  }
  const columns = Math.min(site.neurons, Math.max(16, Math.ceil(Math.sqrt(site.neurons * 3))));
  return {tiles: 1, tileColumns: columns, tileRows: Math.ceil(site.neurons / columns),
    tileOf: (position) => [0, (position - site.first) % columns, Math.floor((position - site.first) / columns)]};
}

interface Placed { cell: number; perRow: number; width: number; height: number; gap: number; label: number }

function fit(shape: Layout, width: number): Placed {
  const gap = shape.tiles > 1 ? 8 : 0;
  for (const cell of [14, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1]) {
    const tile = shape.tileColumns * cell + gap;
    const perRow = Math.min(shape.tiles, Math.max(1, Math.floor((width + gap) / tile)));
    const rows = Math.ceil(shape.tiles / perRow);
    const label = shape.tiles > 1 && shape.tileColumns * cell >= 28 ? 14 : 0;  // the channel's number, above its tile
    const height = rows * (shape.tileRows * cell + gap + label) - gap;
    if (cell === 1 || (tile - gap <= width && height <= Math.max(420, width * 0.7))) {
      return {cell, perRow, width: Math.min(width, perRow * tile - gap), height, gap, label};
    }
  }
  throw new Error('unreachable');
}

export function featureMaps(report: Report, site: Site): HTMLElement {
  const shape = layout(report, site);
  const positions = Array.from({length: site.neurons}, (_, i) => site.first + i);
  const most = positions.reduce((m, p) => Math.max(m, report.nvf(p)), 0);
  const everywhere = report.mostVulnerable;
  let scale = most, placed: Placed, current = site.first;

  const corner = (position: number): [number, number] => {
    const [tile, x, y] = shape.tileOf(position);
    return [(tile % placed.perRow) * (shape.tileColumns * placed.cell + placed.gap) + x * placed.cell,
      Math.floor(tile / placed.perRow) * (shape.tileRows * placed.cell + placed.gap + placed.label) + placed.label + y * placed.cell];
  };
  const words = (context: CanvasRenderingContext2D, text: string, x: number, y: number, fill: string, weight = '') => {
    context.font = `${weight} ${weight ? 13 : 11}px ${FONT}`;
    context.fillStyle = fill;
    context.fillText(text, x, y);
  };
  const paint = (context: CanvasRenderingContext2D, c: Colors) => {
    const inset = placed.cell >= 14 ? 0.5 : 0;
    for (const position of positions) {
      const [x, y] = corner(position);
      context.fillStyle = `rgb(${rampColor(c.ramp, scale > 0 ? report.nvf(position) / scale : 0)})`;
      context.fillRect(x, y, placed.cell - inset, placed.cell - inset);
    }
    if (placed.label === 0) return;
    for (let tile = 0; tile < shape.tiles; ++tile) {
      const [x, y] = corner(site.first + tile * shape.tileRows * shape.tileColumns);
      words(context, String(tile), x, y - 4, c.muted);
    }
  };
  /** A canvas of this size, in pixels of the page, on the ground of these colours. */
  const prepared = (canvas: HTMLCanvasElement, width: number, height: number, c: Colors, density: number) => {
    canvas.width = width * density;
    canvas.height = height * density;
    const context = canvas.getContext('2d')!;
    context.scale(density, density);
    context.fillStyle = c.page;
    context.fillRect(0, 0, width, height);
    return context;
  };
  const ramp = (context: CanvasRenderingContext2D, c: Colors, from: number, top: number, height: number) => {
    for (let x = 0; x < 200; ++x) {
      context.fillStyle = `rgb(${rampColor(c.ramp, x / 199)})`;
      context.fillRect(from + x, top, 1.5, height);
    }
  };
  const picture = (): HTMLCanvasElement => {
    const canvas = h('canvas'), c = LIGHT, head = 62;
    const context = prepared(canvas, Math.max(placed.width, 400) + 32, placed.height + head + 16, c, 2);
    words(context, titleOf(about), 16, 22, c.ink, '600');
    words(context, '0', 16, 44, c.muted);
    ramp(context, c, 30, 35, 9);
    words(context, percent(scale), 238, 44, c.muted);
    context.translate(16, head);
    paint(context, c);
    return canvas;
  };

  const canvas = h('canvas', {tabindex: 0, role: 'application', 'aria-label':
    `NVF of ${site.neurons} neurons as feature maps, at most ${percent(most)}. Arrow keys move, Enter opens the neuron.`});
  const marker = h('div', {class: 'marker', hidden: true});
  const says = h('p', {class: 'says', 'aria-live': 'polite'}, '\u00a0');
  const place = h('div', {class: 'maps'}, canvas, marker);
  const bar = h('canvas', {class: 'ramp', width: 200, height: 1, 'aria-hidden': true});
  const lastLabel = h('span');

  const show = (position: number) => {
    current = position;
    const [x, y] = corner(position);
    Object.assign(marker.style, {left: `${x - 2}px`, top: `${y - 2}px`, width: `${placed.cell + 3}px`, height: `${placed.cell + 3}px`});
    marker.hidden = false;
    says.textContent = `Neuron ${placeText(report, position, site)}: NVF ${percent(report.nvf(position))}, safe from ${range(report.nonvulnerable(position))}, golden values ${range(report.golden(position))}`;
  };
  const under = (event: MouseEvent): number | undefined => {
    const tileWidth = shape.tileColumns * placed.cell + placed.gap, tileHeight = shape.tileRows * placed.cell + placed.gap + placed.label;
    const column = Math.floor(event.offsetX / tileWidth), row = Math.floor(event.offsetY / tileHeight);
    if (column >= placed.perRow) return undefined;
    const x = Math.floor((event.offsetX - column * tileWidth) / placed.cell);
    const y = Math.floor((event.offsetY - row * tileHeight - placed.label) / placed.cell);
    const tile = row * placed.perRow + column;
    if (x >= shape.tileColumns || y < 0 || y >= shape.tileRows || tile >= shape.tiles) return undefined;
    const position = site.first + (tile * shape.tileRows + y) * shape.tileColumns + x;
    return position < site.first + site.neurons ? position : undefined;
  };
  const open = (position: number) => { location.hash = `#neuron/${site.index}/${report.flatIndex(position)}`; };
  canvas.addEventListener('mousemove', (event) => {
    const position = under(event);
    if (position !== undefined) show(position);
  });
  canvas.addEventListener('click', (event) => {
    const position = under(event);
    if (position !== undefined) open(position);
  });
  canvas.addEventListener('focus', () => show(current));
  canvas.addEventListener('keydown', (event) => {
    const steps: Record<string, number> = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: shape.tileColumns, ArrowUp: -shape.tileColumns,
      PageDown: shape.tileColumns * shape.tileRows, PageUp: -shape.tileColumns * shape.tileRows};
    if (event.key === 'Enter') return open(current);
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = current + steps[event.key];
    if (next >= site.first && next < site.first + site.neurons) show(next);
  });

  const draw = () => {
    if (!place.isConnected) {
      if (placed) { forgetListener(draw); watch.disconnect(); }
      return;
    }
    const room = Math.floor(place.clientWidth), width = isPrinting() ? Math.min(PRINT_WIDTH, room) : room;
    if (width === 0) return;
    placed = fit(shape, width);
    paint(prepared(canvas, placed.width, placed.height, colors(), window.devicePixelRatio || 1), colors());
    Object.assign(canvas.style, {width: `${placed.width}px`, height: `${placed.height}px`});
    ramp(bar.getContext('2d')!, colors(), 0, 0, 1);
    lastLabel.textContent = percent(scale);
    marker.hidden = true;
  };
  let seen = 0;
  const watch = new ResizeObserver(() => {
    if (place.clientWidth !== seen || !place.isConnected) { seen = place.clientWidth; draw(); }
  });
  watch.observe(place);
  onTheme(draw);

  const same = h('input', {type: 'checkbox', onchange: () => { scale = same.checked ? everywhere : most; draw(); }});
  const sampled = site.neurons < site.population;
  const about: FigureText = {
    name: `${site.name}-nvf`, title: 'Neuron vulnerability factor (NVF)', subject: site.name, label: '',
    caption: [shape.tiles > 1 ? 'A tile for each channel (its number above where there is room), a square for each neuron. ' : 'A square for each neuron, in the order of the layer. ',
      sampled && `${integer(site.neurons)} of ${integer(site.population)} neurons were analysed. `, 'Click a square to see the neuron.'],
    table: () => ({columns: ['neuron', 'place', 'nvf_low', 'nvf', 'nvf_high', 'nvf_nan'],
      rows: positions.map((p) => [report.flatIndex(p), report.place(p, site).join(' '), report.nvf(p, 'low'), report.nvf(p), report.nvf(p, 'high'), report.nvf(p, 'nan')])}),
  };
  return frame(about, [
    h('div', {class: 'scale'}, h('span', null, '0'), bar, lastLabel,
      report.sites.length > 1 && h('label', null, same, 'scale of all layers')),
    place, says,
  ], [['PNG', () => new Promise<Blob>((done) => {
    picture().toBlob((blob) => done(blob!), 'image/png');
  })]]);
}
