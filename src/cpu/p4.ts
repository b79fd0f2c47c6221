// What each event costs on a Pentium 4, and where that can be read. Every cost is a figure of a document named here, or is
// computed here from such figures, so that a figure stands once and the arithmetic is the program's. All documents were read
// for this table; bench/README.md prints it and says how far to trust it.
//
// A document says what an instruction takes; a cost is what it takes beyond the one cycle of every instruction. Of a latency
// and a reciprocal throughput the latency counts, since nothing overlaps in this model.

import type { EventKind } from './timing.ts';

/**
 * What a cost rests on: `published`, the document's figure for a Pentium 4; `derived`, computed from figures for a Pentium 4;
 * `nearest`, nothing was found for a Pentium 4, so the nearest figure there is.
 */
export type Basis = 'published' | 'derived' | 'nearest';

/** A document, and where it is found. */
export interface Document {
  readonly name: string;
  readonly title: string;
  readonly where: string;
}

export interface Cost {
  readonly event: EventKind;
  /** Cycles beyond the one cycle of the instruction, if there is one; a whole number. */
  readonly cycles: number;
  readonly basis: Basis;
  /** Names of the documents. */
  readonly documents: readonly string[];
  /** The figures as they were published, and what was done with them. */
  readonly how: string;
}

/** Cycles per second of the processor that the table is for: a Northwood, family 15, model 2. */
export const P4_HERTZ = 2_400_000_000;

export const DOCUMENTS: readonly Document[] = [
  {
    name: 'InstLat',
    title: 'InstLatX64: instruction latencies measured by Everest (Lavalys, 2009) on a Pentium 4 2.40 GHz, Northwood C1 (CPUID 0F27)',
    where: 'github.com/InstLatx64/InstLatx64, GenuineIntel/GenuineIntel0000F27_P4_Nortwood_InstLatX86.txt',
  },
  {
    name: 'MemLat',
    title: 'InstLatX64: read latencies of the same processor, table "Linear Read Latency"',
    where: 'the same, GenuineIntel/GenuineIntel0000F27_P4_Nortwood_MemLatX86.txt',
  },
  {
    name: 'Fog',
    title: 'A. Fog, Instruction tables, 7 December 2014, sheet "Intel Pentium 4" (model 2), pages 202-208',
    where: 'www.agner.org/optimize/instruction_tables.pdf; this edition in github.com/dimicuss/ITLibrary',
  },
  {
    name: 'Fog-E',
    title: 'the same, sheet "Intel Pentium 4 w. EM64T (Prescott)"',
    where: 'the same',
  },
  {
    name: 'Adams',
    title: 'K. Adams and O. Agesen, A Comparison of Software and Hardware Techniques for x86 Virtualization, ASPLOS 2006, sections 6 and 6.3 and the table on the last page, column "Native": Pentium 4 672 (Prescott), 3.8 GHz',
    where: 'doi.org/10.1145/1168857.1168860; iitd-plos.github.io/col718/ref/asplos235_adams.pdf',
  },
  {
    name: 'Torvalds',
    title: 'L. Torvalds, "Re: Intel P6 vs P7 system call performance", linux-kernel, 16 December 2002, with the program that measures',
    where: 'Message-ID Pine.LNX.4.44.0212162140500.1644-100000@home.transmeta.com',
  },
  {
    name: 'Aage',
    title: 'Aage, OSNews, July 2004, Pentium 4 at 2.8 GHz, kept in the OSDev wiki, "Context Switching"',
    where: 'wiki.osdev.org/Context_Switching',
  },
  {
    name: 'Bug 350',
    title: 'M. Bligh, "i386 context switch very slow compared to 2.4 due to wrmsr", quoted by J. Lokier, linux-kernel, 12 February 2003',
    where: 'Message-ID 20030212041848.GA9273@bjl1.jlokier.co.uk',
  },
  {
    name: 'ATA',
    title: 'ATA/ATAPI-6, PIO mode 4, cycle time; read in the table that Linux took from it',
    where: 'drivers/ata/libata-pata-timings.c',
  },
  {
    name: 'SDM',
    title: 'Intel, Software Developer\'s Manual, volume 3A, "Serializing Instructions"',
    where: 'xem.github.io/minix86/manual/intel-x86-and-64-manual-vol3, section 8.3',
  },
  {
    name: '80386',
    title: 'Intel, 80386 Programmer\'s Reference Manual, 1986, chapter 17, INT',
    where: 'nju-projectn.github.io/i386-manual/INT.htm',
  },
];

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length & 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** A figure at another clock, for what a bus takes and not the processor. */
const atP4 = (cycles: number, hertz: number): number => (cycles * P4_HERTZ) / hertz;

