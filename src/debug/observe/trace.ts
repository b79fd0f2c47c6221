// `--trace`: what happens, in virtual time, in the Trace Event format that Perfetto opens. One process of the trace for each
// address space: the host kernel, every process of it, every VM space. A thread's track shows its stays in user mode (`run`) and,
// between them, its system calls and faults until they are over; the host kernel's track shows the processor's stays in ring 0.
// Arrows lead from a VM space to the owner that handles what was asked for, and back.
//
// Guarantees: only complete slices (X), which never overlap on one track except by nesting; every s has its f; times are
// microseconds with four digits; the same run gives the same bytes. Events are written as they end, so a trace is never held in memory.

import { hex0x } from '../text.ts';
import { faultText, ownerText, whyText } from './activity.ts';
import type { Sink, Stay } from './activity.ts';
import type { Moment, Pending } from './observer.ts';
import type { Owner } from './stacks.ts';

const HOST_KERNEL = 1;
const TENTHS_OF_NS = 1e10;

/** Takes whole lines of the file. */
export type LineWriter = (line: string) => void;

export class TraceWriter implements Sink {
  private readonly processes = new Map<string, number>();
  private readonly threads = new Set<string>();
  private flow = 0;

  /** @param hertz cycles in a second of virtual time */
  constructor(private readonly hertz: number, private readonly write: LineWriter) {
    write(`{"displayTimeUnit":"ns","otherData":{"clock":"virtual time","hertz":${hertz}},"traceEvents":[`);
    this.name(HOST_KERNEL, 0, 'process_name', 'host kernel');
    this.name(HOST_KERNEL, 1, 'thread_name', 'processor');
  }

  /** The last line. */
  end(): void {
    this.write(`{"ph":"M","name":"trace_end","pid":${HOST_KERNEL},"tid":0,"args":{}}]}`);
  }

  private event(fields: string): void {
    this.write(`{${fields}},`);
  }

  private name(pid: number, tid: number, what: string, name: string): void {
    this.event(`"ph":"M","name":"${what}","pid":${pid},"tid":${tid},"args":{"name":${JSON.stringify(name)}}`);
  }

  /** `"pid":3,"tid":1` of a thread; names both when they are new. */
  private track(owner: Owner): string {
    const key = `${owner.depth}:${owner.pid}:${owner.space}:${owner.name}`;
    let pid = this.processes.get(key);
    if (pid === undefined) {
      pid = HOST_KERNEL + 1 + this.processes.size;
      this.processes.set(key, pid);
      this.name(pid, 0, 'process_name', owner.space === null ? `${owner.name}, process ${owner.pid} of the host` : `vmspace ${owner.space}: ${owner.name}, process ${owner.pid}`);
      this.event(`"ph":"M","name":"process_sort_index","pid":${pid},"tid":0,"args":{"sort_index":${pid}}`);
    }
    if (!this.threads.has(`${pid}.${owner.tid}`)) {
      this.threads.add(`${pid}.${owner.tid}`);
      this.name(pid, owner.tid, 'thread_name', `lwp ${owner.tid}`);
    }
    return `"pid":${pid},"tid":${owner.tid}`;
  }

  private ticks({ cycles }: Moment): number {
    return Math.round((cycles * TENTHS_OF_NS) / this.hertz);
  }

  private slice(name: string, category: string, track: string, from: Moment, to: Moment, args: string): void {
    const start = this.ticks(from);
    this.event(`"ph":"X","name":${JSON.stringify(name)},"cat":"${category}",${track},"ts":${micro(start)},"dur":${micro(this.ticks(to) - start)},"args":{${args}}`);
  }

  ran(owner: Owner, from: Moment, to: Moment, why: Pending, work: Owner | null): void {
    const what = work ? `,"for":${JSON.stringify(ownerText(work))}` : '';
    this.slice('run', owner.space === null ? 'process' : 'vmspace', this.track(owner), from, to, `"insns":${to.instructions - from.instructions},"until":${JSON.stringify(whyText(why, null))}${what}`);
  }

  kernel(what: string, owner: Owner, from: Moment, to: Moment): void {
    this.slice(what, 'kernel', `"pid":${HOST_KERNEL},"tid":1`, from, to, `"insns":${to.instructions - from.instructions},"from":${JSON.stringify(ownerText(owner))}`);
  }

  stayed({ owner, why, call, from, place, upcall }: Stay, result: string | null, to: Moment): void {
    const args = call ? `"call":${JSON.stringify(`${call.name}${call.text}`)},"result":${JSON.stringify(result ?? '?')}` : `"fault":${JSON.stringify(faultText(why))},"eip":${JSON.stringify(place || hex0x(why.eip))},"by":"${upcall ? 'virtual kernel' : 'host kernel'}"`;
    if (call && result === null && to === from) this.event(`"ph":"i","s":"t","name":${JSON.stringify(call.name)},"cat":"syscall",${this.track(owner)},"ts":${micro(this.ticks(from))},"args":{${args}}`);
    else this.slice(call ? call.name : whyText(why, null), call ? 'syscall' : 'fault', this.track(owner), from, to, args);
  }

  crossed(way: 'in' | 'out', space: Owner, owner: Owner, at: Moment, why: string, left: Moment): void {
    const [from, to] = way === 'in' ? [owner, space] : [space, owner];
    this.flow++;
    const flow = `"id":${this.flow},"name":${JSON.stringify(why ? `switch: ${why}` : 'switch')},"cat":"switch"`;
    this.event(`"ph":"s",${flow},${this.track(from)},"ts":${micro(this.ticks(left))}`);
    this.event(`"ph":"f","bp":"e",${flow},${this.track(to)},"ts":${micro(this.ticks(at))}`);
  }

  signalled(owner: Owner, signal: string, at: Moment): void {
    this.event(`"ph":"i","s":"t","name":"${signal}","cat":"signal",${this.track(owner)},"ts":${micro(this.ticks(at))}`);
  }
}

/** Microseconds of tenths of nanoseconds. */
function micro(ticks: number): string {
  return `${Math.floor(ticks / 10_000)}.${String(ticks % 10_000).padStart(4, '0')}`;
}
