// The network as a graph of its sites: which one feeds which, and by what operators.
import type {Report} from './data';

export interface SiteGraph {
  /** From site to site; -1: the network's input. */
  edges: [number, number][];
  /** Operators between the site before and this one, in the order they run. */
  ops: string[][];
}

export function siteGraph(report: Report): SiteGraph {
  const siteOf = new Map(report.sites.map((site) => [site.tensor, site.index]));
  const graph = report.run.model.graph;
  const from = new Map<string, Set<number>>();  // tensor -> the sites it comes from
  const edges: [number, number][] = [];
  const ops: string[][] = report.sites.map(() => []);
  if (graph?.input) from.set(graph.input, new Set([-1]));
  let pending: string[] = [];
  for (const node of graph?.nodes ?? []) {
    const sources = new Set(node.inputs.flatMap((name) => [...from.get(name) ?? []]));
    pending.push(node.op);
    for (const output of node.outputs) {
      const site = siteOf.get(output);
      if (site === undefined) {
        from.set(output, sources);
      } else {
        sources.forEach((source) => edges.push([source, site]));
        from.set(output, new Set([site]));
        ops[site] = pending;
        pending = [];
      }
    }
  }
  return {edges, ops};
}
