// What takes time besides instructions: the events that the engines count, and tables of what one of each costs.
//
//   cycles = instructions retired + sum over all events of (count x cost)
//
// The counts are exact and part of the machine's state: they are the same on every engine and however a run is sliced, and
// they are counted whatever the table says. `flat`, the default, charges nothing: one instruction, one cycle. `p4` is a
// 2.4 GHz Pentium 4 (Northwood, 2002), the kind of machine that the virtual kernel was first timed on. bench/README.md says
// how far to trust it.
//
// What the model leaves out: caches, branch prediction and the overlap of instructions (each costs one cycle), and the
// capacity of the TLB (a page misses once after each flush).

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

/**
 * A cost and what it rests on: `published`, a figure of the source itself; `derived`, computed from one, as the source says.
 */
export interface Cost {
  readonly event: EventKind;
  readonly cycles: number;
  readonly basis: 'published' | 'derived';
  readonly source: string;
}

const ADAMS = 'Adams & Agesen, ASPLOS 2006, nanobenchmarks, native Pentium 4 at 3.8 GHz';
const AGNER = 'A. Fog, Instruction tables, Pentium 4';
const INTEL = 'Intel 248966, IA-32 Optimization Reference Manual, appendix C, family 0F';
const TRAP = `${ADAMS}: divide error, handler and IRET are 889, divided 540 to 350`;
const SYSENTER = `${ADAMS}: a system call is 242, divided 140 to 100`;
const PORT = `${ADAMS}: IN is 3209, that is 844 ns at any clock`;
const AAGE = 'Aage, OSNews, July 2004, kept in the OSDev wiki, "Context Switching", Pentium 4 at 2.8 GHz';
const TORVALDS = 'L. Torvalds, linux-kernel, 26 September 2001, Pentium 4';
const LOKIER = 'linux-kernel, 11 February 2003, "i386 context switch very slow", Pentium 4';
const SERIAL = `serialising (Intel SDM vol. 3, "Serializing Instructions"), as CPUID is; ${AGNER}: CPUID, 200 to 500`;

/** The Pentium 4. */
export const P4_COSTS: readonly Cost[] = [
  { event: 'softwareInterrupt', cycles: 540, basis: 'derived', source: `as an exception; ${TRAP}` },
  { event: 'hardwareInterrupt', cycles: 540, basis: 'derived', source: `as an exception; ${TRAP}` },
  { event: 'exception', cycles: 540, basis: 'derived', source: TRAP },
  { event: 'interruptReturn', cycles: 350, basis: 'derived', source: TRAP },
  { event: 'fastCall', cycles: 140, basis: 'derived', source: SYSENTER },
  { event: 'fastReturn', cycles: 100, basis: 'derived', source: SYSENTER },
  { event: 'farTransfer', cycles: 34, basis: 'derived', source: `${AGNER}: MOV sr, r, 14; ${INTEL}: a refill of the pipeline, 20` },
  { event: 'taskSwitch', cycles: 380, basis: 'derived', source: `${SERIAL}; six segments at 14, as segmentLoad; ${INTEL}: 48 words read or written, 2 each` },
  { event: 'segmentLoad', cycles: 14, basis: 'published', source: `${AGNER}: MOV sr, r` },
  { event: 'tableLoad', cycles: 200, basis: 'derived', source: SERIAL },
  { event: 'directoryLoad', cycles: 345, basis: 'derived', source: `${AAGE}: another address space and three pages of it, 516; less three tlbMiss` },
  { event: 'controlLoad', cycles: 200, basis: 'derived', source: SERIAL },
  { event: 'tlbInvalidate', cycles: 200, basis: 'derived', source: SERIAL },
  { event: 'tlbMiss', cycles: 57, basis: 'derived', source: `${INTEL}: two loads from the second-level cache, 18 each, and 21 to begin and end the walk` },
  { event: 'pageMark', cycles: 104, basis: 'derived', source: `${TORVALDS}: a locked read-modify-write of a line that it owns` },
  { event: 'flagsLoad', cycles: 36, basis: 'published', source: `${AGNER}: CLI; STI and POPF are like it` },
  { event: 'portRead', cycles: 2027, basis: 'derived', source: PORT },
  { event: 'portWrite', cycles: 2027, basis: 'derived', source: PORT },
  { event: 'portString', cycles: 288, basis: 'derived', source: 'ATA-4, PIO mode 4: 120 ns for a word' },
  { event: 'deviceMemory', cycles: 2027, basis: 'derived', source: `as a port, over the same bus; ${PORT}` },
  { event: 'serialize', cycles: 200, basis: 'published', source: `${AGNER}: CPUID, 200 to 500` },
  { event: 'timeStamp', cycles: 80, basis: 'published', source: `${TORVALDS}, and ${AGNER}: RDTSC` },
  { event: 'modelRegister', cycles: 60, basis: 'published', source: `${LOKIER}: WRMSR, 60 and more` },
  { event: 'divide', cycles: 55, basis: 'published', source: `${INTEL}: DIV r32, latency 56 to 70` },
  { event: 'x87Divide', cycles: 42, basis: 'published', source: `${INTEL}: FDIV and FSQRT, extended precision, latency 43` },
  { event: 'x87Function', cycles: 170, basis: 'published', source: `${INTEL}: FSIN and FCOS, latency 160 to 180` },
  { event: 'fpuSave', cycles: 132, basis: 'published', source: `${AGNER}: FXSAVE` },
  { event: 'fpuRestore', cycles: 208, basis: 'published', source: `${AGNER}: FXRSTOR` },
];

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

/** A 2.4 GHz Pentium 4 with a 7,200 rpm ATA disk of 2007. */
export const P4: Timing = {
  name: 'p4',
  hertz: 2_400_000_000,
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
