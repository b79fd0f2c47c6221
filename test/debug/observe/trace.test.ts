// Traces hold to the format, strictly: fields, names, nesting, arrows that pair up; they account for the whole run and are the
// same every time. And the log items tell what the guest did.

import { beforeAll, describe, expect, it } from 'vitest';
import { Activity } from '../../../src/debug/observe/activity.ts';
import { EVENT_ITEMS, EventLog } from '../../../src/debug/observe/event-log.ts';
import type { Listener } from '../../../src/debug/observe/observer.ts';
import { TraceWriter } from '../../../src/debug/observe/trace.ts';
import { FLAT, P4 } from '../../../src/cpu/timing.ts';
import { observed } from '../own.ts';
import type { Own } from '../own.ts';

const LIMIT = 2_000_000_000;
const COMMAND = 'exec=ls /dev | cat; ls /nowhere; time make -n';

interface Event {
  readonly ph: string; readonly name: string; readonly pid: number; readonly tid: number;
  readonly cat?: string; readonly ts?: number; readonly dur?: number; readonly id?: number; readonly bp?: string; readonly s?: string;
  readonly args?: Record<string, unknown>;
}

interface Traced { readonly text: string; readonly events: readonly Event[]; readonly lines: readonly string[]; readonly own: Own; readonly first: number; readonly last: number }

/** The trace and the full log of a run. */
function traced(command: string, timing = P4): Traced {
  const out: string[] = [];
  const lines: string[] = [];
  const moments: number[] = [];
  let activity: Activity | null = null;
  const listener: Listener = {
    enter: (thread, owner, why, at) => { moments.push(at.instructions); activity!.enter(thread, owner, why, at); },
    leave: (thread, owner, lwp, at, la) => { moments.push(at.instructions); activity!.leave(thread, owner, lwp, at, la); },
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
  return { text, lines, own, events: (JSON.parse(text) as { traceEvents: Event[] }).traceEvents, first: moments[0]!, last: moments.at(-1)! };
}

let run: Traced;
beforeAll(() => {
  run = traced(COMMAND);
}, 180_000);

const ticks = (microseconds: number): number => Math.round(microseconds * 10_000);
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  M: ['ph', 'name', 'pid', 'tid', 'args'],
  X: ['ph', 'name', 'cat', 'pid', 'tid', 'ts', 'dur', 'args'],
  i: ['ph', 's', 'name', 'cat', 'pid', 'tid', 'ts', 'args'],
  s: ['ph', 'id', 'name', 'cat', 'pid', 'tid', 'ts'],
  f: ['ph', 'bp', 'id', 'name', 'cat', 'pid', 'tid', 'ts'],
};

function slicesByTrack(events: readonly Event[]): Map<string, { name: string; from: number; to: number }[]> {
  const tracks = new Map<string, { name: string; from: number; to: number }[]>();
  for (const { ph, pid, tid, name, ts, dur } of events) {
    if (ph !== 'X') continue;
    const track = tracks.get(`${pid}.${tid}`) ?? [];
    tracks.set(`${pid}.${tid}`, track);
    track.push({ name, from: ticks(ts!), to: ticks(ts!) + ticks(dur!) });
  }
  return tracks;
}

/** On one track slices overlap only where one lies in the other. */
function expectNesting(events: readonly Event[]): void {
  for (const slices of slicesByTrack(events).values()) {
    slices.sort((a, b) => a.from - b.from || b.to - a.to);
    const open: { name: string; from: number; to: number }[] = [];
    for (const slice of slices) {
      while (open.length && open.at(-1)!.to <= slice.from) open.pop();
      if (open.length) expect([slice, slice.to <= open.at(-1)!.to]).toEqual([slice, true]);
      open.push(slice);
    }
  }
}

/** Every s has its f, later and on another track; both lie in a slice of their tracks. */
function expectArrows(events: readonly Event[]): void {
  const starts = new Map(events.filter(({ ph }) => ph === 's').map((event) => [event.id!, event]));
  const ends = events.filter(({ ph }) => ph === 'f');
  expect(ends.length).toBe(starts.size);
  expect(starts.size).toBeGreaterThan(100);
  const slices = slicesByTrack(events);
  for (const end of ends) {
    const start = starts.get(end.id!)!;
    starts.delete(end.id!);
    expect([start.name, start.cat, end.ts! >= start.ts!, `${start.pid}.${start.tid}` !== `${end.pid}.${end.tid}`]).toEqual([end.name, end.cat, true, true]);
    for (const { pid, tid, ts } of [start, end]) expect(slices.get(`${pid}.${tid}`)!.some(({ from, to }) => ticks(ts!) >= from && ticks(ts!) <= to)).toBe(true);
  }
  expect(starts.size).toBe(0);
}

