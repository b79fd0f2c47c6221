// Traces hold to the format as its strictest readers take it (trace-format.ts), name every VM space, account for the whole run and are
// the same every time. And the log items tell what the guest did.

import { beforeAll, describe, expect, it } from 'vitest';
import { Activity } from '../../../src/debug/observe/activity.ts';
import { EVENT_ITEMS, EventLog } from '../../../src/debug/observe/event-log.ts';
import type { Listener } from '../../../src/debug/observe/observer.ts';
import { TraceWriter } from '../../../src/debug/observe/trace.ts';
import { FLAT, P4 } from '../../../src/cpu/timing.ts';
import { observed } from '../own.ts';
import type { Own } from '../own.ts';
import { importTrace } from './trace-format.ts';
import type { Imported, Slice } from './trace-format.ts';

const LIMIT = 2_000_000_000;
const COMMAND = 'exec=ls /dev | cat; ls /nowhere; time make -n';

interface Traced extends Imported { readonly text: string; readonly lines: readonly string[]; readonly own: Own; readonly first: number; readonly last: number }

/** The trace and the full log of a run. */
function traced(command: string, timing = P4): Traced {
  const out: string[] = [];
  const lines: string[] = [];
  const moments: number[] = [];
  let activity: Activity | null = null;
  const listener: Listener = {
    enter: (thread, owner, why, at) => { moments.push(at.instructions); activity!.enter(thread, owner, why, at); },
    leave: (thread, owner, lwp, at, la) => { moments.push(at.instructions); activity!.leave(thread, owner, lwp, at, la); },
    idled: (from, to) => activity!.idled(from, to),
  };
  const own = observed(command, { ledger: false, paths: false, listener }, timing);
  const { cpu, clock } = own.machine;
  const writer = new TraceWriter(clock.hertz, (line) => out.push(line));
  activity = new Activity(cpu, [writer, new EventLog(new Set(Object.keys(EVENT_ITEMS)), own.debug.guest!, (line) => lines.push(line))]);
  own.machine.run(LIMIT, true);
  own.observer.finish();
  activity.finish(own.observer.moment());
  writer.end();
  const text = out.join('\n');
  return { text, lines, own, ...importTrace(text), first: moments[0]!, last: moments.at(-1)! };
}

let run: Traced;
beforeAll(() => {
  run = traced(COMMAND);
}, 180_000);

const NESTED = 'exec=sysctl vm.vkernel_enable=1 && /boot/vkernel -m 32m -r /vroot.img -e exec=ls';
const TWO = 'native exec=cp /vroot.img /two.img; sysctl vm.vkernel_enable=1; for disk in vroot two; do /boot/vkernel -m 32m -i /tmp/$disk -r /$disk.img -e "exec=ls | cat" & done; wait';

const slicesOf = ({ processes }: Imported): Slice[] => processes.flatMap(({ tracks }) => tracks.flatMap(({ slices }) => slices));

