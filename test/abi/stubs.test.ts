// The committed system call stubs are what the table makes of them.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { stubsText } from '../../src/abi/stubs.ts';
import { SYSCALLS } from '../../src/abi/syscalls.ts';

const path = resolve(import.meta.dirname, '../../src/libc/stubs.ts');

it('src/libc/stubs.ts is up to date; `npm run stubs` makes it', () => {
  expect(readFileSync(path, 'latin1')).toBe(stubsText());
});

it('has a function for each call, with its number and as many slots as the table says', () => {
  for (const row of SYSCALLS) {
    const [number, name, slots] = row.split('|').map((text) => text.trim()) as [string, string, string];
    const found = new RegExp(`^export function sys_${name}\\((.*)\\): i32 \\{[^}]*?mov eax, (\\d+)\\n`, 'm').exec(stubsText())!;
    expect(found[1]!.split(', ').filter(Boolean).length, name).toBe(Number(slots));
    expect(found[2], name).toBe(number);
  }
});
