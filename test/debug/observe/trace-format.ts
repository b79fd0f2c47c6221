// A strict reader of the Trace Event format, in the manner of the readers that draw it: whole file in, tracks of nested slices and
// the arrows between them out, and one line for each rule that an event breaks. A lenient reader drops, cuts or moves what breaks
// a rule here, so a trace without complaints looks the same in all of them.
//
// The rules: one object with `displayTimeUnit` and `traceEvents`; exactly the fields of the phase (M, X, B, E, i, s, f); pids and tids
// are whole and positive, a tid belongs to one process and every process has the tid that is its pid (it is its main thread);
// names come first, and once; times are whole nanoseconds; on a track slices nest, longer ones first where they begin together,
// and B and E pair up; an arrow has one s and one f, not before it, each at a slice.

export interface Slice {
  readonly name: string;
  readonly category: string;
  /** Nanoseconds; `to` is the first one after it. */
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  readonly parent: Slice | null;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface Track {
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
  readonly slices: Slice[];
  readonly instants: Slice[];
}

export interface Process {
  readonly pid: number;
  readonly name: string;
  readonly tracks: Track[];
}

export interface Arrow {
  readonly name: string;
  readonly from: Slice;
  readonly to: Slice;
}

export interface Imported {
  readonly complaints: readonly string[];
  /** By sort index. */
  readonly processes: readonly Process[];
  readonly arrows: readonly Arrow[];
}

type Fields = Readonly<Record<string, unknown>>;

interface Event {
  readonly line: number;
  readonly fields: Fields;
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly from: number;
  readonly to: number;
}

/** Fields of each phase beside ph, name, pid, tid. `args?` may be missing. */
const PHASES: Readonly<Record<string, readonly string[]>> = {
  M: ['args'],
  X: ['cat', 'ts', 'dur', 'args'],
  B: ['cat', 'ts', 'args?'],
  E: ['cat', 'ts'],
  i: ['cat', 'ts', 's', 'args?'],
  s: ['cat', 'ts', 'id'],
  f: ['cat', 'ts', 'id', 'bp'],
};
const METADATA: Readonly<Record<string, string>> = { process_name: 'name', thread_name: 'name', process_sort_index: 'sort_index', thread_sort_index: 'sort_index' };

export function importTrace(text: string): Imported {
  return new Reader().read(text);
}

class Reader {
  private readonly complaints: string[] = [];
  private readonly processes = new Map<number, { pid: number; name: string; sort: number; tracks: Map<number, Track & { sort: number }> }>();
  private readonly ownerOfTid = new Map<number, number>();
  private readonly said = new Set<string>();
  private readonly open = new Map<Track, Slice[]>();
  private readonly begun = new Map<Track, Event[]>();
  private readonly starts = new Map<string, { event: Event; slice: Slice | null }>();
  private readonly arrows: Arrow[] = [];

  read(text: string): Imported {
    const events = this.document(text).map((fields, index) => this.event(fields, index)).filter((event) => event !== null);
    for (const event of events) if (event.ph === 'M') this.metadata(event);
      else this.named(event);
    this.mainThreads();
    for (const event of inOrder(this.paired(events))) this.draw(event);
    for (const { event } of this.starts.values()) this.complain(event.line, `arrow ${event.name} has no end`);
    const processes = [...this.processes.values()].sort((a, b) => a.sort - b.sort);
    return { complaints: this.complaints, arrows: this.arrows, processes: processes.map(({ pid, name, tracks }) => ({ pid, name, tracks: [...tracks.values()].sort((a, b) => a.sort - b.sort) })) };
  }

  private complain(line: number, what: string): void {
    this.complaints.push(`event ${line}: ${what}`);
  }

  private document(text: string): Fields[] {
    let whole: unknown;
    try {
      whole = JSON.parse(text);
    } catch (error) {
      this.complaints.push(`not JSON: ${(error as Error).message}`);
      return [];
    }
    const { displayTimeUnit, traceEvents } = whole as Fields;
    if (displayTimeUnit !== 'ns' && displayTimeUnit !== 'ms') this.complaints.push('displayTimeUnit is neither ns nor ms');
    if (Array.isArray(traceEvents)) return traceEvents as Fields[];
    this.complaints.push('no traceEvents');
    return [];
  }

  /** The event when its fields are those of its phase. */
  private event(fields: Fields, index: number): Event | null {
    const line = index + 1;
    const before = this.complaints.length;
    const ph = String(fields.ph);
    const wanted = PHASES[ph];
    if (!wanted) {
      this.complain(line, `phase ${ph}`);
      return null;
    }
    const names = ['ph', 'name', 'pid', 'tid', ...wanted.map((name) => name.replace('?', ''))];
    for (const name of names) if (fields[name] === undefined && !wanted.includes(`${name}?`)) this.complain(line, `${ph} without ${name}`);
    for (const name of Object.keys(fields)) if (!names.includes(name)) this.complain(line, `${ph} with ${name}`);
    for (const name of ['name', 'cat']) if (fields[name] !== undefined && (typeof fields[name] !== 'string' || fields[name] === '')) this.complain(line, `${name} is no word`);
    for (const name of ['pid', 'tid', 'id']) if (fields[name] !== undefined && !(Number.isSafeInteger(fields[name]) && (fields[name] as number) > 0)) this.complain(line, `${name} ${String(fields[name])}`);
    if (ph === 'i' && fields.s !== 't') this.complain(line, `scope ${String(fields.s)}`);
    if (ph === 'f' && fields.bp !== 'e') this.complain(line, `bp ${String(fields.bp)}`);
    const from = this.time(line, 'ts', fields.ts ?? 0);
    const to = from + this.time(line, 'dur', fields.dur ?? 0);
    if (this.complaints.length > before) return null;
    return { line, fields, ph, name: fields.name as string, pid: fields.pid as number, tid: fields.tid as number, from, to };
  }

