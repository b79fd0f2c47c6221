// VM spaces through the embedding interface: found, read through their page tables, and no longer usable when the machine ran on.

import { beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/api/index.ts';
import { SYSTEM_MEMORY } from '../../src/api/system.ts';
import { readElf } from '../../src/elf/read.ts';
import { world } from '../debug/own.ts';
import { assembled } from './kernels.ts';

describe('spaces', () => {
  let machine: Machine;
  const shell = () => machine.spaces().find(({ process }) => process?.name === 'sh')!;

  beforeAll(async () => {
    const system = { ...world(), kernel: world().hostKernel };
    machine = await Machine.create({ memory: SYSTEM_MEMORY, kernel: system.kernel, disks: [system.rootImage.slice()], system });
    expect(machine.spaces()).toEqual([]);
    expect(await machine.run({ until: { serial: 'vkernel# ' } })).toMatchObject({ reason: 'match' });
  }, 60_000);

  it('lists one for each process of the virtual kernel', () => {
    const names = machine.spaces().map(({ process }) => process?.name).filter(Boolean);
    expect(names).toEqual(expect.arrayContaining(['init', 'sh']));
    expect(machine.spaces().every(({ level, owner }) => level === 0 && owner > 1)).toBe(true);
  });

  it('finds one by its id, and by its owner', () => {
    const { id, owner } = shell();
    expect(machine.space(id)?.process).toEqual(shell().process);
    expect(machine.space(id, owner)).not.toBeNull();
    expect(machine.space(id, owner + 1)).toBeNull();
    expect(machine.space(0x7fffffff)).toBeNull();
  });

  it('reads the memory of its process', () => {
    const text = readElf(world().programs.get('sh')!, false).segments.find(({ type }) => type === 1)!;
    const file = world().programs.get('sh')!.slice(text.offset, text.offset + 64);
    expect(shell().read(text.vaddr, 64)).toEqual(new Uint8Array(file));
    const pa = shell().translate(text.vaddr)!;
    expect(machine.read(pa, 64)).toEqual(new Uint8Array(file));
    const walk = shell().walk(text.vaddr)!;
    expect(walk.physical).toBe(pa);
    expect(walk.root).not.toBeNull();
    expect(walk.steps.length).toBeGreaterThan(0);
  });

  it('has nothing where nothing is mapped', () => {
    expect(shell().translate(0)).toBeNull();
    expect(shell().read(0xff0, 32)).toBeNull();
    expect(shell().walk(0)).toMatchObject({ page: null, physical: null });
    expect(shell().walk(0xffff_f000)).toBeNull();
  });

  it('is of one moment', async () => {
    const before = shell();
    await machine.run({ maxInsns: 1000 });
    expect(() => before.read(0, 1)).toThrow('the machine has run on');
    expect(() => before.walk(0)).toThrow('the machine has run on');
  });

  it('is refused where the system is not known', async () => {
    const other = await Machine.create({ kernel: assembled('hlt') });
    expect(() => other.space(1)).toThrow('created without `system`');
  });
});
