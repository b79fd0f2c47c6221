// Symbols of the host kernel: names by virtual and by load address, and nothing from files without symbols.

import { describe, expect, it } from 'vitest';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { buildWorld } from '../../src/image/world.ts';

describe('symbols', () => {
  it('name addresses where the kernel runs and where it is loaded', () => {
    const table = new SymbolTable(buildWorld().hostKernel);
    const at = table.address('syscall')!;
    expect(table.text(at)).toBe('syscall');
    expect(table.text(at + 3)).toBe('syscall+0x3');
    expect(table.text(at - 0xc0000000)).toBe('syscall');
    expect(table.find(0x1000)).toBeNull();
    expect(table.find(0xffffffff)).toBeNull();
    expect(table.address('no such symbol')).toBeNull();
  }, 180_000);

  it('are missing from other files', () => {
    for (const file of [null, new Uint8Array(0), new Uint8Array(100).fill(0x7f), Buffer.from('\x7fELF and nothing')]) {
      expect(new SymbolTable(file).text(0xc0100000)).toBe('');
    }
  });
});
