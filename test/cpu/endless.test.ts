// Guests that never retire an instruction again: faults for ever must not keep run() from coming back.
import { describe, expect, it } from 'vitest';
import { ENGINE_KINDS } from '../../src/cpu/engine.ts';
import { CODE3, Program } from './program.ts';

describe.each(ENGINE_KINDS)('endless faults on %s', (engine) => {
  it('let time pass when a handler faults at its first instruction', () => {
    const p = new Program(engine).load('ud2\nh: ud2').gate(6, 'h').ring(3);
    p.view.setUint32(0x604, 0x9000_0000, true);      // a ring-0 stack that is everywhere
    expect(p.run(50)).toBe(50);
    expect(p.state.eip).toBe(p.label('h'));
  });

  it('let time pass when #AC is raised while #AC is delivered', () => {
    const p = new Program(engine).load('mov eax, [esp]\nh: hlt').gate(17, 'h', 3, 0xe, CODE3).ring(3);
    p.state.cr0 = 0x60040031;
    p.state.esp = 0x9001;
    p.state.eflags = 0x40002;
    expect(p.run(50)).toBe(50);
    expect(p.state.eip).toBe(0x1000);
  });
});
