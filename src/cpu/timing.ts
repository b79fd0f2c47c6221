// What takes time besides instructions: the events that the engines count, and tables of what one of each costs.
//
//   cycles = instructions retired + sum over all events of (count x cost)
//
// The counts are exact and part of the machine's state: they are the same on every engine and however a run is sliced, and
// they are counted whatever the table says. `flat`, the default, charges nothing: one instruction, one cycle. `p4` is a
// 2.4 GHz Pentium 4 (Northwood, 2002), the kind of machine that the virtual kernel was first timed on: its costs are in p4.ts.
//
// What the model leaves out: caches, branch prediction and the overlap of instructions (each costs one cycle), and the
// capacity of the TLB (a page misses once after each flush).

import { P4_COSTS, P4_HERTZ } from './p4.ts';

/** Kinds of events, in the order of their counters in memory (layout.ts). */
export const EVENTS = [
  'softwareInterrupt',    // INT n, INT3, INTO: entry
  'hardwareInterrupt',    // entry
  'exception',            // entry, whatever becomes of the handler
  'interruptReturn',      // IRET
  'fastCall',             // SYSENTER
  'fastReturn',           // SYSEXIT
  'farTransfer',          // far JMP, CALL and RET
  'taskSwitch',           // hardware task switch
  'segmentLoad',          // MOV and POP to a segment register, LDS ...
  'tableLoad',            // LGDT, LIDT, LLDT, LTR
  'directoryLoad',        // MOV to CR3: the flush itself; what it forgets comes back as tlbMiss
  'controlLoad',          // MOV to CR0 and CR4, LMSW, CLTS
  'tlbInvalidate',        // INVLPG
  'tlbMiss',              // a page walk for a page that the TLB did not have, for data or for code
  'pageMark',             // a walk that set an accessed or dirty bit
  'flagsLoad',            // CLI, STI, POPF
  'portRead',             // IN
  'portWrite',            // OUT
  'portString',           // one element of INS or OUTS
  'deviceMemory',         // an access to memory that is not RAM
  'serialize',            // CPUID
  'timeStamp',            // RDTSC
  'modelRegister',        // RDMSR, WRMSR
  'divide',               // DIV, IDIV
  'x87Divide',            // FDIV, FSQRT
  'x87Function',          // FSIN, FPTAN, F2XM1, FYL2X ..., FPREM
  'fpuSave',              // FXSAVE, FSAVE
  'fpuRestore',           // FXRSTOR, FRSTOR
] as const;

export type EventKind = (typeof EVENTS)[number];

/** What a disk of the time takes, for devices that want to be as slow. */
export interface DiskTiming {
  /** Seconds until the first sector of a command that does not follow the one before. */
  readonly access: number;
  /** Seconds for a command, whatever it does. */
  readonly command: number;
  /** Bytes per second once the data comes. */
  readonly rate: number;
}

/** A cost table: everything that turns counts into time. */
export interface Timing {
  readonly name: string;
  /** Cycles in a second of virtual time. */
  readonly hertz: number;
  /** Cycles that each event costs beyond the one cycle of its instruction; whole numbers from 0 to 2^24. */
  readonly costs: Readonly<Record<EventKind, number>>;
  readonly disk: DiskTiming;
}

function costTable(cost: (event: EventKind) => number): Record<EventKind, number> {
  return Object.fromEntries(EVENTS.map((event) => [event, cost(event)])) as Record<EventKind, number>;
}

/** One instruction, one cycle, 100 MHz; events and disks take no time. */
export const FLAT: Timing = {
  name: 'flat',
  hertz: 100_000_000,
  costs: costTable(() => 0),
  disk: { access: 0, command: 0, rate: Infinity },
};

/** A 2.4 GHz Pentium 4 with a 7,200 rpm ATA disk: seeks of 8.5 ms and half a turn of 4.17 ms, as a Deskstar 7K250 has. */
export const P4: Timing = {
  name: 'p4',
  hertz: P4_HERTZ,
  costs: costTable((event) => P4_COSTS.find((cost) => cost.event === event)!.cycles),
  disk: { access: 0.0127, command: 0.0003, rate: 60_000_000 },
};

export const TIMINGS: readonly Timing[] = [FLAT, P4];

/** A preset by name, or null. */
export function timingNamed(name: string): Timing | null {
  return TIMINGS.find((timing) => timing.name === name) ?? null;
}

/** The same table with one cost multiplied (and rounded), for sensitivity runs. */
export function scaled(timing: Timing, event: EventKind, factor: number): Timing {
  return { ...timing, name: `${timing.name} ${event} x${factor}`, costs: { ...timing.costs, [event]: Math.round(timing.costs[event] * factor) } };
}

/** Position of an event's counter. */
export function eventIndex(event: EventKind): number {
  return EVENTS.indexOf(event);
}
