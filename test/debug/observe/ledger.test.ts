// The ledger adds up to the run, to the instruction and the cycle; its parts are those that the table says; observing changes
// nothing; and folded stacks count what a debugger counts that looks at every single instruction.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { P4 } from '../../../src/cpu/timing.ts';
import { readElf } from '../../../src/elf/read.ts';
import { Code, functionName } from '../../../src/debug/observe/code.ts';
import { foldedLines } from '../../../src/debug/observe/folded.ts';
import { ledgerText } from '../../../src/debug/observe/ledger.ts';
import type { LedgerTotals } from '../../../src/debug/observe/ledger.ts';
import { readLines } from '../../../src/debug/observe/lines.ts';
import { assignParts, PART_OF, PART_TEXT, PARTS } from '../../../src/debug/observe/parts.ts';
import { observed, ownSystem, world } from '../own.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const LIMIT = 2_000_000_000;
const COMMAND = 'exec=ls /bin | cat; cmp /bin/ls /bin/cat; time echo done';

/** The sources of both kernels, by folder. */
function kernelSources(): Map<string, string> {
  return new Map(['kern', 'host-kernel', 'vkernel'].map((folder) => [folder, readdirSync(join(ROOT, 'src', folder))
    .filter((name) => name.endsWith('.ts')).map((name) => readFileSync(join(ROOT, 'src', folder, name), 'latin1')).join('\n')]));
}

function expectToAddUp(totals: LedgerTotals): void {
  for (const unit of ['instructions', 'cycles'] as const) {
    for (const row of totals.rows) expect(PARTS.reduce((sum, part) => sum + row.parts[part][unit], 0), `${row.from} ${row.reason}`).toBe(row[unit]);
    const places = [...totals.rows, totals.programs.host, totals.programs.vmspace, totals.other];
    expect(places.reduce((sum, place) => sum + place[unit], 0)).toBe(totals.total[unit]);
  }
}

describe('the table of parts', () => {
  it('names functions of the kernels, and every rule holds for some code, unless its function is inlined everywhere', () => {
    const used = new Set<string>();
    const compiled = new Set([world().hostKernel, world().virtualKernel].flatMap((kernel) => readElf(kernel, true).symbols.map(({ name }) => name)));
    for (const kernel of [world().hostKernel, world().virtualKernel]) {
      assignParts(new Code(kernel), readLines(kernel), (path) => readFileSync(join(ROOT, path), 'latin1'), (rule) => used.add(rule));
    }
    expect(Object.keys(PART_OF).filter((rule) => !used.has(rule) && compiled.has(rule.split(':')[0]!))).toEqual([]);
    const sources = kernelSources();
    for (const name of new Set(Object.keys(PART_OF).map((rule) => rule.split(':')[0]!))) {
      const declared = [...sources].map(([folder, text]) => [folder, [...text.matchAll(new RegExp(`^(?:export )?function ${name}\\(`, 'gm'))].length] as const);
      expect([name, declared.some(([, count]) => count > 0)]).toEqual([name, true]);
      if (Object.hasOwn(PART_OF, name)) expect([name, declared.filter(([, count]) => count > 1)]).toEqual([name, []]);
    }
    expect(Object.keys(PART_TEXT).sort()).toEqual([...PARTS].sort());
  }, 120_000);
});

