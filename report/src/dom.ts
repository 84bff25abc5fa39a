// Elements without HTML text: whatever a name holds, it stays text.

export type Child = Node | string | number | null | undefined | false | Child[];

function append(parent: Element, child: Child): void {
  if (Array.isArray(child)) child.forEach((c) => append(parent, c));
  else if (child instanceof Node) parent.append(child);
  else if (child !== null && child !== undefined && child !== false) parent.append(String(child));
}

/** An element; attributes that begin with "on" are listeners. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Record<string, unknown> | null = null, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === undefined || value === null) continue;
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value as EventListener);
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  append(element, children);
  return element;
}

export function save(name: string, blob: Blob): void {
  const link = h('a', {download: name, href: URL.createObjectURL(blob)});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A name that can stand in a file name. */
export const fileName = (text: string): string => text.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 60);

export interface Table { columns: string[]; rows: (string | number)[][] }

const field = (value: string | number): string => {
  const text = String(value);
  // Spreadsheets take what begins like this for a formula.
  const safe = typeof value === 'string' && /^[=+@\t\r-]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
export const toCsv = ({columns, rows}: Table): string =>
  [columns, ...rows].map((row) => row.map(field).join(',') + '\n').join('');

/** A table of figures: text to the left, numbers to the right; after a line break, small print. */
export function dataTable(table: Table, most = Infinity): HTMLElement {
  const shown = table.rows.slice(0, most);
  const numeric = table.columns.map((_, c) => shown.some((row) => typeof row[c] === 'number' ||
    /^[-+\u2212]?[\d.,\u221e\u2013]/.test(String(row[c]))));
  const cell = (tag: 'td' | 'th', value: string | number, c: number) => h(tag, {
    class: numeric[c] && c > 0 ? 'number' : null,
    scope: tag === 'th' ? 'col' : null,
  }, String(value).split('\n').map((part, i) => (i > 0 ? part && h('small', null, part) : part)));
  return h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table'},
    h('table', null,
      h('thead', null, h('tr', null, table.columns.map((name, c) => cell('th', name, c)))),
      h('tbody', null, shown.map((row) => h('tr', null, row.map((v, c) => cell('td', v, c)))))),
    table.rows.length > most && h('p', {class: 'note'},
      `The first ${most} of ${table.rows.length} rows; the CSV file has all.`));
}