describe('a trace', () => {
  it('is read without a complaint', () => {
    expect(run.complaints).toEqual([]);
    expect(run.arrows.length).toBeGreaterThan(100);
  });

  it.each([
    ['natively', 'native exec=ls /dev | cat', P4],
    ['with four processors', 'ncpu=4 exec=ls /dev | cat & ls /bin & ls /usr | cat & wait', P4],
    ['with signals', 'exec=usertests handler-runs eintr-sleep handler-fault-address', FLAT],
  ] as const)('is read without a complaint %s', (_, command, timing) => {
    const { complaints, processes } = traced(command, timing);
    expect(complaints).toEqual([]);
    expect(processes.length).toBeGreaterThan(5);
  }, 180_000);

  it('has one process for each VM space, with the name of the program in it', () => {
    const titles = run.processes.map(({ name }) => name);
    expect(titles[0]).toBe('host kernel');
    expect(titles).toContain('vkernel, process 2 of the host');
    for (const program of ['init', 'sh', 'ls', 'cat', 'make']) expect([program, titles.some((title) => new RegExp(`^vmspace \\d+: ${program}, process \\d+ of vkernel 2$`).test(title))]).toEqual([program, true]);
    expect(new Set(titles).size).toBe(titles.length);
    const { tracks } = run.processes.find(({ name }) => name.startsWith('vkernel, '))!;
    expect(tracks.map(({ name }) => name)).toEqual(tracks.map((_, n) => `lwp ${n + 1}`));
    expect(tracks.length).toBeGreaterThan(2);
  });

  it('leads by arrows from a call in a VM space to its kernel, and back', () => {
    const title = (of: Slice) => run.processes.find(({ tracks }) => tracks.some(({ slices }) => slices.includes(of)))!.name;
    const asked = run.arrows.find(({ name, from }) => name === 'switch: lstat' && from.args.call?.toString().includes('/nowhere'))!;
    expect([asked.from.name, title(asked.from), asked.to.name, title(asked.to)]).toEqual(['lstat', expect.stringMatching(/^vmspace \d+: ls, /), 'run', 'vkernel, process 2 of the host']);
    for (const { name, from } of run.arrows) if (name === 'switch: exit') expect([from.name, from.to - from.from, from.depth]).toEqual(['exit', 1, 0]);
    const answered = run.arrows.find(({ name, to }) => name === 'switch' && to.from === asked.from.to)!;
    expect([answered.from.name, title(answered.from), answered.to.name, title(answered.to)]).toEqual(['vmspace_ctl', 'vkernel, process 2 of the host', 'run', title(asked.from)]);
  });

  it('tells a virtual kernel from one inside of it', () => {
    const nested = traced(NESTED);
    expect(nested.complaints).toEqual([]);
    const titles = nested.processes.map(({ name }) => name);
    for (const title of [/^vkernel, process 2 of the host$/, /^vmspace \d+: vkernel, process 2 of vkernel 2$/, /^vmspace 1: init, process 1 of vkernel 2$/, /^vmspace 1: init, process 1 of vkernel 2\.2$/, /^vmspace \d+: ls, process 2 of vkernel 2\.2$/]) expect([title, titles.filter((text) => title.test(text)).length]).toEqual([title, 1]);
    expect(nested.lines.some((line) => / switch +ls 2 in vmspace \d+ -> vkernel 2: lstat$/.test(line))).toBe(true);
    expect(nested.lines.some((line) => / syscall +ls 2 in vmspace \d+: lstat\("\."/.test(line))).toBe(true);
  }, 180_000);

  it('tells two virtual kernels on one host apart', () => {
    const two = traced(TWO);
    expect(two.complaints).toEqual([]);
    const spaces = two.processes.map(({ name }) => /^(vmspace .*) of vkernel (\d+)$/.exec(name)).filter((match) => match !== null);
    const [first, second] = [...new Set(spaces.map((match) => match[2]!))].map((kernel) => spaces.filter((match) => match[2] === kernel).map((match) => match[1]!).sort());
    expect(first!.length).toBeGreaterThan(5);
    expect(second).toEqual(first);
    for (const { name, tracks } of two.processes) if (name.startsWith('vmspace')) for (const slice of tracks[0]!.slices) expect([name, slice.name, slice.parent?.name]).toEqual([name, slice.name, undefined]);
  }, 180_000);

  it('accounts for every instruction, and the processor is at one place at a time', () => {
    const work = slicesOf(run).filter(({ category, name }) => category === 'kernel' || name === 'run');
    expect(work.reduce((sum, { args }) => sum + (args.insns as number), 0)).toBe(run.last - run.first);
    work.sort((a, b) => a.from - b.from || a.to - b.to);
    for (let i = 1; i < work.length; i++) expect(work[i]!.from).toBeGreaterThanOrEqual(work[i - 1]!.to);
  });

  it('shows when the processor is halted, inside of what the kernel does', () => {
    const sleeping = traced('native exec=sleep 1', FLAT);
    const { clock, cpu } = sleeping.own.machine;
    const idle = sleeping.processes[0]!.tracks[0]!.slices.filter(({ name }) => name === 'idle');
    expect(idle.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(((clock.now - cpu.cycles) * 1e9) / clock.hertz);
    expect(idle.filter(({ parent }) => parent?.name === 'nanosleep').length).toBeGreaterThan(50);
  }, 180_000);

  it('ends every call when it is over, also when one signal handler begins as another returns', () => {
    const { processes } = traced(COMMAND, FLAT);
    for (const { name, tracks } of processes) for (const track of tracks) {
      const unended = track.slices.filter(({ args }) => args.result === '?');
      expect([name, track.name, unended.length > 1, Math.max(...track.slices.map(({ depth }) => depth)) > 2]).toEqual([name, track.name, false, false]);
    }
  }, 180_000);

  it('takes any bytes as the name of a program', () => {
    const lines: string[] = [];
    const writer = new TraceWriter(1e9, (line) => lines.push(line));
    const owner = { depth: 0, kernel: '', kind: 'program', name: 'a"\\\n\u00ff', pid: 3, tid: 1, space: null } as const;
    writer.signalled(owner, 'SIGHUP', { instructions: 1, cycles: 1 });
    writer.end();
    expect(lines.join('\n')).toMatch(/^[\n -~]*$/);
    expect(importTrace(lines.join('\n'))).toMatchObject({ complaints: [], processes: [{ name: 'host kernel' }, { name: `${owner.name}, process 3 of the host` }] });
  });

  it('lacks but its closing brackets when it is cut off after any event', () => {
    const lines = run.text.split('\n');
    for (const count of [2, 3, 40]) expect(() => JSON.parse(`${lines.slice(0, count).join('\n').replace(/,$/, '')}]}`) as unknown).not.toThrow();
  });

  it('is the same every time', () => {
    const again = traced(COMMAND);
    expect(again.text === run.text).toBe(true);
    expect(again.lines).toEqual(run.lines);
  }, 180_000);
});

describe('the log', () => {
  const of = (item: string): string[] => run.lines.map((line) => /^ *\d+ (\S+) +(.*)$/.exec(line)!).filter((match) => match[1] === item).map((match) => match[2]!);

  it('prints system calls with arguments, strings and results', () => {
    const calls = of('syscall');
    expect(calls.some((line) => /^ls \d+ in vmspace \d+: lstat\("\/nowhere", 0x[0-9a-f]+\) = -1 ENOENT$/.test(line))).toBe(true);
    expect(calls.some((line) => /^sh \d+ in vmspace \d+: pipe\(\) = \d+$/.test(line))).toBe(true);
    expect(calls.some((line) => /^sh \d+ in vmspace \d+: execve\("\/bin\/ls", 0x[0-9a-f]+, 0x[0-9a-f]+\) = 0$/.test(line))).toBe(true);
    expect(calls.some((line) => /^ls \d+ in vmspace \d+: exit\(1\) = \?$/.test(line))).toBe(true);
    expect(calls.filter((line) => line.startsWith('vkernel 2: vmspace_ctl(')).length).toBeGreaterThan(50);
  });

  it('prints calls of signal handlers before the call that they interrupt', () => {
    const signals = traced('exec=usertests handler-runs eintr-sleep handler-fault-address', FLAT);
    const calls = signals.lines.map((line) => / syscall usertests (\d+) in vmspace \d+: (\w+)\(.*\) = (.*)$/.exec(line)).filter((match) => match !== null);
    const after = (name: string, result: RegExp) => {
      const at = calls.findIndex((match) => match[2] === name && result.test(match[3]!));
      const { 1: pid } = calls[at]!;
      return calls.slice(0, at).filter((match) => match[1] === pid).slice(-1).map((match) => [match[2], match[3]]);
    };
    expect(after('kill', /^0$/)).toEqual([['sigprocmask', '0']]);
    expect(after('nanosleep', /^-1 EINTR$/)).toEqual([['sigprocmask', '0']]);
  }, 180_000);

  it('prints where faults went, VPTE walks, switches, VM spaces and upcalls', () => {
    const faults = of('fault');
    expect(faults.some((line) => line.endsWith('instructions, the virtual kernel'))).toBe(true);
    expect(faults.some((line) => line.endsWith('instructions, the host kernel'))).toBe(true);
    expect(of('vpte').length).toBeGreaterThan(20);
    for (const line of of('vpte')) expect(line).toMatch(/^\w+ \d+ in vmspace \d+: [0-9a-f]{8}: root [0-9a-f]{8}(, [0-9a-f]{8}){1,2}: (page 0x[0-9a-f]+|not valid)$/);
    const switches = of('switch');
    expect(switches.filter((line) => line.includes('vkernel 2 -> ')).length).toBe(run.arrows.filter(({ name }) => name === 'switch').length);
    expect(switches.some((line) => /^ls \d+ in vmspace \d+ -> vkernel 2: #PF$/.test(line))).toBe(true);
    expect(of('vmspace').some((line) => line.startsWith('vkernel 2: vmspace_create('))).toBe(true);
    expect(of('upcall')).toContain('vkernel 2: SIGALRM');
  });
});