/** Cycles, as the documents have them. */
const LOCKED_ADD = 124, CPUID = 260, RDTSC = 80, DIV = 57, FDIV_EXTENDED = 43;
const PAGES_128 = 79, PAGES_64 = 19;
const MOV_SR = 24, POP_SR = 13, CLI = 35, STI = 43, POPF = 52, JMP_FAR = 118, FXSAVE = 132, FXRSTOR = 208;
const X87_FUNCTIONS = [165, 200, 242, 180, 207, 216, 230, 187, 212, 212];       // F2XM1 FYL2X FYL2XP1 FSIN FCOS FSINCOS FPTAN FPATAN FPREM FPREM1
const INT_E = 470, IRET_E = 325;
const SYSCALL_SYSRET = 242, IN = 3209, MOV_CR8 = 150;
const GETPPID_INT = 1761, GETPPID_SYSENTER = 641;
const ENTRY = 1348, SWITCH_AND_3_PAGES = 516;
const WRMSR = 60;
const PIO_4 = 120e-9;
const INT_386 = 99, TASK_GATE_386 = 309;

/** INT and IRET together: as much more than SYSENTER and SYSEXIT as one system call is by them than by those. */
const INT_IRET = GETPPID_INT - GETPPID_SYSENTER + SYSCALL_SYSRET;
const INT = (INT_IRET * INT_E) / (INT_E + IRET_E);
const TLB_MISS = PAGES_128 - PAGES_64;
const PORT = atP4(IN, 3_800_000_000);

/** A cost of an instruction, given what it takes. */
function instruction(event: EventKind, takes: number, basis: Basis, documents: readonly string[], how: string): Cost {
  return { event, cycles: Math.round(takes - 1), basis, documents, how };
}

/** A cost of something that is no instruction. */
function happening(event: EventKind, takes: number, basis: Basis, documents: readonly string[], how: string): Cost {
  return { event, cycles: Math.round(takes), basis, documents, how };
}

const SERIALISING = `serialising (SDM), as is CPUID, which takes ${CPUID} (InstLat)`;
const NOTHING = 'nothing found for a Pentium 4';
const BOTH = `INT and IRET are ${INT_IRET}: getppid takes ${GETPPID_INT} by them and ${GETPPID_SYSENTER} by SYSENTER and SYSEXIT (Torvalds), and ${SYSCALL_SYSRET} is such a pair (Adams: SYSCALL and SYSRET); divided as ${INT_E} to ${IRET_E} (Fog-E)`;
const HALF = `half of ${SYSCALL_SYSRET}: a way in and out by SYSCALL and SYSRET`;
const READ = `IN from a chip on the board, ${IN} at 3.8 GHz, so ${Math.round(PORT)} here`;