  /** Nanoseconds of a time in microseconds. */
  private time(line: number, name: string, value: unknown): number {
    const nanoseconds = typeof value === 'number' ? Math.round(value * 1000) : NaN;
    if (!(nanoseconds >= 0)) this.complain(line, `${name} ${String(value)}`);
    else if (nanoseconds / 1000 !== value) this.complain(line, `${name} ${String(value)} is no whole number of nanoseconds`);
    return nanoseconds;
  }

  private metadata({ line, name, pid, tid, fields }: Event): void {
    const field = METADATA[name];
    if (!field) {
      this.complain(line, `metadata ${name}`);
      return;
    }
    const value = (fields.args as Fields)[field];
    const good = field === 'name' ? typeof value === 'string' && value !== '' : Number.isSafeInteger(value);
    const about = name.startsWith('process') ? `${name} of process ${pid}` : `${name} of thread ${tid}`;
    if (!good) this.complain(line, `${about}: ${String(value)}`);
    if (this.said.has(about)) this.complain(line, `${about} again`);
    this.said.add(about);
    if (name === 'process_name') this.processes.set(pid, { pid, name: String(value), sort: 0, tracks: new Map() });
    else if (!this.processes.has(pid)) this.complain(line, `${about} before process_name`);
    else if (name === 'process_sort_index') this.processes.get(pid)!.sort = Number(value);
    else this.thread(line, name, pid, tid, value);
  }

  private thread(line: number, name: string, pid: number, tid: number, value: unknown): void {
    const { tracks } = this.processes.get(pid)!;
    const known = tracks.get(tid);
    if (name === 'thread_sort_index') {
      if (known) known.sort = Number(value);
      else this.complain(line, `thread_sort_index of thread ${tid} before thread_name`);
      return;
    }
    const owner = this.ownerOfTid.get(tid) ?? pid;
    if (owner !== pid) this.complain(line, `thread ${tid} is one of process ${owner}`);
    this.ownerOfTid.set(tid, pid);
    if (!known) tracks.set(tid, { pid, tid, name: String(value), sort: 0, slices: [], instants: [] });
  }

  private track({ pid, tid }: Event): Track | undefined {
    return this.processes.get(pid)?.tracks.get(tid);
  }

  private named(event: Event): void {
    if (!this.track(event)) this.complain(event.line, `thread ${event.tid} of process ${event.pid} has no name yet`);
  }

  private mainThreads(): void {
    for (const { pid, tracks } of this.processes.values()) if (!tracks.has(pid)) this.complaints.push(`process ${pid} has no thread ${pid}`);
  }

  /** Events of named threads, with B and E made into X. */
  private paired(events: readonly Event[]): Event[] {
    const found: Event[] = [];
    for (const event of events) {
      const track = this.track(event);
      if (event.ph === 'M' || !track) continue;
      const begun = this.begun.get(track) ?? [];
      this.begun.set(track, begun);
      if (event.ph === 'B') begun.push(event);
      else if (event.ph === 'E') {
        const start = begun.pop();
        if (!start || start.name !== event.name || event.from < start.from) this.complain(event.line, `E ${event.name} without its B`);
        else found.push({ ...start, ph: 'X', to: event.from });
      } else found.push(event);
    }
    for (const begun of this.begun.values()) for (const { line, name } of begun) this.complain(line, `B ${name} without its E`);
    return found;
  }

  private draw(event: Event): void {
    const track = this.track(event)!;
    const open = this.open.get(track) ?? [];
    this.open.set(track, open);
    if (event.ph === 's' || event.ph === 'f') {
      this.arrow(event, this.at(track, event.from));
      return;
    }
    while (open.length && open.at(-1)!.to <= event.from) open.pop();
    const parent = open.at(-1) ?? null;
    if (parent && event.to > parent.to) this.complain(event.line, `${event.name} begins in ${parent.name} and ends ${event.to - parent.to} ns after it`);
    const args = (event.fields.args ?? {}) as Fields;
    const slice: Slice = { name: event.name, category: String(event.fields.cat), from: event.from, to: event.to, depth: open.length, parent, args };
    (event.ph === 'i' ? track.instants : track.slices).push(slice);
    if (event.ph === 'X') open.push(slice);
  }

  /** The innermost slice at a time: one that lasts, else the one that has just ended. */
  private at(track: Track, time: number): Slice | null {
    const open = this.open.get(track)!.filter(({ to }) => to > time).at(-1);
    const last = track.slices.at(-1);
    return open ?? (last && last.to === time ? last : null);
  }

  private arrow(event: Event, slice: Slice | null): void {
    const { line, name, ph, fields } = event;
    const key = `${String(fields.cat)} ${String(fields.id)} ${name}`;
    const start = this.starts.get(key);
    if (!slice) this.complain(line, `arrow ${name} touches no slice`);
    if (ph === 's') {
      if (start) this.complain(line, `arrow ${key} begins twice`);
      this.starts.set(key, { event, slice });
      return;
    }
    if (!start) this.complain(line, `arrow ${key} has no beginning`);
    else if (start.slice && slice) this.arrows.push({ name, from: start.slice, to: slice });
    this.starts.delete(key);
  }
}

/** By time; of those that begin together the longer slices first, then arrows and instants as in the file. */
function inOrder(events: readonly Event[]): Event[] {
  const key = ({ ph, from, to }: Event): number => (ph === 'X' ? from - to : 1);
  return [...events].sort((a, b) => a.from - b.from || key(a) - key(b) || a.line - b.line);
}
