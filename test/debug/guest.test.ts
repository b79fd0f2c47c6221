// The kernels seen from outside: what the monitor lists agrees with what the guest's own ps says, and VPTE walks with what
// the processor does.

import { beforeAll, describe, expect, it } from 'vitest';
import type { KernelView, Proc } from '../../src/debug/guest.ts';
import { Layout } from '../../src/debug/layout.ts';
import { Monitor } from '../../src/debug/monitor.ts';
import { debugKernel } from './kernel.ts';
import { ownSystem, runTo } from './own.ts';
import type { Own } from './own.ts';

let own: Own;
let monitor: Monitor;
let host: KernelView;
let owner: Proc;
const say = (line: string): string[] => monitor.execute(line).trimEnd().split('\n');

beforeAll(() => {
  own = ownSystem('');
  runTo(own, 'vkernel# ');
  own.machine.receive(Buffer.from('ps | cat; cat\r'));
  own.machine.run(own.machine.cpu.instructions + 30_000_000, true);
  monitor = new Monitor(own.debug);
  host = own.debug.guest!;
  owner = host.processes().find(({ name }) => name === 'vkernel')!;
}, 180_000);

describe('processes', () => {
  it('are those of both kernels', () => {
    const lines = say('info processes');
    const vkernel = lines.indexOf('vkernel, process 2:');
    expect(lines[0]).toBe('host kernel:');
    expect(lines.slice(1, vkernel).map((line) => line.split(' ').at(-1))).toEqual(['name', 'kernel', 'init', 'vkernel']);
    expect(lines.slice(vkernel + 2).map((line) => line.split(' ').at(-1))).toEqual(expect.arrayContaining(['kernel', 'init', 'sh', 'cat']));
    expect(lines.filter((line) => line.includes('running'))).toHaveLength(2);
  });

  it('agree with ps in the guest', () => {
    const inner = host.virtualKernel(owner)!;
    const seen = new Map(inner.processes().map(({ pid, name }) => [pid, name]));
    const printed = [...own.text().matchAll(/^ *(\d+) .* (\S+)$/gm)].filter(([, pid]) => pid === '1' || pid === '2');
    expect(printed.map(([, , name]) => name)).toEqual(['init', 'sh']);
    for (const [, pid, name] of printed) expect([pid, seen.get(Number(pid))]).toEqual([pid, name]);
  });
});

describe('VM spaces', () => {
  it('are listed with the processes that live in them', () => {
    const lines = say('info vmspaces');
    expect(lines.slice(0, 2)).toEqual(['owner 2 (vkernel) of the host kernel:', '   id pages  refs lwp      root vpte process']);
    const rows = lines.slice(2).map((line) => /^ +(\d+) +(\d+) +(\d+) (\S+) +([0-9a-f]{8}) +(.*)$/.exec(line)!);
    expect(rows.map((row) => row[6])).toEqual(expect.arrayContaining(['1 init', '2 sh']));
    for (const row of rows) {
      expect(parseInt(row[5]!, 16) & 3).toBe(3);
      expect([row[3], row[4]]).toEqual(['0', '-']);
    }
  });

  it('are walked VPTE by VPTE, to the page that the page tables show', () => {
    const sh = host.spaces(owner).find(({ id }) => host.virtualKernel(owner)!.processOfSpace(id)?.name === 'sh')!;
    let mapped = 0;
    for (let va = 0x08048000; va < 0x08060000; va += 4096) {
      const pte = host.pageTableEntry(sh.vmspace, va);
      const walk = host.walk(sh.vmspace, va)!;
      if (!(pte & 1)) continue;
      mapped++;
      expect([va, walk.pa]).toEqual([va, (pte & 0xfffff000) >>> 0]);
      expect(walk.steps).toHaveLength(2);
    }
    expect(mapped).toBeGreaterThan(0);
    const lines = say(`info vpte ${sh.id} 0x8048000`);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['VM', 'root', 'level', 'level', 'result', 'hardware']);
    expect(lines[1]).toMatch(/^root {5}[0-9a-f]{8} {2}frame 0x[0-9a-f]+ {2}V RW$/);
    expect(lines[2]).toContain('(word 32 of page 0x');
    expect(lines[3]).toMatch(/^level 2 .*V U A .*\(word 72 of page/);
    const physical = /physical ([0-9a-f]{8})/;
    expect(physical.exec(lines[4]!)![1]).toBe(physical.exec(lines[5]!)![1]);
    expect(say(`info vpte 2.${sh.id} 0x8048000`)).toEqual(lines);
    expect(say(`info vpte ${sh.id} 0x70000000`).slice(-2)).toEqual(['result   fault: not valid at level 1', 'hardware PDE[448] = 00000000 not present: the next access faults']);
  });

  it('have one line for every mistake', () => {
    for (const [line, answer] of [
      ['info vpte', /expected the id of a VM space|an address is missing/], ['info vpte 99 0', /no VM space 99/], ['info vpte x 0', /x: expected the id/],
      ['info vpte 1 0xbfc00000', /no user address/], ['info vpte 1', /an address is missing/], ['info nonsense', /vmspaces or vpte/],
    ] as [string, RegExp][]) {
      expect(say(line)).toHaveLength(1);
      expect(say(line)[0]).toMatch(answer);
    }
    const other = new Monitor(debugKernel('off').debug);
    expect(other.execute('info vmspaces')).toBe("this is about Damselfly's own kernels, and another one runs\n");
  });
});

describe('a virtual kernel in a virtual kernel', () => {
  it('has spaces with names of their own', () => {
    const nested = ownSystem('exec=sysctl vm.vkernel_enable=1 && /boot/vkernel -m 32m -r /vroot.img');
    runTo(nested, 'vkernel# ');
    const asked = (line: string): string[] => new Monitor(nested.debug).execute(line).trimEnd().split('\n');
    expect(asked('info vmspaces').filter((line) => line.startsWith('owner'))).toEqual(['owner 2 (vkernel) of the host kernel:', 'owner 2 (vkernel) of the vkernel, process 2:']);
    expect(asked('info vpte 1 0x8048000')).toEqual(['VM space 1: 2.1 or 2.2.1?']);
    const [outer, inner] = ['2.1', '2.2.1'].map((name) => asked(`info vpte ${name} 0x8048000`));
    for (const lines of [outer!, inner!]) expect(lines.map((line) => line.split(' ')[0])).toEqual(['VM', 'root', 'level', 'level', 'result', 'hardware']);
    expect(inner).not.toEqual(outer);
    expect(asked('info vpte 3.2.1 0')).toEqual(['no VM space 3.2.1; info vmspaces lists them']);
  }, 180_000);
});

describe('a layout', () => {
  it('names the field that is missing', () => {
    const layout = new Layout('Proc size 8\nProc.pid 4 4\n');
    expect([layout.offset('Proc.pid'), layout.size('Proc'), layout.has('Proc.x')]).toEqual([4, 8, false]);
    expect(() => layout.offset('Proc.x')).toThrow('no Proc.x');
  });
});
