// The reader of traces knows every rule: one small good trace, and for each rule the same with one thing wrong.

import { describe, expect, it } from 'vitest';
import { importTrace } from './trace-format.ts';

type Fields = Record<string, unknown>;

const name = (pid: number, tid: number, what: string, text: unknown): Fields => ({ ph: 'M', name: what, pid, tid, args: { name: text } });
const slice = (tid: number, title: string, ts: number, dur: number): Fields => ({ ph: 'X', name: title, cat: 'c', pid: tid < 9 ? 1 : 9, tid, ts, dur, args: {} });
const arrow = (ph: string, tid: number, ts: number): Fields => ({ ph, name: 'a', cat: 'c', id: 1, pid: tid < 9 ? 1 : 9, tid, ts, ...(ph === 'f' ? { bp: 'e' } : {}) });

function good(): Fields[] {
  return [
    name(1, 1, 'process_name', 'one'), name(1, 1, 'thread_name', 'main'), name(1, 2, 'thread_name', 'second'),
    { ph: 'M', name: 'thread_sort_index', pid: 1, tid: 2, args: { sort_index: -1 } },
    name(9, 9, 'process_name', 'nine'), name(9, 9, 'thread_name', 'main'), { ph: 'M', name: 'process_sort_index', pid: 9, tid: 9, args: { sort_index: -1 } },
    slice(1, 'inner', 1.001, 0.5), slice(1, 'outer', 1.001, 2), slice(1, 'next', 3.001, 1),
    { ph: 'B', name: 'b', cat: 'c', pid: 1, tid: 2, ts: 1 }, { ph: 'B', name: 'in b', cat: 'c', pid: 1, tid: 2, ts: 2 },
    { ph: 'E', name: 'in b', cat: 'c', pid: 1, tid: 2, ts: 2.5 }, { ph: 'E', name: 'b', cat: 'c', pid: 1, tid: 2, ts: 3 },
    { ph: 'i', name: 'bang', cat: 'c', pid: 1, tid: 1, s: 't', ts: 1.2 },
    slice(9, 'far', 2, 2), arrow('s', 1, 1.001), arrow('f', 9, 4),
  ];
}

const trace = (events: unknown, unit: unknown = 'ns'): string => JSON.stringify({ displayTimeUnit: unit, traceEvents: events });

describe('a strict reader of traces', () => {
  it('nests slices, sorts tracks and binds arrows', () => {
    const { complaints, processes, arrows } = importTrace(trace(good()));
    expect(complaints).toEqual([]);
    expect(processes.map((process) => [process.name, process.tracks.map((track) => track.name)])).toEqual([['nine', ['main']], ['one', ['second', 'main']]]);
    const [second, main] = processes[1]!.tracks;
    expect(main!.slices.map(({ name, from, to, depth, parent }) => [name, from, to, depth, parent?.name])).toEqual([['outer', 1001, 3001, 0, undefined], ['inner', 1001, 1501, 1, 'outer'], ['next', 3001, 4001, 0, undefined]]);
    expect(main!.instants.map(({ name, parent }) => [name, parent?.name])).toEqual([['bang', 'inner']]);
    expect(second!.slices.map(({ name, depth }) => [name, depth])).toEqual([['b', 0], ['in b', 1]]);
    expect(arrows.map(({ from, to }) => [from.name, to.name])).toEqual([['inner', 'far']]);
  });

  it.each<[string, (events: Fields[]) => unknown, RegExp]>([
    ['an unknown phase', (events) => events.push({ ...slice(1, 'x', 9, 1), ph: 'Q' }), /phase Q/],
    ['a field too few', (events) => delete events[7]!.dur, /X without dur/],
    ['a field too many', (events) => (events[7]!.tts = 1), /X with tts/],
    ['an empty name', (events) => (events[7]!.name = ''), /name is no word/],
    ['a pid as text', (events) => (events[7]!.pid = '1'), /pid 1/],
    ['no tid', (events) => (events[7]!.tid = 0), /tid 0/],
    ['a scope that is no thread', (events) => (events[14]!.s = 'g'), /scope g/],
    ['an arrow to the next slice', (events) => (events.at(-1)!.bp = 's'), /bp s/],
    ['a time before the beginning', (events) => (events[7]!.ts = -1), /ts -1/],
    ['a negative duration', (events) => (events[7]!.dur = -1), /dur -1/],
    ['a time as text', (events) => (events[7]!.ts = '1'), /ts 1/],
    ['part of a nanosecond', (events) => (events[7]!.ts = 1.0015), /ts 1.0015 is no whole number of nanoseconds/],
    ['unknown metadata', (events) => (events[0]!.name = 'title'), /metadata title/],
    ['a process without a name', (events) => (events[0]!.args = { name: '' }), /process_name of process 1: $/],
    ['a name said twice', (events) => events.push({ ...events[1]! }), /thread_name of thread 1 again/],
    ['a thread before its process', (events) => events.unshift(name(1, 3, 'thread_name', 'third')), /thread_name of thread 3 before process_name/],
    ['an order before its thread', (events) => events.splice(2, 2, events[3]!, events[2]!), /thread_sort_index of thread 2 before thread_name/],
    ['a thread of two processes', (events) => events.push(name(9, 2, 'thread_name', 'x')), /thread_name of thread 2 again|thread 2 is one of process 1/],
    ['an event before its names', (events) => events.unshift(slice(1, 'early', 0, 1)), /thread 1 of process 1 has no name yet/],
    ['an event of an unknown thread', (events) => events.push(slice(3, 'x', 0, 1)), /thread 3 of process 1 has no name yet/],
    ['no main thread', (events) => events.push(name(20, 20, 'process_name', 'twenty'), name(20, 21, 'thread_name', 'x')), /process 20 has no thread 20/],
    ['slices that overlap', (events) => events.push(slice(1, 'over', 2, 1.002)), /over begins in outer and ends 1 ns after it/],
    ['an end without a beginning', (events) => events.splice(11, 1), /E in b without its B/],
    ['ends in the wrong order', (events) => events.splice(12, 2, events[13]!, events[12]!), /E b without its B/],
    ['a beginning without an end', (events) => events.splice(13, 1), /B b without its E/],
    ['an end before the beginning', (events) => (events[12]!.ts = 1.5), /E in b without its B/],
    ['an arrow without an end', (events) => events.pop(), /arrow a has no end/],
    ['an arrow without a beginning', (events) => events.splice(-2, 1), /arrow c 1 a has no beginning/],
    ['an arrow that ends before it begins', (events) => (events.at(-2)!.ts = 4.001), /arrow c 1 a has no beginning/],
    ['an arrow that begins twice', (events) => events.push(arrow('s', 1, 1.001)), /arrow c 1 a begins twice/],
    ['an arrow at nothing', (events) => (events.at(-1)!.ts = 5), /arrow a touches no slice/],
  ])('complains about %s', (_, spoil, complaint) => {
    const events = good();
    spoil(events);
    expect(importTrace(trace(events)).complaints.join('\n')).toMatch(complaint);
  });

  it('complains about what is no trace', () => {
    expect(importTrace('{"traceEvents":[').complaints).toEqual([expect.stringMatching(/^not JSON: /)]);
    expect(importTrace(trace({})).complaints).toEqual(['no traceEvents']);
    expect(importTrace(trace([], 'us')).complaints).toEqual(['displayTimeUnit is neither ns nor ms']);
  });
});
