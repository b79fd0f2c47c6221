// Virtual CPUs: how many there are is what -n says, and with several, seen from outside, processes run on several of the host's
// threads.

import { describe, expect, it } from 'vitest';
import { ownSystem, runTo } from '../debug/own.ts';
import { Session } from '../system/session.ts';

/** The thread that serves the disk is no CPU. */
const DISK = 4;

function run(commandLine: string): { text: string; code: number } {
  return new Session(commandLine).end();
}

describe('hw.ncpu', () => {
  it.each([['native ', 1], ['', 1], ['ncpu=2 ', 2], ['ncpu=16 ', 16]])('with boot words "%s" is %i', (words, cpus) => {
    expect(run(`${words}exec=sysctl hw.ncpu`)).toMatchObject({ text: expect.stringContaining(`hw.ncpu: ${cpus}\n`), code: 0 });
  }, 60_000);
});

describe('time', () => {
  it('is charged to nobody before a CPU has started', () => {
    const { text } = run('ncpu=16 exec=ps');
    expect(text).toMatch(/^ +0 +0 S +0:00\.0\d +0:00\.00 .* kernel$/m);
  }, 60_000);
});

describe('-n', () => {
  it.each(['0', '17', 'four', '-1', '4x', '99999999999'])('%s is refused in one line', (value) => {
    const { text } = run(`native exec=sysctl vm.vkernel_enable=1; /boot/vkernel -n ${value} -r /vroot.img; echo status $?`);
    expect(text).toContain(`vkernel: -n ${value}: expected a number of CPUs from 1 to 16 (vkernel -h lists the options)\nstatus 2\n`);
  }, 60_000);
});

/** How many threads the virtual kernel has, and how many of them were seen inside a VM space, while two shells ran in loops. */
function observe(words: string): { threads: number; used: number } {
  const own = ownSystem(words);
  runTo(own, 'vkernel# ');
  own.machine.receive(Buffer.from(`${"sh -c 'while :; do :; done' & ".repeat(2)}\r`));
  const used = new Set<number>();
  let threads = 0;
  for (let i = 0; i < 60; i++) {
    own.machine.run(own.machine.cpu.instructions + 1_000_000, true);
    const { lwps } = own.debug.guest!.processes().find(({ name }) => name === 'vkernel')!;
    threads = lwps.length;
    for (const { tid, ve } of lwps) if (ve !== 0) used.add(tid);
  }
  return { threads, used: used.size };
}

describe('two loops', () => {
  it('take turns on one CPU', () => expect(observe('')).toEqual({ threads: 1 + DISK, used: 1 }), 120_000);
  it('run on two of four', () => expect(observe('ncpu=4 ')).toEqual({ threads: 4 + DISK, used: 2 }), 120_000);
});
