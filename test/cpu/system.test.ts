// Rings, interrupts, faults, tasks, single steps: what a kernel lives on.
import { describe, expect, it } from 'vitest';
import { ENGINE_KINDS } from '../../src/cpu/engine.ts';
import { Program, CODE3, DATA3, DATA0, CODE0, STACK0, STACK3, GDT } from './program.ts';

describe('privilege and interrupts', () => {
  it('ring 3 -> int 0x80 -> ring 0 -> iret -> ring 3', () => {
    const p = new Program().load(`
      push 0x23
      push 0x9000
      push 0x202
      push 0x1b
      push offset user
      iretd
    user:
      mov eax, 20
      int 0x80
      mov ebx, eax
      int 0x81
      hlt
    syscall:
      mov esi, [esp+4]
      mov edi, [esp+12]
      mov edx, ss
      inc eax
      iretd
    stop: hlt`).gate(0x80, 'syscall', 3).gate(0x81, 'stop', 3);
    p.run();
    expect([p.state.ebx, p.state.esi & 0xffff, p.state.edi, p.state.edx]).toEqual([21, CODE3, STACK3, DATA0]);
    expect(p.state.cpl).toBe(0);
    expect(p.state.esp).toBe(STACK0 - 20);
  });

  it('IRETD to a 16-bit stack loads SP only: the upper half of ESP stays the inner level\'s, as on silicon', () => {
    const p = new Program();
    const stack = p.segment(7, 0, 0xffff, 0xf3, 0) | 3;
    p.load(`mov esp, 0x12340\n push ${stack}\n push 0x56789000\n push 2\n push 0x1b\n push offset user\n iretd\nuser: int 0x80\nh: mov eax, [esp+12]\n hlt`).gate(0x80, 'h', 3);
    p.run();
    expect(p.state.eax).toBe(0x19000);
  });

  it('INT n through a gate of lower DPL is #GP with the gate in the error code', () => {
    const p = new Program().load('int 0x30\nh: pop eax\n hlt').gate(13, 'h').gate(0x30, 'h').ring(3);
    p.run();
    expect(p.state.eax).toBe(0x30 * 8 + 2);
  });

  it('privileged instructions are #GP(0) in ring 3', () => {
    for (const text of ['hlt', 'cli', 'mov cr3, eax', 'lgdt [0x500]', 'in al, 0x20', 'clts', 'invlpg [0]']) {
      const p = new Program().load(`start: ${text}\n nop\nh: pop eax\n pop ebx\n hlt`).gate(13, 'h').ring(3);
      p.run();
      expect([text, p.state.eax, p.state.ebx]).toEqual([text, 0, p.label('start')]);
    }
  });

  it('CR4 takes no VME, PVI and PAE, which CPUID does not report', () => {
    for (const engine of ENGINE_KINDS) {
      for (const bit of [0, 1, 5]) {
        const p = new Program(engine).load(`mov eax, 1\n cpuid\n mov ecx, 0x90\n mov cr4, ecx\n mov ecx, ${1 << bit}\nat: mov cr4, ecx\n hlt\nh: pop ebx\n pop esi\n hlt`).gate(13, 'h');
        p.run();
        expect([p.state.edx & 0x42, p.state.ebx, p.state.esi, p.state.cr4]).toEqual([0, 0, p.label('at'), 0x90]);
      }
    }
  });

  it('takes a hardware interrupt at the exact boundary, not while IF is clear', () => {
    const p = new Program().load('nop\n nop\n nop\n sti\n nop\n nop\n hlt\nh: mov eax, [esp]\n hlt').gate(0x20, 'h');
    const start = p.cpu.instructions;
    p.cpu.run(start + 2);
    p.cpu.setIrq(true);
    p.run();
    // STI lets one more instruction run
    expect(p.state.eax).toBe(0x1000 + 5);
  });

  it('an interrupt may come before the first instruction of all: nothing stands before it that casts a shadow', () => {
    const p = new Program().load('nop\n hlt\nh: mov eax, [esp]\n hlt').gate(0x20, 'h');
    expect(p.cpu.instructions).toBe(0);
    p.state.eflags = 0x202;
    p.cpu.setIrq(true);
    p.run();
    expect(p.state.eax).toBe(0x1000);
  });

  it('an interrupt raised by a port write is taken right after it', () => {
    const p = new Program().load('sti\n nop\n out 0x80, al\nhere: inc ecx\n hlt\nh: mov eax, [esp]\n hlt').gate(0x20, 'h');
    p.onOutput = () => p.cpu.setIrq(true);
    p.run();
    expect([p.state.eax, p.state.ecx]).toEqual([p.label('here'), 0]);
  });

  it('STI; HLT wakes at an interrupt and returns behind the HLT', () => {
    const p = new Program().load('sti\n hlt\n mov ebx, 1\n cli\n hlt\nh: iretd').gate(0x20, 'h');
    p.run();
    expect(p.cpu.halted).toBe(true);
    p.cpu.setIrq(true);
    p.run();
    expect(p.state.ebx).toBe(1);
  });

  it('a task gate and a far jump switch tasks and back', () => {
    const p = new Program();
    const other = 0x700;
    const sel = p.segment(6, other, 0x67, 0x89, 0);
    p.load(`jmp ${sel}:0\n mov ebx, 7\n hlt\nother: mov eax, 42\n mov [0xa000], eax\n jmp 0x28:0`);
    p.view.setUint32(other + 0x20, p.label('other'), true);
    p.view.setUint32(other + 0x24, 2, true);
    p.view.setUint32(other + 0x38, 0x7000, true);
    for (const [at, s] of [[0x48, DATA0], [0x4c, CODE0], [0x50, DATA0], [0x54, DATA0]] as const) p.view.setUint32(other + at, s, true);
    p.run();
    expect([p.state.ebx, p.word(0xa000), p.state.esp]).toEqual([7, 42, STACK0]);
    expect(p.state.cr0 & 8).toBe(8);
  });

  it('the T bit of a TSS traps before the first instruction of the task, also when an interrupt switched to it', () => {
    const p = new Program();
    const other = 0x700;
    const sel = p.segment(6, other, 0x67, 0x89, 0);
    p.load('sti\n nop\n nop\n hlt\nother: inc ecx\n hlt\ntrap: mov edx, [esp]\n mov ebx, dr6\n hlt').gate(1, 'trap').gate(0x20, 0, 0, 5, sel);
    p.view.setUint32(other + 0x20, p.label('other'), true);
    p.view.setUint32(other + 0x24, 2, true);
    p.view.setUint32(other + 0x38, 0x7000, true);
    p.view.setUint16(other + 0x64, 1, true);
    for (const [at, s] of [[0x48, DATA0], [0x4c, CODE0], [0x50, DATA0], [0x54, DATA0]] as const) p.view.setUint32(other + at, s, true);
    p.cpu.setIrq(true);
    p.run();
    expect([p.state.edx, p.state.ecx, p.state.ebx & 0xf00f]).toEqual([p.label('other'), 0, 0x8000]);
  });

  it('x87 with CR0.TS is #NM, and repeats after CLTS', () => {
    const p = new Program().load('fninit\n mov ebx, 1\n hlt\nh: clts\n inc ecx\n iretd').gate(7, 'h');
    p.state.cr0 = p.state.cr0 | 8;
    p.run();
    expect([p.state.ebx, p.state.ecx]).toEqual([1, 1]);
  });

  it('TF traps after every instruction with DR6.BS', () => {
    const p = new Program().load('push 0x102\n popfd\n inc eax\n inc eax\n hlt\nh: inc ecx\n mov edx, dr6\n cmp ecx, 2\n jb out1\n and dword ptr [esp+8], 0xfffffeff\nout1: iretd').gate(1, 'h');
    p.run();
    expect([p.state.eax, p.state.ecx, p.state.edx & 0x4000]).toEqual([2, 2, 0x4000]);
  });

  it('a fault while delivering a fault is #DF, a third stops the processor', () => {
    const p = new Program().load('xor ecx, ecx\n div ecx\nh: pop eax\n hlt').gate(8, 'h');
    p.run();
    expect([p.state.eax, p.cpu.halted, p.cpu.shutDown]).toEqual([0, true, false]);
    const q = new Program().load('ud2');
    expect(q.cpu.run(q.cpu.instructions + 100)).toBe('shutdown');
    expect(q.cpu.shutDown).toBe(true);
  });

  it('loads segments with checks and marks descriptors accessed', () => {
    const p = new Program();
    const sel = p.segment(7, 0x40000, 0xf, 0x92, 0x4);
    p.load(`mov eax, ${sel}\n mov fs, eax\n mov ebx, fs:[0]\n mov ecx, fs:[12]\nbad: mov edx, fs:[13]\nh: pop eax\n pop esi\n hlt`).gate(13, 'h');
    p.view.setUint32(0x40000, 0x1234, true);
    p.run();
    expect([p.state.ebx, p.state.eax, p.state.esi]).toEqual([0x1234, 0, p.label('bad')]);
    expect(p.cpu.ram[GDT + 7 * 8 + 5]! & 1).toBe(1);
  });

  it('user segments that end below 4 GiB: pages above the limit are #GP, below #PF or fine', () => {
    const p = new Program().load('mov eax, [0x40000]\n mov ebx, 0xc0000000\nbad: mov eax, [ebx]\nh: pop eax\n pop ecx\n hlt').gate(13, 'h').paging();
    p.ring(3);
    for (const n of [0, 2, 3]) p.state.setSegment(n, { sel: DATA3, base: 0, limit: 0xbfffffff, attr: 0xc0f3 });
    p.view.setUint32(PAGES_FOR_HIGH, 0x201007, true);
    p.run();
    expect([p.state.eax, p.state.ecx]).toEqual([0, p.label('bad')]);
  });

  it('an expand-down or 16-bit stack wraps and checks as it should', () => {
    const p = new Program();
    const sel = p.segment(7, 0x50000, 0xffff, 0x92, 0);
    p.load(`mov eax, ${sel}\n mov ss, eax\n mov esp, 0x12340002\n push ax\n push ax\n mov ebx, esp\n mov ax, 0x10\n mov ss, eax\n mov esp, 0x8000\n hlt`);
    p.run();
    expect(p.state.ebx).toBe(0x1234fffe);
  });
});

const PAGES_FOR_HIGH = 0x20_0000 + 0xc00;
