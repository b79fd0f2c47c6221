// The log items: what they print, where they keep quiet, and that listening changes nothing the guest sees.

import { describe, expect, it } from 'vitest';
import { Log, LOG_ITEMS, parseLogItems, parseRanges } from '../../src/debug/log.ts';
import type { Range } from '../../src/debug/log.ts';
import { debugKernel } from './kernel.ts';

/** The log of the test kernel's triple fault. */
function logOf(items: string, ranges: readonly Range[] | null = null): { lines: string[]; instructions: number } {
  const { debug, machine } = debugKernel('triple');
  const lines: string[] = [];
  debug.listen(new Log(machine, debug.symbols, new Set(items.split(',')), ranges, (line) => lines.push(line)).listener());
  expect(debug.run(10_000_000, true)).toEqual({ kind: 'triple-fault' });
  return { lines, instructions: machine.cpu.instructions };
}

describe('-d', () => {
  it('changes nothing', () => {
    const plain = logOf('');
    expect(plain.lines).toEqual([]);
    for (const items of Object.keys(LOG_ITEMS)) expect(logOf(items).instructions).toBe(plain.instructions);
  });

  it('int prints every delivery', () => {
    const { lines } = logOf('int');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^ {5}0: v=03 e=0000 i=1 cpl=0 IP=0008:[0-9a-f]{8} pc=[0-9a-f]{8} SP=0010:[0-9a-f]{8} EAX=[0-9a-f]{8} INT 0x3, finish\+0x/);
    expect(lines[1]).toMatch(/^ {5}1: v=0d e=001a i=0 .* #GP, IDT vector 3, finish/);
    expect(lines[2]).toMatch(/^ {5}2: v=08 e=0000 i=0 .* #DF, finish/);
  });

  it('exec prints every block, in_asm each block once, cpu the registers', () => {
    const exec = logOf('exec').lines;
    expect(exec.slice(0, 2)).toEqual(['Trace 0: 00100080 _start', expect.stringMatching(/^Trace 0: [0-9a-f]{8} main$/)]);
    const text = logOf('in_asm').lines;
    expect(text.slice(0, 3)).toEqual(['----------------', 'IN: _start', expect.stringMatching(/^0x00100080:  bc .. 10 10 00           mov    esp,0x1010..$/)]);
    const blocks = text.filter((line) => line.startsWith('IN: ')).length;
    expect(blocks).toBe(new Set(exec).size);
    expect(logOf('cpu').lines.filter((line) => line.startsWith('EAX='))).toHaveLength(exec.length);
  });

  it('mmu prints control registers', () => {
    expect(logOf('mmu').lines).toContain('mmu: cr0=00000011');
  });

  it('is cut to ranges by -dfilter', () => {
    const only = logOf('exec', parseRanges('0x100080+0x10'));
    expect(only.lines).toEqual(['Trace 0: 00100080 _start']);
  });
});

describe('lists', () => {
  it('of items and ranges are checked', () => {
    expect(parseLogItems('int,exec')).toEqual(new Set(['int', 'exec']));
    expect(parseLogItems('int,nonsense')).toBe('nonsense');
    expect(parseRanges('0x1000+0x100,0x2fff-0x1000,10..20')).toEqual([{ first: 0x1000, last: 0x10ff }, { first: 0x2000, last: 0x2fff }, { first: 10, last: 20 }]);
    expect(parseRanges('0x1000')).toBeNull();
  });
});
