// The data of the page, as vigor/report_data.cpp writes them (docs/report.md).

export interface Factor {
  low: number; resolved: number; high: number; nan: number;
  interval: [number, number] | null;
}
export interface Bits { low: number[]; resolved: number[]; high: number[]; nan: number[] }
export interface Rate { rate: number | null; low: number; high: number }

export interface SiteHead {
  name: string; node: string; tensor: string; kind: string; shape: number[];
  neurons: number; population: number; lvf: Factor; bits: Bits;
  far_class: {below: number; above: number};
  contradictions: number; probes_per_pair: number; forward_equivalents: number;
  histogram: {below: number[]; above: number[]};
  class_rows: boolean; audited: number; disagreements: number;
  overflow: number; critical_beyond: number;
}
export interface GraphNode { name: string; op: string; inputs: string[]; outputs: string[]; macs: number }
export interface Head {
  model: {
    name: string; sha256: string; mvf: Factor; bits: Bits; weights: string; classes: number;
    class_names: string[]; forward_macs: number; probes_per_pair: number;
    forward_equivalents: number; audited: number; disagreements: number;
    graph: {input: string; nodes: GraphNode[]} | null;
  };
  data: {
    name: string; sha256: string; inputs: number; left_out: number; split: string;
    preprocessing: Record<string, unknown> | null; class_inputs: number[];
    labelled: number; correct: number;
  };
  made: {
    version: string; options: Record<string, unknown> | null; method: string; seed: string;
    isa: string; seconds: number; machine: string; threads: number; time: string; command: string;
  };
}
export interface InjectionSite { name: string; faults: number; critical: Rate; accuracy_loss: number | null }
export interface Injection {
  model: {critical: Rate; faults: number; bits: Rate[]};
  data: {name: string; inputs: number};
  plan: {kind: string; margin: number; confidence: number};
  sites: InjectionSite[]; same_inputs: boolean;
}
interface Content {
  schema: number; run: Head; sites: SiteHead[]; rows: number[];
  injection: Injection | null; validation: Record<string, unknown> | null;
}
interface Entry { type: string; at: number; count: number }

/** A site with the place of its neurons among all. */
export interface Site extends SiteHead { index: number; first: number }

/** Ranges of one golden class (-1: all inputs together). */
export interface RangeRow {
  golden_class: number;
  nonvulnerable: [number, number]; vulnerable: [number, number];
  finite_only: [number, number]; finite: [number, number]; golden: [number, number];
}
/** Critical inputs by bit. */
export interface Detail {
  rows: RangeRow[]; low: Uint32Array; resolved: Uint32Array; high: Uint32Array;
  nan: Uint32Array; beyond: Uint32Array;
}

export type Reading = 'low' | 'resolved' | 'high' | 'nan';

export const BITS = 32;

export class Report {
  readonly sites: Site[] = [];
  readonly neurons: number;
  /** Critical (input, flip) pairs of every neuron. */
  readonly critical: Record<Reading, ArrayLike<number>>;
  private readonly detailAt = new Map<number, {index: number; row: number}>();

  constructor(readonly content: Content, private readonly arrays: Record<string, ArrayLike<number>>) {
    let first = 0;
    content.sites.forEach((site, index) => {
      this.sites.push({...site, index, first});
      first += site.neurons;
    });
    this.neurons = first;
    this.critical = {low: arrays.critical_low, resolved: arrays.critical,
      high: arrays.critical_high, nan: arrays.critical_nan};
    let row = 0;
    Array.from(arrays.detail).forEach((position, index) => {
      this.detailAt.set(position, {index, row});
      row += this.rowsOf(this.siteOf(position)).length;
    });
  }

  get run(): Head { return this.content.run; }
  get inputs(): number { return this.content.run.data.inputs; }
  get mostVulnerable(): number {
    let most = 0;
    const {resolved} = this.critical;
    for (let i = 0; i < this.neurons; ++i) if (resolved[i] > most) most = resolved[i];
    return most / (this.inputs * BITS);
  }

