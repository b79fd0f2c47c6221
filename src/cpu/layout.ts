// The one WebAssembly.Memory of a CPU, address by address. Machine state, TLB, micro-op cache and guest RAM all live in
// it; engines, predecoder, debuggers and snapshots use the numbers of this file and no others. Everything is zero in a
// fresh memory, and zero always means "nothing here" (no TLB entry, no micro-ops), so set-up touches only what it needs.
//
//   0x0000_0100  registers, flags, control state          (CELLS below)
//   0x0000_0200  segment registers, 32 bytes each         (es cs ss ds fs gs ldtr tr, and one being examined)
//   0x0000_0400  x87 state
//   0x0000_1000  scratch micro-ops for single steps
//   0x0000_1700  cells of the observed engine             (semantics/notes.ts)
//   0x0000_1a00  event counters and their costs (timing.ts)
//   0x0001_0000  list of filled TLB slots
//   0x0003_0000  code TLB: {linear page | context, slot table} x 1024
//   0x0010_0000  notes of the observed engine
//   0x0100_0000  data TLB: supervisor read, write, user read, write; one word per page; then one empty pair
//   0x0280_0000  code granules: one bit per 64 bytes, 8 bytes per physical page
//   0x0300_0000  physical page attributes (one byte per page: 1 = device memory)
//   0x0310_0000  physical page -> first page descriptor of the micro-op cache
//   0x0350_0000  page descriptors
//   0x0360_0000  slot tables: page offset -> micro-op, 16 KiB each
//   0x0560_0000  micro-ops
//   0x0A00_0000  guest RAM

export const REG = 0x100;
export const SEG = 0x200;
export const SEG_BYTES = 32;
export const FPU = 0x400;
export const SCRATCH = 0x1000;
export const IDLE = 0x1400;               // the micro-op "between instructions": no length, nothing outstanding
export const SPLIT_BYTES = 0x1800;        // bytes of an instruction that straddles two pages
/** The observed engine: which notes it takes (1 jumps, 2 calls and returns), where the next one goes, and the CPL of the last. */
export const NOTE_MASK = 0x1700;
export const NOTE_AT = 0x1704;
export const NOTE_RING = 0x1708;
export const NOTES = 0x10_0000;
export const NOTES_END = 0x20_0000;
export const NOTE_BYTES = 32;
/**
 * A note: linear address, low word of the instruction count, ESP, how control came here | CPL << 4, low words of the cycles
 * that events have cost and of the number of TLB misses.
 */
export const NOTE = { la: 0, count: 4, esp: 8, how: 12, extra: 16, misses: 20 } as const;
export const NOTE_HOW = { jump: 0, call: 1, ret: 2, iret: 3 } as const;
export const EVENT_COUNTS = 0x1a00;       // one f64 for each event of timing.ts; like the instruction count, no reset clears them
export const EVENT_COSTS = 0x1c00;        // one i32 for each
export const EVENTS_END = 0x1d00;
export const TLB_LIST = 0x1_0000;
export const TLB_LIST_MAX = 0x4000;       // entries
export const CODE_TLB = 0x3_0000;
export const CODE_TLB_ENTRIES = 1024;
export const TLB_READ = 0x100_0000;
export const TLB_WRITE = 0x140_0000;
export const TLB_USER = 0x80_0000;        // distance from the supervisor to the user pair
export const TLB_NONE = 0x100_0000;       // distance to the pair that is never filled (alignment checks, data breakpoints)
export const GRANULES = 0x280_0000;
export const PAGE_ATTR = 0x300_0000;
export const PAGE_DIR = 0x310_0000;
export const PAGE_DESC = 0x350_0000;
export const PAGE_DESC_BYTES = 32;
export const SLOT_TABLES = 0x360_0000;
export const SLOT_TABLE_BYTES = 0x4000;
export const SLOT_TABLE_COUNT = 2048;
export const UOPS = 0x560_0000;
export const UOPS_END = 0xA00_0000;
export const RAM = 0xA00_0000;

