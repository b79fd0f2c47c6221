// `--trace`: what happens, in virtual time, in the Trace Event format that Perfetto opens. One process of the trace for each
// address space: the host kernel, every process of it, every VM space. A thread's track shows its stays in user mode (`run`) and,
// between them, its system calls and faults until they are over; the host kernel's track shows the processor's stays in ring 0 and, in
// them, when it was halted. Arrows lead from a VM space to the owner that handles what was asked for, and back.
//
// Guarantees: only complete slices (X), which never overlap on one track except by nesting; every s has its f; the same run gives the
// same bytes. Times are whole nanoseconds, written as microseconds: readers round to nanoseconds, beginnings and durations each for
// itself, so that with more digits a slice could end after the next one begins. Stays in user mode are rounded so that each has a length:
// one without would be drawn inside of what follows. As on Linux, tids are those of one machine, and a
// process's first thread has its pid: readers make a thread with that number for every process. Events are written as they end,
// so a trace is never held in memory, but for the last one, so that what is cut off lacks only the closing brackets.

import { hex0x } from '../text.ts';
import { faultText, ownerText, whyText } from './activity.ts';
import type { Sink, Stay } from './activity.ts';
import type { Moment, Pending } from './observer.ts';
import type { Owner } from './stacks.ts';

/** Takes whole lines of the file. */
export type LineWriter = (line: string) => void;

export class TraceWriter implements Sink {
  private readonly processes = new Map<string, number>();
  private readonly threads = new Map<string, number>();
  private readonly kernelTrack: string;
  /** The last pid or tid given. */
  private last = 0;
  private flow = 0;
  private held = '';

  /** @param hertz cycles in a second of virtual time */
  constructor(private readonly hertz: number, private readonly write: LineWriter) {
    write(`{"displayTimeUnit":"ns","otherData":{"clock":"virtual time","hertz":${hertz}},"traceEvents":[`);
    const kernel = this.process('', 'host kernel');
    this.kernelTrack = this.thread(kernel, 1, 'processor');
  }

  /** The last line. */
  end(): void {
    this.write(`${this.held}]}`);
  }

  private event(fields: string): void {
    if (this.held) this.write(`${this.held},`);
    this.held = `{${fields}}`;
  }

  private metadata(what: string, pid: number, tid: number, args: string): void {
    this.event(`"ph":"M","name":"${what}","pid":${pid},"tid":${tid},"args":{${args}}`);
  }

  private process(key: string, name: string): number {
    const known = this.processes.get(key);
    if (known !== undefined) return known;
    const pid = ++this.last;
    this.processes.set(key, pid);
    this.metadata('process_name', pid, pid, `"name":${quoted(name)}`);
    this.metadata('process_sort_index', pid, pid, `"sort_index":${pid}`);
    return pid;
  }

  /** `"pid":3,"tid":4` of a thread of a process. */
  private thread(pid: number, lwp: number, name: string): string {
    const key = `${pid}.${lwp}`;
    let tid = this.threads.get(key);
    if (tid === undefined) {
      tid = lwp === 1 ? pid : ++this.last;
      this.threads.set(key, tid);
      this.metadata('thread_name', pid, tid, `"name":${quoted(name)}`);
      this.metadata('thread_sort_index', pid, tid, `"sort_index":${lwp}`);
    }
    return `"pid":${pid},"tid":${tid}`;
  }

  private track(owner: Owner): string {
    const { kernel, pid, space, name, tid } = owner;
    return this.thread(this.process(`${kernel}:${pid}:${space}:${name}`, title(owner)), tid, `lwp ${tid}`);
  }

  /** Nanoseconds, perhaps with a fraction. */
  private time({ cycles }: Moment): number {
    return (cycles * 1000) / (this.hertz / 1e6);
  }

  /** When user mode was left. */
  private entry(at: Moment): number {
    return Math.ceil(this.time(at));
  }

  /** When user mode was entered, or the run ended. */
  private exit(at: Moment): number {
    return Math.floor(this.time(at));
  }

  private slice(name: string, category: string, track: string, from: number, to: number, args: string): void {
    this.event(`"ph":"X","name":${quoted(name)},"cat":"${category}",${track},"ts":${micro(from)},"dur":${micro(Math.max(0, to - from))},"args":{${args}}`);
  }

  /** A fault may end a stay before its first instruction. */
  ran(owner: Owner, from: Moment, to: Moment, why: Pending, work: Owner | null): void {
    if (this.entry(to) === this.exit(from)) return;
    const what = work ? `,"for":${quoted(ownerText(work))}` : '';
    this.slice('run', owner.space === null ? 'process' : 'vmspace', this.track(owner), this.exit(from), this.entry(to), `"insns":${to.instructions - from.instructions},"until":${quoted(whyText(why, null))}${what}`);
  }

  kernel(what: string, owner: Owner, from: Moment, to: Moment): void {
    this.slice(what, 'kernel', this.kernelTrack, this.entry(from), this.exit(to), `"insns":${to.instructions - from.instructions},"from":${quoted(ownerText(owner))}`);
  }

  idled(from: Moment, to: Moment): void {
    this.slice('idle', 'idle', this.kernelTrack, this.entry(from), this.exit(to), '');
  }

  /** A call of exit, which is over at once and never ends, is drawn one nanosecond long: arrows need something to begin at. */
  stayed({ owner, why, call, from, place, upcall }: Stay, result: string | null, to: Moment): void {
    const args = call ? `"call":${quoted(`${call.name}${call.text}`)},"result":${quoted(result ?? '?')}` : `"fault":${quoted(faultText(why))},"eip":${quoted(place || hex0x(why.eip))},"by":"${upcall ? 'virtual kernel' : 'host kernel'}"`;
    this.slice(call ? call.name : whyText(why, null), call ? 'syscall' : 'fault', this.track(owner), this.entry(from), to === from ? this.entry(from) + 1 : this.exit(to), args);
  }

  crossed(way: 'in' | 'out', space: Owner, owner: Owner, at: Moment, why: string, left: Moment): void {
    const [from, to] = way === 'in' ? [owner, space] : [space, owner];
    this.flow++;
    const flow = `"id":${this.flow},"name":${quoted(why ? `switch: ${why}` : 'switch')},"cat":"switch"`;
    this.event(`"ph":"s",${flow},${this.track(from)},"ts":${micro(way === 'in' ? this.exit(at) : this.entry(left))}`);
    this.event(`"ph":"f","bp":"e",${flow},${this.track(to)},"ts":${micro(this.exit(at))}`);
  }

  signalled(owner: Owner, signal: string, at: Moment): void {
    this.event(`"ph":"i","s":"t","name":"${signal}","cat":"signal",${this.track(owner)},"ts":${micro(this.exit(at))}`);
  }
}

/** `sh, process 5 of the host`, `vmspace 3: ls, process 4 of vkernel 2`. */
function title({ kernel, pid, space, name }: Owner): string {
  const process = `${name}, process ${pid} of ${kernel ? `vkernel ${kernel}` : 'the host'}`;
  return space === null ? process : `vmspace ${space}: ${process}`;
}

/** A string of the file. Names come from the guest and may have any bytes; the file has but ASCII. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Microseconds of nanoseconds. */
function micro(nanoseconds: number): string {
  return `${Math.floor(nanoseconds / 1000)}.${String(nanoseconds % 1000).padStart(3, '0')}`;
}