describe('the ledger', () => {
  it('adds up to the run, and the run is the same as without it', () => {
    const plain = ownSystem(COMMAND);
    expect(plain.machine.run(LIMIT, true).kind).not.toBe('limit');
    const own = observed(COMMAND, { ledger: true, paths: false });
    expect(own.machine.run(LIMIT, true).kind).not.toBe('limit');
    own.observer.finish();
    const totals = own.observer.ledger.totals();
    expectToAddUp(totals);
    expect(totals.total.instructions).toBe(own.machine.cpu.instructions);
    expect([own.machine.cpu.instructions, own.text()]).toEqual([plain.machine.cpu.instructions, plain.text()]);
    const row = totals.rows.find(({ reason, from }) => reason === 'system call' && from === 'vmspace')!;
    for (const part of PARTS) expect([part, row.parts[part].instructions > 0]).toEqual([part, true]);
    for (const part of PARTS) expect(PARTS.filter((other) => other !== part).reduce((sum, other) => sum + row.parts[other].instructions, 0)).not.toBe(row.instructions);
    expect(ledgerText(totals).at(-1)).toMatch(new RegExp(`^instructions: kernels .* = ${own.machine.cpu.instructions}$`));
  }, 180_000);

  it('adds up with a virtual kernel in a virtual kernel', () => {
    const own = observed("exec=sysctl vm.vkernel_enable=1 && /boot/vkernel -m 32m -r /vroot.img -e exec=ls", { ledger: true, paths: true });
    own.machine.run(LIMIT, true);
    own.observer.finish();
    const totals = own.observer.ledger.totals();
    expectToAddUp(totals);
    expect(totals.total.instructions).toBe(own.machine.cpu.instructions);
    const lines = [...foldedLines(own.observer.root)];
    for (const prefix of ['vkernel;vkernel;threadStart;goUser;', 'vkernel 2;ls;threadStart;goUser;syscall;', 'vmspace;ls;_start;']) expect([prefix, lines.some((line) => line.startsWith(prefix))]).toEqual([prefix, true]);
  }, 180_000);

  it('counts every reason as often as it happens', () => {
    const seen = { calls: 0, faults: 0, spaces: 0 };
    const own = observed(COMMAND, { ledger: true, paths: false });
    own.debug.listen({
      interrupt: (vector) => {
        const guest = own.debug.guest!;
        const inside = own.machine.cpu.state.cpl === 3 && guest.field(guest.curLwp(), 'Lwp.ve') !== 0;
        if (!inside) return;
        seen.spaces++;
        if (vector === 0x80) seen.calls++;
        if (vector === 14) seen.faults++;
      },
    });
    own.machine.run(LIMIT, true);
    own.observer.finish();
    const count = (...reasons: string[]) => own.observer.ledger.totals().rows.filter(({ reason, from }) => from === 'vmspace' && reasons.includes(reason)).reduce((sum, row) => sum + row.count, 0);
    expect([count('system call'), count('fault')]).toEqual([seen.calls, seen.faults]);
    expect(seen.calls).toBeGreaterThan(40);
    expect(count('system call', 'fault', 'trap', 'signal', 'timer', 'device')).toBeGreaterThanOrEqual(seen.spaces);
  }, 180_000);

  it('adds up in cycles', () => {
    const own = observed(COMMAND, { ledger: true, paths: false }, P4);
    own.machine.run(LIMIT, true);
    own.observer.finish();
    const totals = own.observer.ledger.totals();
    expectToAddUp(totals);
    expect(totals.total).toEqual({ instructions: own.machine.cpu.instructions, cycles: own.machine.cpu.cycles });
    const { parts } = totals.rows.find(({ reason, from }) => reason === 'fault' && from === 'vmspace')!;
    for (const part of ['entry', 'cr3', 'exit'] as const) expect(parts[part].cycles).toBeGreaterThan(parts[part].instructions * 3);
    expect(parts.frame.cycles).toBe(parts.frame.instructions);
  }, 180_000);
});

describe('folded stacks', () => {
  it('add up, and count for each function what stepping counts', () => {
    const command = 'native exec=ls /dev';
    const stepped = new Map<string, number>();
    const plain = ownSystem(command);
    const code = new Code(world().hostKernel);
    let before = 0;
    let name = '';
    const settle = (): void => {
      if (name) stepped.set(name, (stepped.get(name) ?? 0) + plain.machine.cpu.instructions - before);
      before = plain.machine.cpu.instructions;
    };
    plain.debug.listen({
      instruction: (la) => {
        settle();
        name = plain.machine.cpu.state.cpl === 0 ? functionName(code.functionOf(la)) : '';
      },
    });
    plain.machine.run(LIMIT, true);
    settle();
    const own = observed(command, { ledger: false, paths: true });
    own.machine.run(LIMIT, true);
    own.observer.finish();
    const lines = [...foldedLines(own.observer.root)];
    const counts = lines.map((line) => /^(.*) (\d+)$/.exec(line)!).map((match) => ({ path: match[1]!.split(';'), count: Number(match[2]) }));
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(own.machine.cpu.instructions);
    const folded = new Map<string, number>();
    for (const { path, count } of counts) if (path[0] === 'host kernel') folded.set(path.at(-1)!, (folded.get(path.at(-1)!) ?? 0) + count);
    expect([...folded].sort()).toEqual([...stepped].sort());
    expect(new Set(counts.map(({ path }) => path.join(';'))).size).toBe(lines.length);
    expect(lines.some((line) => line.startsWith('host;ls;_start;'))).toBe(true);
  }, 300_000);

  it('reach through both kernels', () => {
    const own = observed('exec=ls /bin', { ledger: false, paths: true });
    own.machine.run(LIMIT, true);
    own.observer.finish();
    const lines = [...foldedLines(own.observer.root)];
    for (const prefix of ['vmspace;ls;_start;startProgram;', 'vkernel;ls;threadStart;goUser;syscall;', 'host;vkernel;_start;vkernelBoot;', 'vkernel;helper;help;']) {
      expect([prefix, lines.some((line) => line.startsWith(prefix))]).toEqual([prefix, true]);
    }
    expect(lines.some((line) => /^host kernel;ls;trapEntry;hostTrap;(laneTrap;)?leaveSpace/.test(line))).toBe(true);
    expect(lines.filter((line) => line.includes('[unknown]'))).toEqual([]);
  }, 180_000);
});
