// Puts one recorded vector on a CPU, runs its instruction with everything it causes, and compares the result.
// Three environments (format x86-oracle-1): user3 (CPL 3, flat and LDT segments, a few mapped arenas; a fault is delivered
// to a ring-0 stack and read back from the frame), sys (whole machine state), real (real mode).
import { Cpu } from './cpu.ts';
import type { EngineKind } from './engine.ts';
import * as L from './layout.ts';

export interface VectorHead {
  group: string; env: 'user3' | 'sys' | 'real';
  ldt?: [number, number][]; arenas?: [number, number, string, number][]; base?: [number, string][]; fill?: number;
}
export interface Vector {
  c: string; r: number[]; s?: number[]; m?: [number, string][]; R?: number[]; S?: number[]; M?: [number, string][]; Mx?: [number, string][];
  x?: [number, number, number?] | ['triple']; f?: (number | string)[]; F?: (number | string)[]; fe?: number[];
  u?: number; ur?: [number, number][]; um?: [number, number][]; uw?: number; t?: string; xf?: number;
  k?: number[]; K?: (number | string | number[])[]; d?: number[]; l?: number; gl?: number; il?: number; T?: number; rf?: number[];
}

/** Runs one vector: null, or what is wrong. */
export type VectorRunner = (v: Vector) => string | null;

const NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags'];
const RF = 0x10000;
const hex = (n: number) => `0x${(n >>> 0).toString(16)}`;
const noBus = {
  portRead: (_port: number, size: number) => (size === 1 ? 0xff : size === 2 ? 0xffff : 0xffffffff),
  portWrite: () => {}, mmioRead: () => 0xffffffff, mmioWrite: () => {}, acknowledge: () => 0,
};
const bytesOf = (text: string) => Buffer.from(text, 'hex');

/** Chooses the environment's runner. */
export function runnerFor(head: VectorHead, engine: EngineKind): VectorRunner {
  if (head.env === 'sys') return sysRunner(head, engine);
  if (head.env === 'real') return realRunner(head, engine);
  return userRunner(head, engine);
}

// ---- shared ----

/** Executes the instruction at CS:EIP; a REP string instruction to its end. True when something was delivered. */
function runOne(cpu: Cpu, code: Buffer): boolean {
  const s = cpu.state;
  const start = s.eip;
  const rep = repeats(code);
  for (let guard = 0; guard < 200_000; guard++) {
    const outcome = cpu.step();
    if (outcome !== 'retired') return true;
    if (!rep || s.eip !== start) return false;
  }
  return false;
}

function repeats(code: Buffer): boolean {
  let rep = false;
  for (const b of code) {
    if (b === 0xf2 || b === 0xf3) rep = true;
    else if ([0x66, 0x67, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0xf0].includes(b)) continue;
    else return rep && ((b >= 0x6c && b <= 0x6f) || (b >= 0xa4 && b <= 0xa7) || (b >= 0xaa && b <= 0xaf));
  }
  return false;
}

function expectedRegisters(v: Vector): number[] {
  const out = v.r.slice();
  for (let i = 0; v.R && i < v.R.length; i += 2) out[v.R[i] as number] = v.R[i + 1] as number;
  return out;
}

function compareRegisters(v: Vector, got: number[]): string | null {
  const want = expectedRegisters(v);
  const masks = new Array<number>(10).fill(0xffffffff);
  masks[9] = ~((v.u ?? 0) | RF);
  for (const [n, mask] of v.ur ?? []) masks[n]! &= ~mask;
  for (let n = 0; n < 10; n++) {
    if (((want[n]! ^ got[n]!) & masks[n]!) !== 0) return `${NAMES[n]} is ${hex(got[n]!)}, expected ${hex(want[n]!)}`;
  }
  return null;
}

function registersOf(cpu: Cpu): number[] {
  const s = cpu.state;
  return [s.eax, s.ecx, s.edx, s.ebx, s.esp, s.ebp, s.esi, s.edi, s.eip, s.eflags];
}

function setRegisters(cpu: Cpu, v: Vector): void {
  const s = cpu.state;
  for (let n = 0; n < 9; n++) s[NAMES[n]!] = v.r[n]!;
  s.eflags = v.r[9]!;
  s.halted = 0; s.trapBits = 0;
}

