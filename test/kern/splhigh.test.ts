// Functions of the kernel that say "At splhigh." are entered only with interrupts off: each entry is looked at, while the guest programs
// run that do most with threads, signals and timers.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { Machine } from '../../src/pc/machine.ts';
import { compiled, HOST_KERNEL, rootOf } from './roots.ts';

const SOURCES = resolve(import.meta.dirname, '../../src/kern');
const PAGE = 0xfffff000;
const INTERRUPTS = 0x200;

/** Names of the functions whose docstring ends so. */
function promised(): string[] {
  const text = readdirSync(SOURCES).map((name) => readFileSync(join(SOURCES, name), 'utf8')).join('\n');
  return [...text.matchAll(/At splhigh\. \*\/\n(?:export )?function (\w+)/g)].map((match) => match[1]!);
}

it.each(['threads', 'events'])('%s', (program) => {
  const kernel = compiled(HOST_KERNEL);
  const symbols = new SymbolTable(kernel);
  const names = new Map(promised().map((name) => [symbols.address(name), name] as const).filter(([address]) => address !== null));
  const pages = new Set([...names.keys()].map((address) => (address! & PAGE) >>> 0));
  const machine = new Machine({ disks: [new MemoryDisk(rootOf(program).slice())] });
  machine.loadKernel(kernel, 'kernel', 'kernel');
  const entered = new Set<string>();
  const wrong = new Set<string>();
  machine.cpu.setHooks({
    breakpoint: (la) => {
      const name = names.get(la);
      if (name !== undefined) entered.add(name);
      if (name !== undefined && (machine.cpu.state.eflags & INTERRUPTS) !== 0) wrong.add(name);
      return pages.has((la & PAGE) >>> 0) ? 1 : 0;
    },
    breakpointPage: (la) => pages.has((la & PAGE) >>> 0),
  });
  expect(machine.run(2_000_000_000, true).kind).toBe('off');
  expect([...wrong]).toEqual([]);
  expect(entered.size).toBeGreaterThan(8);
}, 240_000);