/** Micro-op record: 32 bytes. One instruction is one or more records; `rem` and `off` are equal in all of them. */
export const UOP_BYTES = 32;
export const U = {
  op: 0,        // u16 handler number
  rem: 2,       // u8  instructions from this one to the end of its trace, itself included
  seg: 3,       // u8  segment register of the memory operand
  off: 4,       // u16 page offset of the instruction
  next: 6,      // u16 page offset of the following instruction (may exceed 4095)
  a: 8,         // u16 address of the destination register cell
  b: 10,        // u16 address of the source register cell
  imm: 12,      // i32
  base: 16,     // u16 address of the base register cell
  idx: 18,      // u16 address of the index register cell
  disp: 20,     // i32
  scale: 24,    // u8
  aux: 25,      // u8
  aux2: 26,     // u16
  link: 28,     // i32 branch target micro-op, 0 = not resolved
} as const;

/** Descriptor of the micro-ops of one physical page in one decoding mode. before: page that straddles into it, + 1. */
export const D = { next: 0, page: 4, mode: 8, slots: 12, chunks: 16, before: 20 } as const;

export type CellType = 'i32' | 'i64' | 'f64' | 'u8' | 'u16';

/** Named cells: [name, type, address]. The microcode sees them as variables, JavaScript through `CpuState`. */
export const CELLS: [string, CellType, number][] = [
  ['eax', 'i32', 0x100], ['ecx', 'i32', 0x104], ['edx', 'i32', 0x108], ['ebx', 'i32', 0x10c],
  ['esp', 'i32', 0x110], ['ebp', 'i32', 0x114], ['esi', 'i32', 0x118], ['edi', 'i32', 0x11c],
  ['zero', 'i32', 0x120],                 // always 0: the base or index that is absent
  ['tmp0', 'i32', 0x124], ['tmp1', 'i32', 0x128], ['tmp2', 'i32', 0x12c],
  ['ea', 'i32', 0x130],                   // linear address computed by the EA micro-ops
  ['rmwAt', 'i32', 0x134],                // where the operand of a read-modify-write lies in this memory, or BOUNCE
  ['rmwLa', 'i32', 0x138],                // its linear address
  ['eip', 'i32', 0x140], ['vbase', 'i32', 0x144],   // vbase: eip of offset 0 of the current code page
  ['fr', 'i32', 0x148], ['fx', 'i32', 0x14c],       // lazy flags, see semantics/flags.ts
  ['eflags', 'i32', 0x150],               // all flags but OF SF ZF AF PF CF
  ['cpl', 'i32', 0x154],
  ['tlb', 'i32', 0x158],                  // 0, TLB_USER or TLB_NONE
  ['ctx', 'i32', 0x15c],                  // code TLB context: generation << 5 | mode << 1 | user
  ['left', 'i32', 0x160],                 // instructions that may still start, after the current trace
  ['cur', 'i32', 0x164],                  // current micro-op when an out-of-line function runs
  ['icEnd', 'i64', 0x168],                // retired = icEnd - left - rem(cur)
  ['icLimit', 'i64', 0x170],              // run() stops here; events that cost cycles lower it
  ['extra', 'i64', EVENT_COUNTS - 8],     // cycles that events have cost
  ['irq', 'i32', 0x178], ['halted', 'i32', 0x17c], ['stopAsked', 'i32', 0x184],
  ['debug', 'i32', 0x180],                // what a debugger wants to hear of: DEBUG bits
  ['trapBits', 'i32', 0x188],             // DR6 bits of a #DB to take at the next boundary
  ['stopReason', 'i32', 0x18c], ['dead', 'i32', 0x1d0],   // dead: triple fault
  ['faultVector', 'i32', 0x190], ['faultError', 'i32', 0x194], ['faultHasError', 'i32', 0x198],
  ['delivering', 'i32', 0x19c], ['external', 'i32', 0x1a0],
  ['flatLimitU', 'i32', 0x1a4],           // user TLB entries exist only below this limit
  ['tlbCount', 'i32', 0x1a8], ['generation', 'i32', 0x1ac],
  ['codeHash', 'i32', 0x1e0],             // from ctx: spreads the contexts of one page over the code TLB
  ['ramBytes', 'i32', 0x1b0], ['mode', 'i32', 0x1b4], ['a20', 'i32', 0x1b8],
  ['stopOnFault', 'i32', 0x1bc],          // stop the run when a fault has been delivered
  ['bounce', 'i64', 0x1c0],               // operand buffer for read-modify-write of device memory and split pages
  ['faultAt', 'i64', 0x1e8], ['faultsInRow', 'i32', 0x1f0],   // faults since an instruction retired
  ['shadowAt', 'i64', 0x1d8],             // no interrupt at the boundary where this many instructions have retired
  ['stackShadowAt', 'i64', 0x1f8],        // nor a debug exception at this one
  ['tsc', 'i64', 0x1c8],                  // added to the instruction count by RDTSC
  ['gdtBase', 'i32', 0x340], ['gdtLimit', 'i32', 0x344], ['idtBase', 'i32', 0x348], ['idtLimit', 'i32', 0x34c],
  ['cr0', 'i32', 0x350], ['cr2', 'i32', 0x354], ['cr3', 'i32', 0x358], ['cr4', 'i32', 0x35c],
  ['dr0', 'i32', 0x360], ['dr1', 'i32', 0x364], ['dr2', 'i32', 0x368], ['dr3', 'i32', 0x36c],
  ['dr6', 'i32', 0x370], ['dr7', 'i32', 0x374],
  ['sysenterCs', 'i32', 0x378], ['sysenterEsp', 'i32', 0x37c], ['sysenterEip', 'i32', 0x380],
  // x87: eight physical registers of 16 bytes at FPU (u64 significand, u16 sign and exponent), then
  ['fpuControl', 'i32', 0x480], ['fpuStatus', 'i32', 0x484],
  ['fpuFull', 'i32', 0x488],              // one bit per physical register, 1 = not empty
  ['fpuIp', 'i32', 0x48c], ['fpuCs', 'i32', 0x490], ['fpuDp', 'i32', 0x494], ['fpuDs', 'i32', 0x498], ['fpuOp', 'i32', 0x49c],
  ['txBase', 'i32', 0x384], ['txLo', 'i32', 0x388], ['txHi', 'i32', 0x38c],   // descriptor being examined
  ['txSel', 'i32', 0x390], ['txAt', 'i32', 0x394],
  ['patLow', 'i32', 0x398], ['patHigh', 'i32', 0x39c],
];