/** Descriptor words -> hidden part. */
function hidden(low: number, high: number): { base: number; limit: number; attr: number } {
  const limit = (low & 0xffff) | (high & 0xf0000);
  return {
    base: (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000),
    limit: high & 0x800000 ? (limit << 12) | 0xfff : limit,
    attr: (high >>> 8) & 0xf0ff,
  };
}

const firstDifference = (a: Uint8Array, b: Uint8Array): number => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
};

// ---- x87 state as the vectors show it ----

function setFpu(cpu: Cpu, f: (number | string)[]): void {
  const words = f.slice(3).map((p) => {
    const text = (p as string).padStart(20, '0');
    return { exponent: parseInt(text.slice(0, 4), 16), significand: BigInt(`0x${text.slice(4)}`) };
  });
  cpu.setFpu({ control: f[0] as number, status: f[1] as number, tag: f[2] as number, registers: words });
}

function compareFpu(cpu: Cpu, v: Vector): string | null {
  const want = v.f!.slice();
  for (let i = 0; v.F && i < v.F.length; i += 2) want[v.F[i] as number] = v.F[i + 1]!;
  const got = cpu.getFpu();
  const relaxed = v.t === 'trans';
  const swMask = ~(v.uw ?? 0) & (relaxed ? ~0x0232 : ~0) & 0xffff;
  if (((got.control ^ (want[0] as number)) & ~0x40 & 0xffff) !== 0) return `fcw is ${hex(got.control)}, expected ${hex(want[0] as number)}`;
  if (((got.status ^ (want[1] as number)) & swMask) !== 0) return `fsw is ${hex(got.status)}, expected ${hex(want[1] as number)}`;
  if (got.tag !== want[2]) return `tags are ${hex(got.tag)}, expected ${hex(want[2] as number)}`;
  for (let n = 0; n < 8; n++) {
    const text = (want[3 + n] as string).padStart(20, '0');
    const g = got.registers[n]!;
    const shown = g.exponent.toString(16).padStart(4, '0') + g.significand.toString(16).padStart(16, '0');
    if (shown === text) continue;
    if (relaxed && closeEnough(g, text)) continue;
    return `p${n} is ${shown}, expected ${text}`;
  }
  return null;
}

function closeEnough(got: { exponent: number; significand: bigint }, text: string): boolean {
  const exponent = parseInt(text.slice(0, 4), 16);
  if ((exponent & 0x7fff) === 0x7fff || (got.exponent & 0x8000) !== (exponent & 0x8000)) return false;
  const scale = (e: number, m: bigint) => m << BigInt(Math.min(4, Math.max(0, (e & 0x7fff) - ((exponent & 0x7fff) - 2))));
  const d = scale(got.exponent, got.significand) - scale(exponent, BigInt(`0x${text.slice(4)}`));
  return d <= 8n && d >= -8n && Math.abs((got.exponent & 0x7fff) - (exponent & 0x7fff)) <= 1;
}

// ---- env user3 ----

const USER_TABLES = 0x60_0000;        // physical; linear SUPER
const SUPER = 0xe123_0000;

function userRunner(head: VectorHead, engine: EngineKind): VectorRunner {
  const cpu = new Cpu({ ramBytes: 0x80_0000, bus: noBus, engine });
  const arenas = head.arenas!;
  const words = new Uint32Array(cpu.ram.buffer, cpu.ram.byteOffset, cpu.ramBytes >> 2);
  const selectors = buildUserTables(cpu, words, head);
  const pristine = arenas.map(([, size, , fill]) => new Uint8Array(size).fill(fill));
  const expected = pristine.map((p) => p.slice());
  return (v) => {
    const code = bytesOf(v.c);
    const seg = v.s ?? [0x2b, 0x23, 0x2b, 0x2b, 0, 0];
    const s = cpu.state;
    s.cpl = 3;
    for (let n = 0; n < 6; n++) cpu.state.setSegment(n, { sel: seg[n]!, ...(selectors.get(seg[n]! & 0xfffc) ?? { base: 0, limit: 0, attr: 0 }) });
    setRegisters(cpu, v);
    if (v.f) setFpu(cpu, v.f);
    const codeAt = (cpu.state.segment(1).base + v.r[8]!) >>> 0;
    arenas.forEach(([base, size], i) => {
      const ram = cpu.ram.subarray(base, base + size);
      ram.set(pristine[i]!);
      for (const [at, text] of v.m ?? []) place(ram, base, at, bytesOf(text));
      place(ram, base, codeAt, code);
      cpu.dmaWritten(base, size);
      expected[i]!.set(ram);
      for (const [at, text] of v.M ?? []) place(expected[i]!, base, at, bytesOf(text));
    });
    const delivered = runOne(cpu, code) || s.cpl === 0;
    const problem = delivered ? userFault(cpu, v, words) : userRetired(cpu, v, seg);
    if (problem) return problem;
    return compareArenas(cpu, v, arenas, expected);
  };
}

