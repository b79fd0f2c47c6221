// Pairs of micro-ops do what their halves do one after the other: the same code runs freely, where traces have pairs, and one
// instruction at a time, where they have none. Memory operands are ordinary, straddle a page, are missing, lie in a page of
// code, or are the code itself, so that pairs also part on their slow paths; and branches find no link.
import { describe, expect, it } from 'vitest';
import { pairNames } from '../../src/cpu/semantics/pairs.ts';
import { P4 } from '../../src/cpu/timing.ts';
import { Program } from './program.ts';

/** An instruction for each half. */
const TEXTS: Record<string, string> = {
  push32r: 'push ebx', push32i: 'push 0x1234567', pop32r: 'pop edx', leave32: 'leave',
  mov32rmB: 'mov ebx, [esi+8]', mov32rmX: 'mov ebx, [esi+edi*4+8]', mov32mrB: 'mov [esi+8], ebx', mov32miB: 'mov dword ptr [esi+8], 0x89abcdef',
  mov8mrX: 'mov [esi+edi*4+9], bl', mov8miB: 'mov byte ptr [esi+9], 0x5a', movzx32_8rmB: 'movzx ebx, byte ptr [esi+9]', movzx32_8rmX: 'movzx ebx, byte ptr [esi+edi*4+9]',
  mov32rr: 'mov ebx, edx', mov32ri: 'mov ebx, 0x7fffffff', lea32B: 'lea ebx, [esi+77]', lea32X: 'lea ebx, [esi+edi*8+1]',
  inc32r: 'inc ebx', dec32r: 'dec ebx', add32ri: 'add ebx, 0x7ffffff0', add32rr: 'add ebx, edx', sub32ri: 'sub ebx, 0x1000', sub32rr: 'sub ebx, edx',
  xor32rr: 'xor ebx, edx', xor32rmX: 'xor ebx, [esi+edi*4+8]', add32rmB: 'add ebx, [esi+8]', and32ri: 'and ebx, 0xff00ff', shr32n: 'shr ebx, 3',
  jmp: 'jmp over', call: 'call over', callFar: 'call far', ret: 'ret', chain: 'join:',
  cmp32rr: 'cmp ebx, edx', cmp32ri: 'cmp ebx, 0x7fffffff', test32rr: 'test ebx, edx', cmp32rmB: 'cmp ebx, [esi+8]',
};
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];
const DATA = 0x40000, END = 0x41000, MISSING = 0x50_0000, ON_CODE = 0x1100, ITSELF = 0xffd;
const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags', 'cr2', 'cpl'];

function textOf(name: string): string {
  const [simple, branch] = name.split('+') as [string, string | undefined];
  const text = TEXTS[simple];
  if (text === undefined) throw new Error(`no instruction for ${simple}`);
  return branch ? `${text}\n j${CONDITIONS[Number(branch.slice(3))]} over` : text;
}

function prepare(p: Program, first: string, second: string, at: number, seed: number): void {
  p.cpu.ram.fill(0, 0x1000, 0x8000);
  p.cpu.ram.fill(0, DATA, END + 64);
  p.cpu.dmaWritten(0x1000, 0x7000);
  // `chain` ends a trace where another one begins: entered at \`join\` first
  const before = second === 'chain' ? 'mov ecx, 2\n jmp join' : 'mov ecx, 3';
  p.load(`
    ${before}
    again:
    ${textOf(first)}
    ${textOf(second)}
    lea ebx, [ebx+edx*2+1]
    over:
    ror edx, 7
    dec ecx
    jg again
    hlt`);
  p.load('far: ret', 0x3000);
  p.load('fault: hlt', 0x3100);
  p.gate(14, 'fault');
  for (let n = 0; n < 16; n++) p.view.setUint32(0x7f00 + n * 4, n % 2 ? 0x3000 : p.label('over'), true);
  for (let n = 0; n < 8; n++) p.view.setUint32(DATA + n * 4, seed * (n + 3), true);
  p.ring(0).paging();
  Object.assign(p.state, { halted: 0, eflags: 2, eip: 0x1000, cr2: 0, eax: 0, ecx: 0, ebx: seed, edx: (seed * 7) >>> 0, esi: at, edi: 2, esp: 0x7f00, ebp: 0x7f10 });
}

function outcome({ cpu, state }: Program, instructions: number, cycles: number): string[] {
  return [`${cpu.instructions - instructions} ${cpu.cycles - cycles}`, ...REGISTERS.map((name) => `${name} ${(state[name] as number).toString(16)}`),
    Buffer.from(cpu.ram.subarray(0x1000, 0x8000)).toString('base64'), Buffer.from(cpu.ram.subarray(DATA, END + 64)).toString('base64')];
}

/** As when the cache of micro-ops has no room for the target of a branch: it is looked up at the next boundary. */
function withoutLinks(p: Program): void {
  Reflect.get(p.cpu, 'predecoder').resolve = () => 0;
}

describe('pairs of micro-ops', () => {
  it.each(['ordinary', 'straddling', 'missing', 'code', 'itself', 'unlinked'])('do what their halves do: %s', (kind) => {
    const at = { ordinary: DATA, straddling: END - 10, missing: MISSING, code: ON_CODE, itself: ITSELF, unlinked: DATA }[kind]!;
    const memory = /m[ri]?[BX]|m[BX]|rm/;
    const [free, stepped] = [new Program('tier0', P4), new Program('tier0', P4)];
    if (kind === 'unlinked') for (const p of [free, stepped]) withoutLinks(p);
    for (const [first, second] of pairNames) {
      if (at !== DATA && !memory.test(first) && !memory.test(second)) continue;
      for (const seed of [0x7fff_ffff, 5]) {
        const results = [free, stepped].map((p) => {
          prepare(p, first, second, at, seed);
          const [start, cycles] = [p.cpu.instructions, p.cpu.cycles];
          if (p === free) p.run(60);
          else while (p.cpu.instructions < start + 60 && p.cpu.run(p.cpu.instructions + 1) === 'budget') continue;
          return [first, second, seed, ...outcome(p, start, cycles)];
        });
        expect(results[0]).toEqual(results[1]);
      }
    }
  }, 300_000);
});
