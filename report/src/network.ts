// The network as a graph of its sites: which one feeds which, and by what operators.
import type {Report} from './data';

/** Places along the network: site i at i, the input at -1, a junction (Add, Concat) between sites. */
export interface SiteGraph {
  edges: [number, number][];
  junctions: number[];
  /** Operators between the site before and this one, in the order they run. */
  ops: string[][];
}

export function siteGraph(report: Report): SiteGraph {
  const siteOf = new Map(report.sites.map((site) => [site.tensor, site.index]));
  const graph = report.run.model.graph;
  const from = new Map<string, Set<number>>();  // tensor -> the places it comes from
  const edges = new Map<string, [number, number]>();
  const junctions = new Set<number>();
  const ops: string[][] = report.sites.map(() => []);
  if (graph?.input) from.set(graph.input, new Set([-1]));
  let pending: string[] = [], last = -1;
  for (const node of graph?.nodes ?? []) {
    const parts = node.inputs.map((name) => [...from.get(name) ?? []]).filter((part) => part.length > 0);
    const sources = new Set(parts.flat());
    pending.push(node.op.replace('BatchNormalization', 'BatchNorm'));
    for (const output of node.outputs) {
      const site = siteOf.get(output);
      const place = site ?? (parts.length > 1 && sources.size > 1 ? last + 0.5 : null);
      if (place === null) {
        from.set(output, sources);
        continue;
      }
      sources.forEach((source) => source !== place && edges.set(`${source} ${place}`, [source, place]));
      from.set(output, new Set([place]));
      if (site === undefined) {
        junctions.add(place);
      } else {
        ops[site] = pending;
        pending = [];
        last = site;
      }
    }
  }
  return {edges: [...edges.values()], junctions: [...junctions], ops};
}