/** Copies the part of bytes that lies inside an arena. */
function place(arena: Uint8Array, base: number, at: number, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) {
    const o = at + i - base;
    if (o >= 0 && o < arena.length) arena[o] = bytes[i]!;
  }
}

function buildUserTables(cpu: Cpu, words: Uint32Array, head: VectorHead): Map<number, { base: number; limit: number; attr: number }> {
  const at = (page: number) => (USER_TABLES + page * 4096) >> 2;
  const linear = (page: number) => (SUPER + page * 4096) >>> 0;
  const map = (la: number, pa: number, bits: number) => {
    const pde = at(0) + (la >>> 22);
    if (words[pde] === 0) {
      map.next++;
      words[pde] = (USER_TABLES + map.next * 4096) | 7;
    }
    words[(words[pde]! >>> 12 << 10) + ((la >>> 12) & 1023)] = pa | bits;
  };
  map.next = 15;
  for (const [base, size, kind] of head.arenas!) {
    for (let p = base; p < base + size; p += 4096) map(p, p, kind === 'ro' ? 5 : 7);
  }
  for (let page = 1; page <= 8; page++) map(linear(page), USER_TABLES + page * 4096, 3);
  // page 1: GDT, LDT, TSS   2: IDT   3: handlers   4: stack
  const selectors = new Map<number, { base: number; limit: number; attr: number }>();
  const gdt = at(1);
  const put = (index: number, low: number, high: number) => { words[gdt + index * 2] = low; words[gdt + index * 2 + 1] = high; };
  put(4, 0x0000ffff, 0x00cffb00); put(5, 0x0000ffff, 0x00cff300);
  selectors.set(0x20, hidden(0x0000ffff, 0x00cffb00)); selectors.set(0x28, hidden(0x0000ffff, 0x00cff300));
  const own = linear(1) + 0x800;
  head.ldt!.forEach(([low, high], i) => {
    words[at(1) + 0x100 + i * 2] = low; words[at(1) + 0x100 + i * 2 + 1] = high;
    selectors.set(i * 8 + 4, hidden(low, high));
  });
  for (let n = 0; n < 256; n++) {
    const handler = linear(3) + n * 16;
    const dpl = n === 3 || n === 4 || n === 0x80 ? 0xee00 : 0x8e00;
    words[at(2) + n * 2] = (0x08 << 16) | (handler & 0xffff);
    words[at(2) + n * 2 + 1] = (handler & 0xffff0000) | dpl;
  }
  words[at(1) + 0x201] = linear(5); words[at(1) + 0x202] = 0x10; words[at(1) + 0x219] = 0x68_0000;
  const s = cpu.state;
  s.cr3 = USER_TABLES; s.cr0 = 0x80050033 | 0;
  s.gdtBase = linear(1); s.gdtLimit = 127;
  s.idtBase = linear(2); s.idtLimit = 0x7ff;
  cpu.state.setSegment(L.LDTR, { sel: 0x50, base: linear(1) + 0x400, limit: 191, attr: 0x82 });
  cpu.state.setSegment(L.TR, { sel: 0x58, base: own, limit: 0x67, attr: 0x8b });
  put(1, 0x0000ffff, 0x00cf9b00); put(2, 0x0000ffff, 0x00cf9300);
  return selectors;
}