/** Both halves of the page attribute table after a reset: write-back, write-through, uncached minus, uncached. */
export const POWER_ON_PAT = 0x00070406;

const byName = new Map(CELLS.map(([name, type, at]) => [name, { type, at }]));

/** Address of a named cell. */
export function cell(name: string): number {
  const found = byName.get(name);
  if (!found) throw new Error(`no state cell ${name}`);
  return found.at;
}

/** Segment register record: offsets inside SEG + n * SEG_BYTES. */
export const S = { sel: 0, base: 4, limit: 8, attr: 12, lo: 16, hi: 20, ok: 24 } as const;
export const SEG_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const;
export const [ES, CS, SS, DS, FS, GS, LDTR, TR] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Bits of the decoding mode: what the predecoder was allowed to assume. */
export const MODE = { code32: 1, stackFlat: 2, dataFlat: 4, extraFlat: 8 } as const;

/** Bits of the `debug` cell: interrupt deliveries, code breakpoints, data watchpoints, page walks. */
export const DEBUG = { interrupts: 1, code: 2, data: 4, walks: 8 } as const;

export const STOP = { budget: 1, halt: 2, shutdown: 3, stopped: 4 } as const;

/** The state declarations of the microcode, derived from the tables above. */
export function stateText(): string {
  const lines = CELLS.map(([name, type, at]) => `state ${name}: ${type} @ ${at};`);
  SEG_NAMES.forEach((name, i) => {
    for (const [field, offset] of Object.entries(S)) {
      lines.push(`state ${name}${field[0]!.toUpperCase()}${field.slice(1)}: i32 @ ${SEG + i * SEG_BYTES + offset};`);
    }
  });
  return lines.join('\n');
}
