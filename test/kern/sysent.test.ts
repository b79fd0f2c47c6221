// The system call table of the kernel registers every call of abi/syscalls.ts, with the same number of argument slots.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SYS_MAX, Sys, SYSCALLS } from '../../src/abi/syscalls.ts';

const KERN = new URL('../../src/kern/', import.meta.url);

function registered(): Map<string, number> {
  const calls = new Map<string, number>();
  for (const file of readdirSync(KERN)) {
    const text = readFileSync(new URL(file, KERN), 'latin1');
    for (const match of text.matchAll(/\bdef\(Sys\.(\w+), (\d+),/g)) {
      expect(calls.has(match[1]!), `${match[1]} is registered twice`).toBe(false);
      calls.set(match[1]!, Number(match[2]));
    }
  }
  return calls;
}

function listed(): { nr: number; name: string; slots: number }[] {
  return SYSCALLS.map((line) => {
    const [nr, name, slots] = line.split('|').map((part) => part.trim());
    return { nr: Number(nr), name: name === 'break' ? 'break_' : name!, slots: Number(slots) };
  });
}

describe('system calls', () => {
  it('are listed in numerical order, each under the number of its name', () => {
    let last = 0;
    for (const call of listed()) {
      expect(call.nr, call.name).toBeGreaterThan(last);
      expect(Sys[call.name as keyof typeof Sys], call.name).toBe(call.nr);
      last = call.nr;
    }
    expect(last).toBeLessThan(SYS_MAX);
    expect(listed().length).toBe(Object.keys(Sys).length / 2);
  });

  it('are all registered, with the listed number of argument slots', () => {
    const calls = registered();
    for (const call of listed()) expect([call.name, calls.get(call.name)]).toEqual([call.name, call.slots]);
    expect(calls.size).toBe(listed().length);
  });
});