function userFault(cpu: Cpu, v: Vector, words: Uint32Array): string | null {
  const s = cpu.state;
  const vector = ((s.eip - (SUPER + 3 * 4096)) >>> 0) >> 4;
  if (!v.x) return `unexpected exception ${vector}`;
  const frame = (USER_TABLES + 5 * 4096) >> 2;
  const hasError = [8, 10, 11, 12, 13, 14, 17].includes(vector);
  const size = hasError ? 6 : 5;
  const f = words.subarray(frame - size, frame);
  const error = hasError ? f[0]! : -1;
  const rest = hasError ? f.subarray(1) : f;
  if (vector !== v.x[0] || error !== v.x[1]) return `exception ${vector}(${error}), expected ${v.x[0]}(${v.x[1]})`;
  if (vector === 14 && (v.x[2]! >>> 0) !== s.cr2) return `cr2 is ${hex(s.cr2)}, expected ${hex(v.x[2]!)}`;
  const got = registersOf(cpu);
  got[8] = rest[0]!; got[9] = rest[2]!; got[4] = rest[3]!;
  const problem = compareRegisters(v, got);
  if (problem) return problem;
  const seg = v.S ?? v.s ?? [0x2b, 0x23, 0x2b, 0x2b, 0, 0];
  if ((rest[1]! & 0xffff) !== seg[1] || (rest[4]! & 0xffff) !== seg[2]) return 'wrong cs or ss in the frame';
  const other = [0, 3, 4, 5].find((n) => s.segment(n).sel !== seg[n]);
  if (other !== undefined) return `${L.SEG_NAMES[other]} is ${hex(s.segment(other).sel)}, expected ${hex(seg[other]!)}`;
  return v.f ? compareFpu(cpu, v) : null;
}

function userRetired(cpu: Cpu, v: Vector, seg: number[]): string | null {
  if (v.x) return `no exception, expected ${v.x[0]}(${v.x[1]})`;
  const problem = compareRegisters(v, registersOf(cpu));
  if (problem) return problem;
  const want = v.S ?? seg;
  for (let n = 0; n < 6; n++) {
    if (cpu.state.segment(n).sel !== want[n]) return `${L.SEG_NAMES[n]} is ${hex(cpu.state.segment(n).sel)}, expected ${hex(want[n]!)}`;
  }
  return v.f ? compareFpu(cpu, v) : null;
}

function compareArenas(cpu: Cpu, v: Vector, arenas: [number, number, string, number][], expected: Uint8Array[]): string | null {
  for (let i = 0; i < arenas.length; i++) {
    const [base, size] = arenas[i]!;
    const ram = cpu.ram.subarray(base, base + size);
    if (Buffer.compare(ram, expected[i]!) === 0) continue;
    for (const [at, length] of [...(v.um ?? []), ...(v.Mx ?? []).map(([a, t]): [number, number] => [a, t.length / 2])]) {
      for (let n = 0; n < length; n++) { const o = at + n - base; if (o >= 0 && o < size) expected[i]![o] = ram[o]!; }
    }
    const o = firstDifference(ram, expected[i]!);
    if (o < 0) continue;
    return `memory ${hex(base + o)} is ${hex(ram[o]!)}, expected ${hex(expected[i]![o]!)}`;
  }
  return null;
}

// ---- env sys ----

/** What the recording program had in CR3 while paging was off. */
const RECORDER_CR3 = 0xe0_0000;
const TSS_A = 0x4020;

function sysRunner(head: VectorHead, engine: EngineKind): VectorRunner {
  const cpu = new Cpu({ ramBytes: 0x100_0000, bus: noBus, engine });
  const background = new Uint8Array(0x11_0000);
  for (const [at, text] of head.base!) background.set(bytesOf(text), at);
  const expected = background.slice();
  return (v) => {
    cpu.reset();
    const compared = cpu.ram.subarray(0, expected.length);
    compared.set(background);
    for (const [at, text] of v.m ?? []) cpu.ram.set(bytesOf(text), at);
    cpu.dmaWritten(0, cpu.ramBytes);
    setSysState(cpu, v);
    // the recorder entered by a task switch from TSS A, whose image shows where TR changed
    compared.set(taskImage(v), TSS_A);
    expected.set(compared);
    if (v.T !== undefined) expected.fill(0, TSS_A, TSS_A + 0x40);
    for (const [at, text] of v.M ?? []) expected.set(bytesOf(text), at);
    const triple = (v.x as unknown[] | undefined)?.[0] === 'triple';
    // a transfer into unprepared memory (0xCC) was recorded up to the INT3 there
    if (!runOne(cpu, bytesOf(v.c)) && v.x && cpu.ram[linearPc(cpu)] === 0xcc) cpu.step();
    if (triple) return cpu.shutDown ? null : 'no shutdown';
    if (cpu.shutDown) return 'shutdown';
    return compareSys(cpu, v, compared, expected);
  };
}

const linearPc = (cpu: Cpu): number => {
  const at = cpu.translate(cpu.state.segment(L.CS).base + cpu.state.eip);
  return at ? at.pa : 0;
};