describe('a trace', () => {
  it('has events of five kinds with exactly their fields', () => {
    expect(new Set(run.events.map(({ ph }) => ph))).toEqual(new Set(Object.keys(FIELDS)));
    for (const event of run.events) {
      const wanted = FIELDS[event.ph]!.filter((name) => event.ph !== 'i' || name !== 'args' || event.args !== undefined);
      expect(Object.keys(event).sort()).toEqual([...wanted].sort());
      expect([event.pid, event.tid].every(Number.isInteger)).toBe(true);
      if (event.ph !== 'M') expect(event.ts).toBeGreaterThanOrEqual(0);
      if (event.ph === 'X') expect(event.dur).toBeGreaterThanOrEqual(0);
      if (event.ph === 'f') expect(event.bp).toBe('e');
      if (event.ph === 'i') expect(event.s).toBe('t');
    }
  });

  it('names every process and thread, one process for each VM space', () => {
    const names = (what: string) => run.events.filter(({ ph, name }) => ph === 'M' && name === what);
    const processes = new Map(names('process_name').map(({ pid, args }) => [pid, args!.name as string]));
    const threads = new Set(names('thread_name').map(({ pid, tid }) => `${pid}.${tid}`));
    for (const { ph, pid, tid } of run.events) if (ph !== 'M') expect([processes.has(pid), threads.has(`${pid}.${tid}`)]).toEqual([true, true]);
    const titles = [...processes.values()];
    expect(titles[0]).toBe('host kernel');
    expect(titles).toContain('vkernel, process 2 of the host');
    for (const program of ['init', 'sh', 'ls', 'cat', 'make']) expect([program, titles.some((title) => new RegExp(`^vmspace \\d+: ${program}, process \\d+$`).test(title))]).toEqual([program, true]);
  });

  it('has slices that nest, and arrows that pair up and are tied to slices', () => {
    expectNesting(run.events);
    expectArrows(run.events);
  });

  it('has them with a virtual kernel in a virtual kernel as well', () => {
    const nested = traced('exec=sysctl vm.vkernel_enable=1 && /boot/vkernel -m 32m -r /vroot.img -e exec=ls');
    expectNesting(nested.events);
    expectArrows(nested.events);
    const titles = nested.events.filter(({ name }) => name === 'process_name').map(({ args }) => args!.name as string);
    for (const title of [/^vkernel, process 2 of the host$/, /^vmspace \d+: vkernel, process 2$/, /^vmspace \d+: ls, process 2$/]) expect([title, titles.some((text) => title.test(text))]).toEqual([title, true]);
    expect(nested.lines.some((line) => / switch +ls 2 in vmspace \d+ -> vkernel 2: lstat$/.test(line))).toBe(true);
    expect(nested.lines.some((line) => / syscall +ls 2 in vmspace \d+: lstat\("\."/.test(line))).toBe(true);
  }, 180_000);

  it('accounts for every instruction, and the processor is at one place at a time', () => {
    const work = run.events.filter(({ ph, cat, name }) => ph === 'X' && (cat === 'kernel' || name === 'run'));
    expect(work.reduce((sum, { args }) => sum + (args!.insns as number), 0)).toBe(run.last - run.first);
    const places = work.map(({ ts, dur }) => ({ from: ticks(ts!), to: ticks(ts!) + ticks(dur!) })).sort((a, b) => a.from - b.from || a.to - b.to);
    for (let i = 1; i < places.length; i++) expect(places[i]!.from).toBeGreaterThanOrEqual(places[i - 1]!.to);
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
    expectNesting(signals.events);
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
    expect(switches.filter((line) => line.includes('vkernel 2 -> ')).length).toBe(run.events.filter(({ ph, name }) => ph === 's' && name === 'switch').length);
    expect(switches.some((line) => /^ls \d+ in vmspace \d+ -> vkernel 2: #PF$/.test(line))).toBe(true);
    expect(of('vmspace').some((line) => line.startsWith('vkernel 2: vmspace_create('))).toBe(true);
    expect(of('upcall')).toContain('vkernel 2: SIGALRM');
  });
});
