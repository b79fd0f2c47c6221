// Instruction counting: exact, independent of how a run is sliced, and visible to devices at the right moment.
import { describe, expect, it } from 'vitest';
import { Program } from './program.ts';

const FIB = `
  push 14
  call fib
  hlt
fib:
  mov eax, [esp+4]
  cmp eax, 2
  jb done
  push ebx
  push eax
  dec eax
  push eax
  call fib
  add esp, 4
  mov ebx, eax
  pop eax
  sub eax, 2
  push eax
  call fib
  add esp, 4
  add eax, ebx
  pop ebx
done:
  ret`;

const MIXED = `
  mov ecx, 300
  mov edx, 0xa000
  cld
again:
  mov eax, ecx
  imul eax, eax, 7
  mov [edx+ecx*4], eax
  add ebx, [edx+ecx*4]
  test cl, 3
  jne skip
  call mixin
skip:
  push ecx
  mov edi, 0xb000
  and ecx, 31
  rep stosd
  pop ecx
  adc ebx, ecx
  sub ecx, 1
  jne again
  hlt
mixin:
  push ecx
  xor ebx, [esp]
  rol ebx, 5
  pop ecx
  ret`;

describe('instruction counting', () => {
  it('counts every retired instruction', () => {
    const p = new Program().load('mov ecx, 10\n xor eax, eax\nl: add eax, ecx\n dec ecx\n jnz l\n hlt');
    expect(p.run()).toBe(2 + 30 + 1);
    expect(p.state.eax).toBe(55);
  });

  it('computes fib through calls and returns', () => {
    const p = new Program().load(FIB);
    p.run();
    expect(p.state.eax).toBe(377);
  });

  it.each([['fib', FIB], ['mixed', MIXED]])('gives the same result however a run is sliced: %s', (_name, text) => {
    const whole = new Program().load(text);
    const total = whole.run();
    let seed = 12345;
    const sliced = new Program().load(text);
    const start = sliced.cpu.instructions;
    for (;;) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const want = sliced.cpu.instructions + 1 + (seed >>> 16) % 17;
      const reason = sliced.cpu.run(want);
      if (reason === 'halt') break;
      expect(sliced.cpu.instructions).toBe(want);
    }
    expect(sliced.cpu.instructions - start).toBe(total);
    for (const r of ['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'esp', 'eip', 'eflags']) expect([r, sliced.state[r]]).toEqual([r, whole.state[r]]);
    expect(Buffer.compare(sliced.cpu.ram, whole.cpu.ram)).toBe(0);
  });

  it('counts each iteration of a REP string instruction, and at least one', () => {
    const p = new Program().load('cld\n mov edi, 0x9000\n mov ecx, 100\n mov al, 7\n rep stosb\n rep stosb\n hlt');
    expect(p.run()).toBe(4 + 100 + 1 + 1);
    expect(p.cpu.ram[0x9063]).toBe(7);
  });

  it('does not count an instruction that faults', () => {
    const p = new Program().load('xor ecx, ecx\n div ecx\n nop\nhandler: hlt').gate(0, 0);
    p.gate(0, 'handler');
    expect(p.run()).toBe(2);
  });

  it('shows devices the count before their instruction, and stops at a limit they lower', () => {
    const p = new Program().load('nop\n nop\n out 0x80, al\n nop\n nop\n nop\n nop\n hlt');
    p.onOutput = (e) => p.cpu.limit(e.at + 3);
    const start = p.cpu.instructions;
    expect(p.cpu.run(start + 1000)).toBe('budget');
    expect(p.outputs[0]!.at - start).toBe(2);
    expect(p.cpu.instructions - start).toBe(5);
  });

  it('stops at the next boundary when a device asks', () => {
    const p = new Program().load('out 0x80, al\n inc eax\n inc eax\n hlt');
    p.onOutput = () => p.cpu.stop();
    expect(p.cpu.run(p.cpu.instructions + 100)).toBe('stopped');
    expect(p.state.eax).toBe(0);
  });

  it('stops in the middle of a trace after a device access in memory', () => {
    const p = new Program().load('mov [0xfee00000], eax\n inc eax\n inc eax\n hlt');
    p.onOutput = () => p.cpu.stop();
    const start = p.cpu.instructions;
    expect(p.cpu.run(start + 100)).toBe('stopped');
    expect([p.cpu.instructions - start, p.state.eax]).toEqual([1, 0]);
    expect(p.cpu.run(start + 100)).toBe('halt');
    expect(p.state.eax).toBe(2);
  });

  it('RDTSC counts instructions', () => {
    const p = new Program().load('rdtsc\n mov ebx, eax\n nop\n rdtsc\n sub eax, ebx\n hlt');
    p.run();
    expect(p.state.eax).toBe(3);
  });
});
