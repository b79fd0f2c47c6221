// The figures of buildworld as a picture: a bar of user, system and idle time for each run, and where the cycles of the p4 runs
// with eight jobs went.

import type { Timing } from '../src/cpu/timing.ts';
import { MAIL, spending } from './buildworld.ts';
import type { Measurement } from './buildworld.ts';

const WIDTH = 900;
const LEFT = 150;
const BAR = 22;
const GAP = 8;
const COLOURS = { user: '#4477aa', sys: '#cc6677', idle: '#dddddd' } as const;
const PARTS = ['#4477aa', '#cc6677', '#ddcc77', '#117733', '#88ccee', '#882255', '#44aa99', '#999933', '#aa4499', '#bbbbbb'];
/** Parts below this share of the cycles of every run are drawn together. */
const SMALL = 0.002;

function text(x: number, y: number, words: string, anchor = 'start'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
}

function box(x: number, y: number, width: number, colour: string, title: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"><title>${title}</title></rect>`;
}

/** Bars of seconds, all of one timing to one scale. */
function times(rows: readonly Measurement[], top: number): string[] {
  return rows.flatMap((row, n) => {
    const y = top + n * (BAR + GAP);
    const longest = Math.max(...rows.filter(({ timing }) => timing === row.timing).map(({ real }) => real));
    const scale = (WIDTH - LEFT - 90) / longest;
    let x = LEFT;
    const boxes = (['user', 'sys', 'idle'] as const).map((part) => {
      const width = row[part] * scale;
      x += width;
      return box(x - width, y, width, COLOURS[part], `${part} ${row[part].toFixed(4)} s`);
    });
    return [text(LEFT - 8, y + 16, `${row.system} -j ${row.jobs} ${row.timing}`, 'end'), ...boxes, text(x + 6, y + 16, `${row.real.toFixed(2)} s`)];
  });
}

/** Bars of cycles by where they went. */
function parts(rows: readonly Measurement[], timing: Timing, top: number): string[] {
  const longest = Math.max(...rows.map((row) => spending(row, timing).reduce((sum, [, cycles]) => sum + cycles, 0)));
  const most = new Map<string, number>();
  for (const row of rows) for (const [name, cycles] of spending(row, timing)) most.set(name, Math.max(cycles, most.get(name) ?? 0));
  const names = [...most].sort((a, b) => b[1] - a[1]).filter(([, cycles]) => cycles / longest >= SMALL).map(([name]) => name).slice(0, PARTS.length - 1);
  const bars = rows.flatMap((row, n) => {
    const y = top + n * (BAR + GAP);
    const spent = new Map(spending(row, timing));
    const rest = [...spent].filter(([name]) => !names.includes(name)).reduce((sum, [, cycles]) => sum + cycles, 0);
    let x = LEFT;
    const boxes = [...names.map((name): [string, number] => [name, spent.get(name) ?? 0]), ['other events', rest] as [string, number]].map(([name, cycles], part) => {
      const width = (cycles / longest) * (WIDTH - LEFT - 90);
      x += width;
      return box(x - width, y, width, PARTS[part]!, `${name}: ${cycles.toLocaleString('en-US')} cycles`);
    });
    return [text(LEFT - 8, y + 16, row.system, 'end'), ...boxes];
  });
  const legendTop = top + rows.length * (BAR + GAP) + 14;
  const legend = [...names, 'other events'].map((name, n) => {
    const [x, y] = [LEFT + (n % 4) * 185, legendTop + Math.floor(n / 4) * 20];
    return `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${PARTS[n]!}"/>${text(x + 18, y, name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))}`;
  });
  return [...bars, ...legend];
}

/** The picture. */
export function svgOf(rows: readonly Measurement[], timing: Timing): string {
  const top = 60;
  const second = top + rows.length * (BAR + GAP) + 50;
  const height = second + 2 * (BAR + GAP) + 90;
  const p4 = rows.filter((row) => row.timing === 'p4' && row.jobs === 8);
  const key = (['user', 'sys', 'idle'] as const).map((part, n) => `<rect x="${LEFT + n * 80}" y="32" width="12" height="12" fill="${COLOURS[part]}"/>${text(LEFT + 18 + n * 80, 43, part)}`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    text(LEFT, 22, `make buildworld, native and in the virtual kernel (2007: ${MAIL.cpu} in processor time, ${MAIL.real} in real time)`),
    ...key,
    ...times(rows, top),
    text(LEFT, second - 14, 'where the cycles of the p4 runs went, -j 8'),
    ...parts(p4, timing, second),
    '</svg>',
    '',
  ].join('\n');
}
