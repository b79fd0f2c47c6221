// Model-specific registers that kernels of the P6 generation touch before they know what is there.
import { describe, expect, it } from 'vitest';
import { Program } from './program.ts';

describe('model-specific registers', () => {
  it.each([0x17, 0x2a, 0x8b])('0x%s reads as zero and ignores writes', (number) => {
    const p = new Program().load(`
      mov ecx, ${number}
      mov eax, 0x1234
      mov edx, eax
      wrmsr
      rdmsr
      hlt`);
    p.run();
    expect([p.state.eax, p.state.edx]).toEqual([0, 0]);
  });

  it('one that does not exist is #GP', () => {
    const p = new Program().load('mov ecx, 0x7777\nrdmsr\nh: pop eax\nmov ebx, 1\nhlt').gate(13, 'h');
    p.run();
    expect(p.state.ebx).toBe(1);
  });
});