/** EIP, EFLAGS, registers and segments as a 32-bit TSS holds them from offset 0x20. */
function taskImage(v: Vector): Uint8Array {
  const words = new Uint32Array(16);
  words.set([v.r[8]!, v.r[9]!, ...v.r.slice(0, 8), ...v.s!]);
  return new Uint8Array(words.buffer);
}

function setSysState(cpu: Cpu, v: Vector): void {
  const s = cpu.state;
  const view = new DataView(cpu.ram.buffer, cpu.ram.byteOffset);
  const [cr0, cr2, cr3, cr4] = v.k as [number, number, number, number];
  s.cr3 = cr0 & 0x80000000 ? cr3 : RECORDER_CR3; s.cr4 = cr4; s.cr2 = cr2; s.cr0 = cr0 | 8;
  s.gdtBase = 0x2000; s.gdtLimit = v.gl ?? 0x3ff; s.idtBase = 0x1000; s.idtLimit = v.il ?? 0x7ff;
  const seg = v.s!;
  s.cpl = v.r[9]! & 0x20000 ? 3 : cr0 & 1 ? seg[1]! & 3 : 0;
  setRegisters(cpu, v);
  const load = (n: number, sel: number) => {
    if (n < 6 && (v.r[9]! & 0x20000 || !(cr0 & 1))) {
      cpu.state.setSegment(n, { sel, base: sel << 4, limit: 0xffff, attr: v.r[9]! & 0x20000 ? 0xf3 : 0x93 });
      return;
    }
    if (!(sel & 0xfffc)) { cpu.state.setSegment(n, { sel, base: 0, limit: 0, attr: 0 }); return; }
    const at = (sel & 4 ? 0x3000 : 0x2000) + (sel & 0xfff8);
    cpu.state.setSegment(n, { sel, ...hidden(view.getUint32(at, true), view.getUint32(at + 4, true)) });
  };
  load(L.LDTR, v.l ?? 0x28);
  load(L.TR, 0x40);
  for (let n = 0; n < 6; n++) load(n, seg[n]!);
  const d = v.d ?? [0, 0, 0, 0, 0x400];
  s.dr0 = d[0]!; s.dr1 = d[1]!; s.dr2 = d[2]!; s.dr3 = d[3]!; s.dr6 = 0xffff0ff0; s.dr7 = d[4]!;
  if (v.f) setFpu(cpu, v.f);
}

function compareSys(cpu: Cpu, v: Vector, ram: Uint8Array, expected: Uint8Array): string | null {
  const s = cpu.state;
  const problem = compareRegisters(v, registersOf(cpu));
  if (problem) return problem;
  const want = v.S ?? v.s!;
  for (let n = 0; n < 6; n++) {
    if (s.segment(n).sel !== want[n]) return `${L.SEG_NAMES[n]} is ${hex(s.segment(n).sel)}, expected ${hex(want[n]!)}`;
  }
  if (s.segment(L.TR).sel !== (v.T ?? 0x40)) return `tr is ${hex(s.segment(L.TR).sel)}, expected ${hex(v.T ?? 0x40)}`;
  return compareControl(cpu, v) ?? compareSysMemory(v, ram, expected) ?? (v.f ? compareFpu(cpu, v) : null);
}

function compareControl(cpu: Cpu, v: Vector): string | null {
  const s = cpu.state;
  const [cr0, cr2, , cr4] = v.k as [number, number, number, number];
  const want = new Map<number | string, number | number[]>([[2, cr2], [4, cr4], [6, 0], ['gdtr', [v.gl ?? 0x3ff, 0x2000]], ['idtr', [v.il ?? 0x7ff, 0x1000]]]);
  const tsMask = (v.K ?? []).some((k, i) => i % 2 === 0 && k === 0) ? ~0 : ~8;
  want.set(0, cr0);
  for (let i = 0; v.K && i < v.K.length; i += 2) want.set(v.K[i] as number | string, v.K[i + 1] as number | number[]);
  for (const [what, value] of want) {
    if (what === 'gdtr' || what === 'idtr') {
      const base = what === 'gdtr' ? s.gdtBase : s.idtBase, limit = what === 'gdtr' ? s.gdtLimit : s.idtLimit;
      const [l, b] = value as number[];
      if (limit !== l || base !== b) return `${what} is ${limit},${hex(base)}, expected ${l},${hex(b!)}`;
      continue;
    }
    const mask = what === 0 ? tsMask : what === 6 ? 0xe00f : ~0;
    const got = what === 6 ? s.dr6 : s[`cr${what}`];
    if (((got ^ (value as number)) & mask) !== 0) return `${what === 6 ? 'dr6' : `cr${what}`} is ${hex(got)}, expected ${hex(value as number)}`;
  }
  return null;
}

