// Where the judging kernel, its cases and what they may reach lie; what a case and a result look like.
//
//   00000 IVT  00700 state on the way through real mode  00800 code of real mode  10000 low arena
//   100000 kernel  160000 descriptor tables, TSSs, inner stack  168000 their pristine copy  180000 page tables
//   200000 cases  400000 arena (code page, two pages of data, a page of stack)  600000 its pristine copy

export const KERNEL = 0x10_0000, SYSTEM = 0x16_0000, SYSTEM_PRISTINE = 0x16_8000, PAGE_TABLES = 0x18_0000;
export const CASES = 0x20_0000, ARENA = 0x40_0000, ARENA_PRISTINE = 0x60_0000, LOW_ARENA = 0x1_0000;
export const ARENA_BYTES = 0x4000, CODE_BYTES = 0x1000, CASE_BYTES = 512, MOST_CASES = 4000;
export const REAL_STATE = 0x700, REAL_CODE = 0x800;

/**
 * Offsets in a case. frame: eip cs eflags esp ss es ds fs gs; registers: edi esi ebp ebx edx ecx eax; codeAt and stackAt
 * (where IRET finds its frame at CPL 0) are physical; cr3 is fixed.
 */
export const CASE = { frame: 0, registers: 40, kind: 68, codeAt: 72, codeBytes: 76, code: 80, stackAt: 176, cr0: 180, cr4: 184, dr0: 188, dr7: 204, fpu: 256 } as const;
export const CASE_CODE_BYTES = 80;
/** Bits of `kind`. tasks: exceptions go through task gates, as they must when CPL 0 has stacks of its own. */
export const KIND = { real: 1, ring0: 2, low: 4, tasks: 8, paged: 16 } as const;

/** Words of a result. w: the top of the inner stack, for a case that ends at CPL 0 having come from outside. */
export const RESULT_NAMES = ['edi', 'esi', 'ebp', 'esp', 'ebx', 'edx', 'ecx', 'eax', 'es', 'cs', 'ss', 'ds', 'fs', 'gs', 'eip', 'eflags', 'vector', 'error',
  'ldtr', 'tr', 'cr0', 'cr2', 'cr3', 'cr4', 'dr6', 'dr7', 'gdt', 'gdt2', 'idt', 'idt2', 'memory', 'tables',
  'w9', 'w8', 'w7', 'w6', 'w5', 'w4', 'w3', 'w2', 'w1', 'w0'] as const;
export type ResultName = (typeof RESULT_NAMES)[number];
export const FPU_BYTES = 108;
export const RESULT_BYTES = RESULT_NAMES.length * 4 + FPU_BYTES;

// Selectors. Segments of a ring lie over the arena, 64 KiB each; `flat` ones are for code that paging holds.
export const CODE0 = 0x08, DATA0 = 0x10, CODE3 = 0x1b, DATA3 = 0x23;
export const TSS_A = 0x38, LOW_CODE = 0x40, LOW_DATA = 0x48, LDT_SELECTOR = 0x50, TSS_B = 0x58, TSS_16 = 0x60;
export const ringSelector = (ring: number, what: 'code32' | 'code16' | 'data32' | 'data16'): number =>
  0x80 + ring * 32 + ['code32', 'code16', 'data32', 'data16'].indexOf(what) * 8 + ring;
export const FIRST_ODD = 0x100, ODD_COUNT = 16, FIRST_GATE = 0x180, GATE_COUNT = 8, FIRST_VECTOR_TSS = 0x1c0;
export const VECTORS = 48, FIRST_ODD_VECTOR = 0x28;

/** Offsets in the system region. */
export const SYS = { gdt: 0, ldt: 0x400, tssB: 0x480, tss16: 0x500, tables: 0x540, tssA: 0x540, idtGates: 0x600, idtTasks: 0x780, vectorTss: 0x900, stack: 0x1d00, end: 0x2000 } as const;
export const GDT_BYTES = FIRST_VECTOR_TSS + VECTORS * 8;
export const TSS_BYTES = 0x68;
/** Vectors that push an error code. */
export const HAS_ERROR: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);
