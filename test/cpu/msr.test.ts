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

  const access = (number: number, values: readonly number[]) => new Program().load(`
      mov ecx, ${number}
      ${values.map((value) => `mov eax, ${value}\nmov edx, eax\nwrmsr`).join('\n')}
      rdmsr
      hlt
    h: pop ebx
      hlt`).gate(13, 'h');

  it('the local APIC stays where it is', () => {
    const p = access(0x1b, [0xfee00000]);
    p.run();
    expect([p.state.eax, p.state.edx]).toEqual([0xfee00900, 0]);
  });

  it('the page attribute table has its values after reset, and takes others', () => {
    for (const [values, expected] of [[[], 0x00070406], [[0x01000607], 0x01000607], [[0x04050607], 0x04050607]] as const) {
      const p = access(0x277, values);
      p.run();
      expect([p.state.eax, p.state.edx]).toEqual([expected, expected]);
    }
  });

  it.each([0x02000000, 0x0300, 0x08, 0x00400000, 0x80000001 - 1])('a memory type that does not exist (0x%i) is #GP', (value) => {
    const p = access(0x277, [value]);
    p.run();
    expect([p.state.ebx, p.state.patLow, p.state.patHigh]).toEqual([0, 0x00070406, 0x00070406]);
  });

  it('one that does not exist is #GP', () => {
    const p = new Program().load('mov ecx, 0x7777\nrdmsr\nh: pop eax\nmov ebx, 1\nhlt').gate(13, 'h');
    p.run();
    expect(p.state.ebx).toBe(1);
  });
});