function compareSysMemory(v: Vector, ram: Uint8Array, expected: Uint8Array): string | null {
  if (Buffer.compare(ram, expected) === 0) return null;
  for (const [at, length] of v.um ?? []) for (let n = 0; n < length; n++) expected[at + n] = ram[at + n]!;
  for (const at of v.rf ?? []) expected[at] = (expected[at]! & ~1) | (ram[at]! & 1);
  const o = firstDifference(ram, expected);
  return o < 0 ? null : `memory ${hex(o)} is ${hex(ram[o]!)}, expected ${hex(expected[o]!)}`;
}

// ---- env real ----

function realRunner(head: VectorHead, engine: EngineKind): VectorRunner {
  const model = head.group === 'real-mode-286' ? '80286' : 'p6';
  const cpu = new Cpu({ ramBytes: 0x20_0000, bus: noBus, engine, model });
  const size = 0x10_fff0;
  const background = new Uint8Array(size).fill(head.fill ?? 0);
  if (head.fill !== undefined) {
    const view = new DataView(background.buffer);
    for (let n = 0; n < 256; n++) { view.setUint16(n * 4, 0x1000 + 16 * n, true); view.setUint16(n * 4 + 2, 0xf000, true); }
  }
  const expected = background.slice();
  cpu.reset();
  cpu.ram.set(background);
  return (v) => {
    const s = cpu.state;
    const ram = cpu.ram.subarray(0, size);
    for (const [at, text] of v.m ?? []) { place(ram, 0, at, bytesOf(text)); place(expected, 0, at, bytesOf(text)); }
    const code = bytesOf(v.c);
    place(ram, 0, v.s![1]! * 16 + v.r[8]!, code); place(expected, 0, v.s![1]! * 16 + v.r[8]!, code);
    for (const [at, text] of v.M ?? []) place(expected, 0, at, bytesOf(text));
    cpu.dmaWritten(0, size);
    setRegisters(cpu, v);
    for (let n = 0; n < 6; n++) cpu.state.setSegment(n, { sel: v.s![n]!, base: v.s![n]! << 4, limit: 0xffff, attr: 0x93 });
    runOne(cpu, code);
    const problem = compareReal(cpu, v, ram, expected);
    restoreReal(v, ram, expected, background, problem !== null);
    s.halted = 0;
    return problem;
  };
}

function compareReal(cpu: Cpu, v: Vector, ram: Uint8Array, expected: Uint8Array): string | null {
  const problem = compareRegisters(v, registersOf(cpu));
  if (problem) return problem;
  const want = v.S ?? v.s!;
  for (let n = 0; n < 6; n++) {
    if (cpu.state.segment(n).sel !== want[n]) return `${L.SEG_NAMES[n]} is ${hex(cpu.state.segment(n).sel)}, expected ${hex(want[n]!)}`;
  }
  if (Buffer.compare(ram, expected) === 0) return null;
  for (const [at, length] of v.um ?? []) for (let n = 0; n < length; n++) expected[at + n] = ram[at + n]!;
  if (v.xf !== undefined) {
    for (let i = 0; i < 2; i++) {
      const mask = ((v.u ?? 0) >> (8 * i)) & 0xff;
      expected[v.xf + i] = (expected[v.xf + i]! & ~mask) | (ram[v.xf + i]! & mask);
    }
  }
  const o = firstDifference(ram, expected);
  return o < 0 ? null : `memory ${hex(o)} is ${hex(ram[o]!)}, expected ${hex(expected[o]!)}`;
}

/** Puts the background back: the places a vector names, or everything after a failure. */
function restoreReal(v: Vector, ram: Uint8Array, expected: Uint8Array, background: Uint8Array, all: boolean): void {
  if (all) { ram.set(background); expected.set(background); return; }
  const back = (at: number, length: number) => {
    ram.set(background.subarray(at, at + length), at);
    expected.set(background.subarray(at, at + length), at);
  };
  for (const [at, text] of [...(v.m ?? []), ...(v.M ?? [])]) back(at, text.length / 2);
  for (const [at, length] of v.um ?? []) back(at, length);
  back(v.s![1]! * 16 + v.r[8]!, v.c.length / 2);
}