/** In the order of EVENTS. */
export const P4_COSTS: readonly Cost[] = [
  instruction('softwareInterrupt', INT, 'derived', ['Torvalds', 'Adams', 'Fog-E'], BOTH),
  happening('hardwareInterrupt', ENTRY, 'published', ['Aage'], `the way from a program into the kernel by an interrupt, ${ENTRY}`),
  happening('exception', INT, 'derived', ['Adams', 'Fog-E'], `as INT: INT and IRET are ${INT_E} and ${IRET_E} of the 889 that a divide error, its handler and IRET take on a Prescott, and DIV is 76`),
  instruction('interruptReturn', INT_IRET - INT, 'derived', ['Torvalds', 'Adams', 'Fog-E'], BOTH),
  instruction('fastCall', SYSCALL_SYSRET / 2, 'derived', ['Adams'], HALF),
  instruction('fastReturn', SYSCALL_SYSRET / 2, 'derived', ['Adams'], HALF),
  instruction('farTransfer', JMP_FAR, 'published', ['Fog'], `JMP far, ${JMP_FAR}`),
  happening('taskSwitch', (INT * TASK_GATE_386) / INT_386, 'nearest', ['80386'], `${NOTHING}; on an 80386 an interrupt to an inner level takes ${INT_386}, one through a task gate ${TASK_GATE_386}: as many times an INT`),
  instruction('segmentLoad', (MOV_SR + POP_SR) / 2, 'derived', ['Fog'], `MOV sr in protected mode, ${MOV_SR}, and POP sr, ${POP_SR}: the kernels do as much of one as of the other`),
  instruction('tableLoad', CPUID, 'nearest', ['SDM', 'InstLat'], `${NOTHING}; ${SERIALISING}`),
  instruction('directoryLoad', SWITCH_AND_3_PAGES - 3 * TLB_MISS, 'derived', ['Aage', 'MemLat'], `another address space and three pages of it, ${SWITCH_AND_3_PAGES}; less three tlbMiss`),
  instruction('controlLoad', MOV_CR8, 'nearest', ['Adams'], `${NOTHING} on CR0 and CR4; MOV to CR8, ${MOV_CR8}`),
  instruction('tlbInvalidate', CPUID, 'nearest', ['SDM', 'InstLat'], `${NOTHING}; ${SERIALISING}`),
  happening('tlbMiss', TLB_MISS, 'derived', ['MemLat'], `a read in each of 128 pages in turn, ${PAGES_128}, less the same in 64 pages, which the TLB can hold, ${PAGES_64}; both in the second-level cache`),
  happening('pageMark', LOCKED_ADD, 'derived', ['InstLat'], `as LOCK ADD m32, r32, ${LOCKED_ADD}: a locked read and write of a line that is there`),
  instruction('flagsLoad', median([CLI, STI, POPF]), 'derived', ['Fog'], `the middle one of CLI ${CLI}, STI ${STI}, POPF ${POPF}`),
  instruction('portRead', PORT, 'derived', ['Adams'], READ),
  instruction('portWrite', PORT, 'derived', ['Adams', 'Fog'], `as IN; Fog has "over 1000" for both; ${READ}`),
  instruction('portString', PIO_4 * P4_HERTZ, 'derived', ['ATA'], '120 ns for a word'),
  happening('deviceMemory', PORT, 'nearest', ['Adams'], `${NOTHING}; as a port, over the same bus; ${READ}`),
  instruction('serialize', CPUID, 'published', ['InstLat'], `CPUID, ${CPUID}`),
  instruction('timeStamp', RDTSC, 'published', ['InstLat', 'Fog'], `RDTSC, ${RDTSC}`),
  instruction('modelRegister', WRMSR, 'published', ['Bug 350'], `WRMSR, "${WRMSR}+", so this is the least`),
  instruction('divide', DIV, 'published', ['InstLat'], `DIV r32 and IDIV r32, ${DIV}`),
  instruction('x87Divide', FDIV_EXTENDED, 'published', ['InstLat', 'Fog'], `FDIV and FSQRT in extended precision, ${FDIV_EXTENDED}`),
  instruction('x87Function', median(X87_FUNCTIONS), 'derived', ['Fog'], `the middle of ${X87_FUNCTIONS.length} latencies from F2XM1, ${Math.min(...X87_FUNCTIONS)}, to FYL2XP1, ${Math.max(...X87_FUNCTIONS)}`),
  instruction('fpuSave', FXSAVE, 'published', ['Fog'], `FXSAVE, ${FXSAVE}`),
  instruction('fpuRestore', FXRSTOR, 'published', ['Fog'], `FXRSTOR, ${FXRSTOR}`),
];
