// Colours: legible on both backgrounds, told apart by people with any colour vision.

export interface Colors {
  dark: boolean;
  page: string; ink: string; muted: string; line: string; panel: string;
  main: string;      // the resolved figure
  second: string;    // what it is compared with
  band: string;      // what lies between low and high
  nan: string;
  safe: string; semi: string; vulnerable: string; beyond: string;
  ramp: string[];    // from nothing to much
  pale: string;      // what matters less
}

export const LIGHT: Colors = {
  dark: false, page: '#ffffff', ink: '#1b2430', muted: '#566172', line: '#d5dbe3', panel: '#f5f7fa',
  main: '#2166ac', second: '#c2571a', band: '#d3e0ee', nan: '#a2538c',
  safe: '#0f9171', semi: '#f0b429', vulnerable: '#c8401c', beyond: '#e3e7ed',
  ramp: ['#dfebf6', '#c6dcf0', '#9cc5e3', '#5c9fce', '#2a74b2', '#0b4a8f', '#082c5c'],
  pale: '#b9c2ce',
};
export const DARK: Colors = {
  dark: true, page: '#12161c', ink: '#e4e9f0', muted: '#9ca8b8', line: '#303945', panel: '#1a2028',
  main: '#6aaee8', second: '#f09455', band: '#2a3d52', nan: '#d58cc2',
  safe: '#35b892', semi: '#f2c14e', vulnerable: '#ee6a43', beyond: '#2b333e',
  ramp: ['#1b2c40', '#1d3f66', '#1f5688', '#2f78b5', '#5b9fd6', '#9cc8ec', '#e2f0fc'],
  pale: '#4a5563',
};

const preferred = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();
let chosen: 'light' | 'dark' | null = null;
let printing = false;

export const colors = (): Colors =>
  !printing && (chosen ? chosen === 'dark' : preferred.matches) ? DARK : LIGHT;

export function onTheme(listener: () => void): void { listeners.add(listener); }
export function forgetListener(listener: () => void): void { listeners.delete(listener); }

function apply(): void {
  document.documentElement.dataset.theme = colors().dark ? 'dark' : 'light';
  listeners.forEach((listener) => listener());
}
export function toggleTheme(): void {
  chosen = colors().dark ? 'light' : 'dark';
  apply();
}
export function startTheme(): void {
  preferred.addEventListener('change', apply);
  window.addEventListener('beforeprint', () => { printing = true; apply(); });
  window.addEventListener('afterprint', () => { printing = false; apply(); });
  apply();
}
export const isPrinting = (): boolean => printing;

/** A colour of the ramp, at 0 to 1. */
export function rampColor(ramp: string[], at: number): [number, number, number] {
  const x = Math.min(Math.max(at, 0), 1) * (ramp.length - 1);
  const i = Math.min(Math.floor(x), ramp.length - 2);
  const channel = (color: string, c: number) => parseInt(color.slice(1 + 2 * c, 3 + 2 * c), 16);
  return [0, 1, 2].map((c) =>
    Math.round(channel(ramp[i], c) + (x - i) * (channel(ramp[i + 1], c) - channel(ramp[i], c)))) as
    [number, number, number];
}