  siteOf(position: number): Site {
    let site = this.sites[0];
    for (const next of this.sites) if (next.first <= position && next.neurons > 0) site = next;
    return site;
  }
  flatIndex(position: number): number { return this.arrays.neuron[position]; }
  /** (c, h, w), or fewer. */
  place(position: number, site = this.siteOf(position)): number[] {
    const shape = site.shape.length > 3
      ? [...site.shape.slice(0, 2), site.shape.slice(2).reduce((a, b) => a * b, 1)] : site.shape;
    let rest = this.flatIndex(position);
    const place: number[] = [];
    for (let d = shape.length - 1; d >= 0; --d) {
      place[d] = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
    }
    return place;
  }
  nvf(position: number, reading: Reading = 'resolved'): number {
    return this.critical[reading][position] / (this.inputs * BITS);
  }
  worstBit(position: number): number { return this.arrays.worst_bit[position]; }
  contradictions(position: number): number { return this.arrays.contradictions[position]; }
  farClass(position: number): [number, number] { return this.pair('far_class', position); }
  nonvulnerable(position: number): [number, number] { return this.pair('nonvulnerable', position); }
  vulnerable(position: number): [number, number] { return this.pair('vulnerable', position); }
  golden(position: number): [number, number] { return this.pair('golden', position); }
  /** How many neurons of the whole network one analysed neuron of its site stands for. */
  weight(site: Site): number { return site.neurons > 0 ? site.population / site.neurons : 0; }

  hasDetail(position: number): boolean { return this.detailAt.has(position); }
  get detailed(): number { return this.detailAt.size; }

  /** Where there is no full detail, the row of all inputs. */
  rows(position: number): RangeRow[] {
    const at = this.detailAt.get(position);
    if (!at) {
      return [{
        golden_class: -1, nonvulnerable: this.nonvulnerable(position),
        vulnerable: this.vulnerable(position), finite_only: [NaN, NaN], finite: [NaN, NaN],
        golden: this.golden(position),
      }];
    }
    return this.rowsOf(this.siteOf(position)).map((golden_class, i) => ({
      golden_class,
      nonvulnerable: this.pair('detail_nonvulnerable', at.row + i),
      vulnerable: this.pair('detail_vulnerable', at.row + i),
      finite_only: this.pair('detail_vulnerable_finite', at.row + i),
      finite: this.pair('detail_finite', at.row + i),
      golden: this.pair('detail_golden', at.row + i),
    }));
  }
  detail(position: number): Detail | null {
    const at = this.detailAt.get(position);
    if (!at) return null;
    const bits = (name: string) =>
      (this.arrays[name] as Uint32Array).subarray(at.index * BITS, (at.index + 1) * BITS);
    return {
      rows: this.rows(position), low: bits('detail_critical_low'), resolved: bits('detail_critical'),
      high: bits('detail_critical_high'), nan: bits('detail_critical_nan'),
      beyond: bits('detail_critical_beyond'),
    };
  }

  className(index: number): string {
    if (index < 0) return 'all inputs';
    return this.run.model.class_names[index] || `class ${index}`;
  }

  private rowsOf(site: Site): number[] {
    const {rows} = this.content;
    return site.class_rows ? rows.map((r) => (r === this.run.model.classes ? -1 : r)) : [-1];
  }
  private pair(name: string, i: number): [number, number] {
    const array = this.arrays[name];
    return [array[2 * i], array[2 * i + 1]];
  }
}

// Element after element, from all first bytes, all second bytes, ...
function gathered(bytes: Uint8Array, entry: Entry): ArrayLike<number> {
  const size = Number(entry.type[1]);
  const whole = new Uint8Array(entry.count * size);
  for (let plane = 0; plane < size; ++plane) {
    const from = entry.at + plane * entry.count;
    for (let i = 0; i < entry.count; ++i) whole[i * size + plane] = bytes[from + i];
  }
  switch (entry.type) {
    case 'f4': return new Float32Array(whole.buffer);
    case 'u4': return new Uint32Array(whole.buffer);
    case 'i4': return new Int32Array(whole.buffer);
    default: return whole;
  }
}

// Control characters, and marks that reorder or break lines, in names out of files.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

function decoded(base64: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** From the pieces of text of the page. */
export async function readReport(pieces: string[]): Promise<Report> {
  const stream = new Blob(pieces.map(decoded)).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const json = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  const {arrays, content} = JSON.parse(json, (_, value) =>
    typeof value === 'string' ? value.replace(UNPRINTABLE, '\ufffd') : value) as
    {arrays: Record<string, Entry>; content: Content};
  const body = bytes.subarray(4 + length);
  return new Report(content, Object.fromEntries(
    Object.entries(arrays).map(([name, entry]) => [name, gathered(body, entry)])));
}
