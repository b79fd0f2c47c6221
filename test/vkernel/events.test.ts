// The virtual kernel's kqueue: the disk's helpers raise an event of it, and the console is watched by it, whatever standard input is. With
// one virtual CPU, with several, and in a virtual kernel of a virtual kernel.

import { describe, expect, it } from 'vitest';
import { Activity } from '../../src/debug/observe/activity.ts';
import { EventLog } from '../../src/debug/observe/event-log.ts';
import { observed } from '../debug/own.ts';
import { Session } from '../system/session.ts';

const SYSTEM_CALL = /^ *\d+ syscall (\S+) (\d+)(?:\.(\d+))?(?: in [^:]*)?: (\w+)\((.*)\) = (.*)$/;

interface Call { readonly program: string; readonly thread: number; readonly name: string; readonly args: string; readonly result: string }

/** The system calls of a run, as --d syscall prints them. */
function calls(commandLine: string): readonly Call[] {
  const lines: string[] = [];
  let activity: Activity | null = null;
  const own = observed(commandLine, { ledger: false, paths: false, listener: {
    enter: (thread, owner, why, at) => activity!.enter(thread, owner, why, at),
    leave: (thread, owner, lwp, at, la) => activity!.leave(thread, owner, lwp, at, la),
  } });
  activity = new Activity(own.machine.cpu, [new EventLog(new Set(['syscall']), own.debug.guest!, (line) => lines.push(line))]);
  own.machine.run(2_000_000_000, true);
  own.observer.finish();
  return lines.map((line) => SYSTEM_CALL.exec(line)).filter((match) => match !== null)
    .map(([, program, , thread, name, args, result]) => ({ program: program!, thread: Number(thread ?? 1), name: name!, args: args!, result: result! }));
}

const of = (all: readonly Call[], name: string): readonly Call[] => all.filter((call) => call.program === 'vkernel' && call.name === name);

describe.each([['one virtual CPU', '', 1], ['four', 'ncpu=4 ', 4]])('with %s', (_what, words, cpus) => {
  const all = calls(`${words}exec=wc /boot/host-kernel.elf`);
  const moves = of(all, 'extpread').concat(of(all, 'extpwrite')).filter(({ result }) => result.startsWith('0x') || Number(result) >= 4096);
  const raised = of(all, 'kevent').filter(({ args }) => /^\d+, 0x\w+, 1, 0, 0, 0$/.test(args));
  const collected = of(all, 'kevent').filter(({ args }) => /^\d+, 0, 0, 0x\w+, 8, 0x\w+$/.test(args));
  const helpers = new Set(moves.map(({ thread }) => thread));

  it('helpers move the data, and raise an event for each command', () => {
    expect(moves.length).toBeGreaterThan(10);
    expect([...helpers].every((thread) => thread > 1)).toBe(true);
    const theirs = raised.filter(({ thread }) => helpers.has(thread));
    expect(theirs.length).toBeGreaterThan(5);
    expect(theirs.length).toBeLessThanOrEqual(moves.length);
    expect(theirs.every(({ result }) => result === '0')).toBe(true);
    expect(of(all, 'kill')).toEqual([]);
  });

  it('a virtual CPU learns of it from the kqueue, and asks only when there is something', () => {
    expect(collected.length).toBeGreaterThan(5);
    expect(collected.length).toBeLessThanOrEqual(raised.length);
    expect(collected.every(({ thread }) => !helpers.has(thread))).toBe(true);
    if (cpus === 1) expect(collected.every(({ result }) => result === '1')).toBe(true);
  });
});

/** What the host says to commands that start a virtual kernel. */
function onHost(command: string): string {
  const { text, code } = new Session(`native exec=sysctl vm.vkernel_enable=1; ${command}; echo status $?`).end();
  expect(code).toBe(0);
  return text;
}

describe('standard input', () => {
  it('may be a pipe: what comes late is taken, too', () => {
    const text = onHost("(echo 'echo early'; sleep 2; echo 'echo late; halt') | /boot/vkernel -m 64m -r /vroot.img");
    expect(text).toMatch(/^early\n[^]*^late\n[^]*^status 0\n/m);
  }, 60_000);

  it('may be a file', () => {
    expect(onHost("echo 'echo from a file; halt' > /tmp/commands; /boot/vkernel -m 64m -r /vroot.img < /tmp/commands")).toMatch(/^from a file\n[^]*^status 0\n/m);
  }, 60_000);

  it('may be nothing at all', () => {
    expect(onHost('/boot/vkernel -m 64m -r /vroot.img -e "exec=echo done" < /dev/null')).toMatch(/^done\n[^]*^status 0\n/m);
  }, 60_000);

  it('may be a pipe in a virtual kernel, too', () => {
    const inner = "sysctl vm.vkernel_enable=1; echo 'echo deep; halt' | /boot/vkernel -m 32m -r /vroot.img; echo inner $?";
    expect(new Session(`exec=${inner}`).end().text).toMatch(/^deep\n[^]*^inner 0\n/m);
  }, 120_000);
});
