// The embedding interface: reasons and codes of run, the serial streams in both directions, several machines at once.

import { describe, expect, it } from 'vitest';
import { LoadError, Machine } from '../../src/api/index.ts';
import { assembled } from './kernels.ts';

const GREETING = `
  mov edx, 0x3f8
  mov al, 65
  out dx, al
  mov al, 66
  out dx, al`;
const ECHO = `
  mov edx, 0x3fd
wait:
  in al, dx
  test al, 1
  je wait
  mov edx, 0x3f8
  in al, dx
  inc al
  out dx, al`;
const EXIT = `
  mov eax, 3
  mov edx, 0xf4
  out dx, al`;
const FOREVER = `
again:
  jmp again`;

async function textOf(machine: Machine, port: 0 | 1 = 0): Promise<string> {
  machine.destroy();
  let text = '';
  for await (const chunk of machine.serial[port].readable) text += new TextDecoder().decode(chunk);
  return text;
}

describe('run', () => {
  it('ends with what the guest says to isa-debug-exit', async () => {
    const machine = await Machine.create({ kernel: assembled(GREETING + EXIT) });
    expect(await machine.run()).toMatchObject({ reason: 'exit', code: 7 });
    expect(await machine.run()).toMatchObject({ reason: 'exit', code: 7 });
    expect(await textOf(machine)).toBe('AB');
  });

  it('matches text once, and goes on behind it', async () => {
    const machine = await Machine.create({ kernel: assembled(GREETING + FOREVER) });
    expect(await machine.run({ until: { serial: /A/ } })).toMatchObject({ reason: 'match', code: 0 });
    expect(await machine.run({ until: { serial: 'B' } })).toMatchObject({ reason: 'match' });
    expect(await machine.run({ until: { serial: /[AB]/g }, maxInsns: 10_000 })).toMatchObject({ reason: 'limit', code: 124 });
  });

  it('executes exactly the instructions that it may', async () => {
    const machine = await Machine.create({ kernel: assembled(FOREVER) });
    expect(await machine.run({ maxInsns: 1000 })).toMatchObject({ reason: 'limit', insns: 1000 });
    expect(await machine.run({ maxInsns: 234 })).toMatchObject({ insns: 1234 });
    expect(machine.instructions).toBe(1234);
  });

  it('tells a halt with interrupts off from a triple fault', async () => {
    expect(await (await Machine.create({ kernel: assembled('cli\nhlt') })).run()).toMatchObject({ reason: 'halt', code: 10 });
    expect(await (await Machine.create({ kernel: assembled('xor esp, esp\nud2') })).run()).toMatchObject({ reason: 'triple-fault', code: 6 });
  });

  it('is refused after destroy', async () => {
    const machine = await Machine.create({ kernel: assembled(FOREVER) });
    machine.destroy();
    await expect(machine.run()).rejects.toThrow('destroyed');
  });
});

describe('serial', () => {
  it('passes bytes in both directions', async () => {
    const machine = await Machine.create({ kernel: assembled(ECHO + EXIT) });
    expect(await machine.run({ maxInsns: 5000 })).toMatchObject({ reason: 'limit' });
    await machine.serial[0].writable.getWriter().write(Uint8Array.of(70));
    expect(await machine.run()).toMatchObject({ reason: 'exit' });
    expect(await textOf(machine)).toBe('G');
  });
});

describe('create', () => {
  it('refuses what cannot be loaded, with the reason', async () => {
    await expect(Machine.create({ kernel: new Uint8Array(100) })).rejects.toThrow(LoadError);
    await expect(Machine.create({ kernel: assembled(EXIT), memory: 12345 })).rejects.toThrow(/memory: 12345; expected a multiple of/);
  });

  it('makes machines that do not know of each other', async () => {
    const two = await Promise.all([GREETING + EXIT, ECHO + EXIT].map((text) => Machine.create({ kernel: assembled(text) })));
    const runs = await Promise.all(two.map((machine) => machine.run({ maxInsns: 3000 })));
    expect(runs.map(({ reason }) => reason)).toEqual(['exit', 'limit']);
    expect(await textOf(two[0]!)).toBe('AB');
    expect(await textOf(two[1]!)).toBe('');
  });
});

describe('memory', () => {
  it('reads physical addresses, and none outside', async () => {
    const machine = await Machine.create({ kernel: assembled(FOREVER), memory: 16 << 20 });
    expect(machine.read(0x100000, 4)).toHaveLength(4);
    expect(() => machine.read((16 << 20) - 2, 4)).toThrow(RangeError);
  });
});
