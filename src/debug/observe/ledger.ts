// The ledger: for each reason why a program was left, how often, and what the kernels executed until a program ran again,
// by part (parts.ts). A trip is one such time. All instructions of a run are in exactly one place: in a row of a reason, in
// the programs, or in `other` (start-up, kernel processes, threads that have not run a program yet, waiting).

import { PARTS } from './parts.ts';
import type { Part } from './parts.ts';

export const REASONS = ['system call', 'fault', 'trap', 'signal', 'timer', 'device'] as const;
export type Reason = (typeof REASONS)[number];

/** From where: 0 a program of the host, 1 one in a VM space. */
export type Where = 0 | 1;
const WHERE = ['host', 'vmspace'] as const;

export interface Trip {
  reason: Reason;
  readonly where: Where;
  /** Instructions by part; 0 is work that nothing claims, else 1 + index in PARTS. */
  readonly parts: Float64Array;
  /** Cycles beyond one an instruction, likewise. */
  readonly extra: Float64Array;
  /** It began with a hardware interrupt. */
  readonly interrupt: boolean;
  /** It began in a program, not in a kernel. */
  fromProgram: boolean;
  /** The threads of virtual kernels that work on it: of one, or of several, one in the other. */
  readonly holders: { trip: Trip | null }[];
}

interface Row {
  count: number;
  readonly parts: Float64Array;
  readonly extra: Float64Array;
}

const emptyParts = (): Float64Array => new Float64Array(PARTS.length + 1);

function makeTrip(reason: Reason, where: Where, interrupt: boolean): Trip {
  return { reason, where, parts: emptyParts(), extra: emptyParts(), interrupt, fromProgram: false, holders: [] };
}

/** What something took. Cycles are instructions and what events cost (cpu/timing.ts); with `flat` timing both are equal. */
export interface Cost {
  readonly instructions: number;
  readonly cycles: number;
}

/** A row as others read it; the parts add up to the row's own cost. */
export interface LedgerRow extends Cost {
  readonly reason: Reason;
  readonly from: 'host' | 'vmspace';
  readonly count: number;
  readonly parts: Readonly<Record<Part, Cost>>;
}

/** What `--ledger=json` prints. Rows, programs and other add up to the total, which is the whole run. */
export interface LedgerTotals {
  readonly rows: readonly LedgerRow[];
  readonly programs: { readonly host: Cost; readonly vmspace: Cost };
  readonly other: Cost;
  readonly total: Cost;
}

export class Ledger {
  /** Instructions of programs and cycles beyond them, by where. */
  readonly programs: [[number, number], [number, number]] = [[0, 0], [0, 0]];
  readonly other = makeTrip('device', 0, false);
  /** Stands for no trip where one was put aside. */
  readonly none = makeTrip('device', 0, false);
  private readonly live = new Set<Trip>();
  private readonly rows: Record<Reason, [Row, Row]>;

  constructor() {
    const row = (): Row => ({ count: 0, parts: emptyParts(), extra: emptyParts() });
    this.rows = Object.fromEntries(REASONS.map((reason) => [reason, [row(), row()]])) as unknown as Record<Reason, [Row, Row]>;
  }

  begin(reason: Reason, where: Where): Trip {
    const trip = makeTrip(reason, where, reason === 'timer' || reason === 'device');
    this.live.add(trip);
    return trip;
  }

  isOpen(trip: Trip): boolean {
    return this.live.has(trip);
  }

  /** A trip is over. */
  book(trip: Trip): void {
    if (!this.live.delete(trip)) return;
    const row = this.rows[trip.reason][trip.where];
    row.count++;
    for (let i = 0; i < row.parts.length; i++) {
      row.parts[i]! += trip.parts[i]!;
      row.extra[i]! += trip.extra[i]!;
    }
    for (const holder of trip.holders) if (holder.trip === trip) holder.trip = null;
  }

  /** The run is over. */
  bookAll(): void {
    for (const trip of this.live) this.book(trip);
  }

  totals(): LedgerTotals {
    const rows = WHERE.flatMap((from, where) => REASONS.map((reason) => rowOf(reason, from, this.rows[reason][where]!))).filter(({ count }) => count > 0);
    const other = partCost(this.other, (_, part) => part >= 0);
    const [host, vmspace] = this.programs.map(([instructions, extra]) => ({ instructions, cycles: instructions + extra })) as [Cost, Cost];
    return { rows, programs: { host, vmspace }, other, total: sum([...rows, host, vmspace, other]) };
  }
}

/** The cost of those parts that `wanted` picks. */
function partCost({ parts, extra }: { parts: Float64Array; extra: Float64Array }, wanted: (value: number, part: number) => boolean): Cost {
  const add = (all: Float64Array) => all.filter(wanted).reduce((a, b) => a + b, 0);
  const instructions = add(parts);
  return { instructions, cycles: instructions + add(extra) };
}

function rowOf(reason: Reason, from: 'host' | 'vmspace', row: Row): LedgerRow {
  const parts = Object.fromEntries(PARTS.map((part, i) => [part, partCost(row, (_, n) => n === i + 1 || (n === 0 && part === 'work'))])) as Record<Part, Cost>;
  return { reason, from, count: row.count, ...sum(Object.values(parts)), parts };
}

function sum(costs: readonly Cost[]): Cost {
  return costs.reduce((all, { instructions, cycles }) => ({ instructions: all.instructions + instructions, cycles: all.cycles + cycles }), { instructions: 0, cycles: 0 });
}

const COLUMNS: readonly Part[] = ['entry', 'cr3', 'frame', 'descriptors', 'fpu', 'walk', 'invalidation', 'work', 'exit'];

/** The ledger as tables: totals, and the same for one trip; cycles too when they differ from instructions. */
export function ledgerText(totals: LedgerTotals): string[] {
  const { rows, programs, other, total } = totals;
  const units = (['instructions', 'cycles'] as const).slice(0, total.cycles === total.instructions ? 1 : 2);
  const lines: string[] = [];
  for (const from of WHERE) {
    for (const unit of units) lines.push(...tables(rows.filter((row) => row.from === from), from, unit));
  }
  for (const unit of units) {
    lines.push(`${unit}: kernels ${sum(rows)[unit]} + programs of the host ${programs.host[unit]} + programs in VM spaces ${programs.vmspace[unit]} + start-up, kernel processes, waiting ${other[unit]} = ${total[unit]}`);
  }
  return lines;
}

function tables(rows: readonly LedgerRow[], from: 'host' | 'vmspace', unit: keyof Cost): string[] {
  if (!rows.length) return [];
  const programs = from === 'host' ? 'programs of the host' : 'programs in VM spaces';
  const line = (row: LedgerRow, count: string, format: (n: number) => string) => columns(row.reason, count, [row, ...COLUMNS.map((part) => row.parts[part])].map((cost) => format(cost[unit])));
  return [
    `${programs} left for the kernels: ${unit}`, columns('reason', 'count', ['all', ...COLUMNS]), ...rows.map((row) => line(row, String(row.count), String)),
    'each time', ...rows.map((row) => line(row, '', (n) => (n / row.count).toFixed(1))), '',
  ];
}

function columns(name: string, count: string, words: readonly string[]): string {
  return [name.padEnd(12), count.padStart(8), ...words.map((word) => word.padStart(12))].join(' ');
}
