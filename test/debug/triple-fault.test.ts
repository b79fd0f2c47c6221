// The story of a triple fault names the three exceptions, what was looked at for each, and who called.

import { describe, expect, it } from 'vitest';
import { tripleFaultStory } from '../../src/debug/triple-fault.ts';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { Program } from '../cpu/program.ts';
import { debugKernel } from './kernel.ts';

const NONE = new SymbolTable(null);
const storyOf = (program: Program): string => tripleFaultStory(program.cpu, NONE).join('\n');

describe('triple fault', () => {
  it('without an IDT is told with symbols, code and callers', () => {
    const { machine, debug } = debugKernel('triple');
    expect(machine.run(10_000_000, true)).toEqual({ kind: 'triple-fault' });
    const story = tripleFaultStory(machine.cpu, debug.symbols).join('\n');
    expect(story).toMatch(/^1\. #GP error 0x1a \(IDT vector 3\)\n   at 0008:[0-9a-f]{8} <finish\+0x[0-9a-f]+>/m);
    expect(story).toMatch(/^2\. #GP error 0x6b \(IDT vector 13, while delivering an event\), while delivering #GP$/m);
    expect(story).toMatch(/makes a double fault; delivering #DF:\n     IDT\[8\] lies beyond the limit 0x0 \(IDT at 00000000\)/);
    expect(story).toMatch(/^3\. #GP error 0x43 .*, while delivering #DF$/m);
    expect(story).toMatch(/^=> [0-9a-f]{8}  cc +int3$/m);
    expect(story).toMatch(/^backtrace:\n   #0 \w+ finish\+0x\w+\n   #1 \w+ main\+0x\w+\n   #2 \w+ _start\+0x\w+$/m);
  });

  it('of a page fault shows the walk, the gate and the stack', () => {
    const program = new Program().load('mov eax, [0xc0de0000]').paging();
    program.gate(14, 0x2000, 0, 0xe, 0x60);
    program.run();
    expect(program.cpu.shutDown).toBe(true);
    const story = storyOf(program);
    expect(story).toContain('1. #PF error 0x0 (supervisor read, page not present)\n   at 0008:00001000, stack 0010:00008000\n   cr2 c0de0000: PDE[771] at 00200c0c = 00000000 (not present)');
    expect(story).toContain('IDT[14] = 00008e00:00602000 32-bit interrupt gate, DPL 0, to 0060:00002000');
    expect(story).toContain('its selector 0060: GDT[12] = 00000000:00000000');
    expect(story).toContain('stack 0010:00008000, first push at linear 00007ffc: PDE[0]');
    expect(story).toMatch(/^2\. #GP error 0x61 \(selector 0060, while delivering an event\), while delivering #PF$/m);
    expect(story).toMatch(/^3\. #GP error 0x43 /m);
  });

  it('keeps both addresses of nested page faults', () => {
    const program = new Program().load('mov esp, 0xb0000000\nmov [0xa0000000], eax').paging();
    program.gate(14, 0x2000).gate(8, 0x2000);
    program.run();
    const story = storyOf(program);
    expect(story).toContain('1. #PF error 0x2 (supervisor write, page not present)');
    expect(story).toContain('cr2 a0000000: PDE[640]');
    expect(story).toMatch(/2\. #PF error 0x2 .*, while delivering #PF\n.*\n   cr2 affffffc: /);
    expect(story).toMatch(/3\. #PF error 0x2 .*, while delivering #DF\n/);
  });

  it('in ring 3 blames the stack of the TSS', () => {
    const program = new Program().load('ud2').paging().ring(3);
    program.gate(6, 0x2000);
    program.view.setUint32(0x604, 0xd0000000, true);
    program.run();
    expect(storyOf(program)).toContain('stack of ring 0 from the TSS 0010:d0000000, first push at linear cffffffc: PDE[831]');
  });
});
