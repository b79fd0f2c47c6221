// Where the linker puts things: functions that --first names come first, in its order, and small variables before large ones.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { compiled as builtKernel, VIRTUAL_KERNEL } from '../kern/roots.ts';
import { TestHost } from './harness.ts';

const loops = (name: string) => `function ${name}(n: i32): i32 { let sum: i32 = 0; for (let i: i32 = 0; i < n; i++) { sum = sum * 3 + i; sum ^= n; sum += i * 7; sum ^= sum >>> 3; } if (n > 1) sum ^= ${name}(n - 1) ^ ${name}(n - 2); for (let i: i32 = 0; i < n; i++) sum = sum * 5 + (i ^ n) - (sum >> 3) + sum * i; return sum; }`;
const SOURCE = `${['one', 'two', 'three', 'four'].map(loops).join('\n')}
let large!: FixedArray<u32, 4096>;
let small: i32 = 0;
let medium!: FixedArray<u32, 65>;
export function _start(): void { small = one(2) + two(3) + three(4) + four(5); large[7] = small as u32; medium[1] = large[7]!; }`;

function compiled(first: string | null): { status: number; host: TestHost; at: (name: string) => number } {
  const host = new TestHost({ 'main.ts': SOURCE, ...(first === null ? {} : { 'first.txt': first }) });
  const status = compile(['main.ts', '-o', 'out', '--first', 'first.txt', '--deps', 'deps'], host);
  const symbols = status === 0 ? new SymbolTable(host.written.get('out')!) : null;
  return { status, host, at: (name) => symbols!.address(name)! };
}

function order(at: (name: string) => number): string[] {
  return ['one', 'two', 'three', 'four'].sort((a, b) => at(a) - at(b));
}

describe('--first', () => {
  it('changes nothing when it names nothing', () => expect(order(compiled('# nothing\n').at)).toEqual(['one', 'two', 'three', 'four']));

  it('places functions in its order, and ignores comments, repetitions and what is not there', () => {
    const { at, host } = compiled('# what is hot\nthree\nnowhere\none\nthree\n');
    expect(order(at)).toEqual(['three', 'one', 'two', 'four']);
    expect(at('three')).toBeLessThan(at('_start'));
    expect(Buffer.from(host.written.get('deps')!).toString()).toContain('first.txt');
  });

  it('takes a last line without an end', () => expect(order(compiled('four').at)[0]).toBe('four'));

  it('says when it cannot be read', () => {
    const { status, host } = compiled(null);
    expect(status).toBe(1);
    expect(host.printed).toContain("can't read first.txt");
  });
});

it('small variables come before large ones', () => {
  const { at } = compiled('');
  expect(at('small')).toBeLessThan(at('medium'));
  expect(at('medium')).toBe(at('large') + 4096 * 4);
});

it('the list of the virtual kernel is of today, and what it names lies close together', () => {
  const names = readFileSync('src/vkernel/hot.txt', 'latin1').split('\n').filter((line) => line && !line.startsWith('#'));
  const symbols = new SymbolTable(builtKernel(VIRTUAL_KERNEL));
  const found = names.map((name) => symbols.address(name)).filter((at) => at !== null);
  expect(found.length).toBeGreaterThan(names.length * 0.8);       // small ones may have been inlined everywhere
  const first = found.slice(0, 30).filter((at) => at < found[0]! + 0x10000);
  expect(first.length).toBeGreaterThan(20);
  expect(Math.max(...first) - Math.min(...first)).toBeLessThan(5 * 4096);
});
