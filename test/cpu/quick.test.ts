// The quick ways of interrupts, IRETD and segment loads do what the long ways do. The same random programs run on random
// descriptor tables twice: once as they are and once with a debugger's hook that sends everything the long way.
import { describe, expect, it } from 'vitest';
import { SEG_NAMES, TR } from '../../src/cpu/layout.ts';
import { CODE3, GDT, IDT, Program, STACK0, TSS } from './program.ts';

const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags', 'cpl', 'cr2', 'mode', 'tlb', 'external'];

function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

type Random = (n: number) => number;

/** Descriptors that quick ways take, and some that differ from them in one respect. Selectors 0x40 to 0x90. */
const DESCRIPTORS: [base: number, limit: number, access: number, flags: number][] = [
  [0, 0xfffff, 0x93, 0xc], [0, 0xfffff, 0xf3, 0xc], [0, 0xfffff, 0x9b, 0xc], [0, 0xfffff, 0xfb, 0xc],
  [0, 0xfffff, 0xf2, 0xc],        // not accessed yet
  [0x100, 0xfffff, 0xf3, 0xc],    // a base
  [0, 0xffffe, 0xf3, 0xc],        // a limit
  [0, 0xfffff, 0xf1, 0xc],        // read-only
  [0, 0xfffff, 0x73, 0xc],        // not present
  [0, 0xfffff, 0xd3, 0xc],        // DPL 2
  [0, 0xfffff, 0x9f, 0xc],        // conforming code
];

const pick = <T>(r: Random, from: readonly T[]): T => from[r(from.length)]!;

/** A selector that mostly makes sense. */
function selector(r: Random): number {
  return pick(r, [0x23, 0x10, 0, 0x10 + r(4), 0x40 + r(4), 0x48 + r(4), 0x40 + 8 * r(DESCRIPTORS.length) + r(4), pick(r, [3, 0x44, 0x7fc])]);
}

function handlerText(r: Random): string {
  const lines: string[] = [];
  for (let n = r(4); n > 0; n--) lines.push(`mov eax, ${selector(r)}\n mov ${pick(r, ['ds', 'es', 'fs', 'gs'])}, eax`);
  if (r(3) === 0) lines.push(`xor dword ptr [esp+8], ${1 << r(22)}`);
  if (r(12) === 0) lines.push(`xor dword ptr [esp+4], ${1 << r(8)}`);
  if (r(12) === 0) lines.push(`xor dword ptr [esp+16], ${1 << r(8)}`);
  if (r(6) === 0) lines.push('int 0x82');
  if (r(10) === 0) lines.push(`pushfd\n xor dword ptr [esp], ${pick(r, [0x4000, 0x40000, 0x200000])}\n popfd`);
  return lines.join('\n');
}

function programText(r: Random): string {
  const body: string[] = [];
  for (let n = 3 + r(4); n > 0; n--) body.push(pick(r, ['int 0x80', 'int 0x81', 'ud2', 'mov eax, [0x500000]', 'int3', `mov eax, ${selector(r)}\n mov ${pick(r, ['ds', 'es', 'fs', 'gs'])}, eax`]));
  return `
  mov eax, 0x23
  mov ds, eax
  mov es, eax
  mov ecx, 4
again:
  ${body.join('\n')}
  dec ecx
  jne again
  int 0x83
first:
  ${handlerText(r)}
  iretd
second:
  ${handlerText(r)}
  iretd
inner:
  push ds
  pop es
  iretd
skipTwo:                     # UD2: two bytes on
  add dword ptr [esp], 2
  iretd
skipSix:                     # #PF from mov eax, [moffs]: five bytes on
  add esp, 4
  add dword ptr [esp], 5
  iretd
give:
  hlt`;
}

function make(seed: number): Program {
  const r = random(seed);
  const p = new Program('tier0').load(programText(r));
  DESCRIPTORS.forEach(([base, limit, access, flags], n) => p.segment(8 + n, base, limit, access, flags));
  p.gate(0x80, 'first', 3, pick(r, [0xe, 0xe, 0xf])).gate(0x81, 'second', pick(r, [3, 3, 0]), pick(r, [0xe, 0xf, 0x6]), pick(r, [8, 8, 8, 0x50, 0x90]));
  p.gate(0x82, 'inner', 3).gate(0x83, 'give', 3).gate(3, 'inner', 3).gate(6, 'skipTwo').gate(14, 'skipSix');
  for (const vector of [8, 10, 11, 12, 13]) p.gate(vector, 'give');
  p.paging();
  if (r(4) === 0) p.view.setUint32(TSS + 4, pick(r, [0x7000, 0x7010, 0x7ff4]), true);
  if (r(8) === 0) p.view.setUint16(TSS + 8, 0x40, true);
  if (r(8) === 0) p.setPte(7, 5);                        // the stack may not be written
  if (r(8) === 0) p.state.setSegment(TR, { ...p.state.segment(TR), limit: pick(r, [4, 8, 9]) });
  if (r(3) > 0) p.ring(3).state.eflags = 0x202;
  p.state.esp = p.state.cpl === 3 ? 0x9000 : STACK0 - 0x800;
  return p;
}

function outcome(p: Program): string[] {
  const { cpu, state } = p;
  return [
    `${cpu.instructions} ${cpu.shutDown} code class ${(state['ctx'] as number) & 31}`,
    ...REGISTERS.map((name) => `${name} ${(state[name] as number).toString(16)}`),
    ...SEG_NAMES.map((name, n) => `${name} ${JSON.stringify(state.segment(n))}`),
    `events ${cpu.events.snapshot().join()}`,
    `memory ${Buffer.from(cpu.ram.subarray(GDT, IDT)).toString('hex')} ${Buffer.from(cpu.ram.subarray(0x6000, 0x9000)).toString('base64')}`,
  ];
}

describe('quick ways', () => {
  it.each([...Array(4).keys()])('give what the long ways give (round %i)', (hundred) => {
    for (let seed = hundred * 100 + 1; seed <= hundred * 100 + 60; seed++) {
      const quick = make(seed), long = make(seed);
      long.cpu.setHooks({ interrupt: () => {} });
      for (const p of [quick, long]) p.run(3000);
      expect([seed, ...outcome(quick)]).toEqual([seed, ...outcome(long)]);
    }
  });

  it('take the stack of ring 0 from the TSS and save SS, ESP, EFLAGS, CS, EIP, and an error code', () => {
    const p = new Program().load('again: int 0x80\n mov eax, [0x500000]\n hlt\nsys: iretd\nstop: hlt').gate(0x80, 'sys', 3).gate(14, 'stop').paging().ring(3);
    p.run();
    const frame = [...Array(6).keys()].map((n) => p.word(p.state.esp + n * 4));
    expect([p.state.esp, ...frame]).toEqual([STACK0 - 24, 4, p.label('again') + 2, CODE3, 0x10002, 0x9000, 0x23]);
  });
});
