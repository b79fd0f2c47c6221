// top: what the processor did in the last seconds, again and again: each process with its share, and below a virtual kernel
// its VM spaces with theirs. On a terminal it fills the screen until q is pressed; -n COUNT ends after COUNT reports, -s SECONDS sets the
// time between them (2). Without a terminal it prints one report after another, one unless -n says more.

import { KInfoProc, KInfoVmspace } from '../abi/file.ts';
import { Timespec } from '../abi/time.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { hexadecimal, padLeft, padRight, parseNumber } from '../libc/strings.ts';
import { heapMark, heapRelease } from '../libc/malloc.ts';
import { clearScreen, isTerminal, readKey, rawTerminal, screenRows, cookedTerminal } from '../libc/terminal.ts';
import { clockGettime, nanosleep } from '../libc/sys.ts';
import { commandName, cpuTime, readProcesses, readSpaces, waitName } from './procs.ts';

class Line {
  usec: u32 = 0;           // used since the last report
  text: string = "";
  spaces: Line[] = [];
}

let clock!: Embed<Timespec>;
let lastTime: u32 = 0;

/** Times at the last report, by process or space: fixed tables, because everything else is forgotten after each report. */
const TABLE: i32 = 2048;
class Times {
  count: i32 = 0;
  key!: FixedArray<u32, 2048>;
  usec!: FixedArray<u32, 2048>;
}
let processTimes!: Embed<Times>;
let spaceTimes!: Embed<Times>;

/** A kernel tells times by what a cycle has come to so far: they may shrink by so many microseconds. What shrinks by more is somebody new. */
const SHRINKING: u32 = 1000;

/** What `key` has used since the last report, and remembers `total` for the next. */
function since(times: Times, key: u32, total: u32): u32 {
  let at: i32 = 0;
  while (at < times.count && times.key[at] != key) at++;
  if (at == TABLE) return 0;
  let before: u32 = at < times.count && times.usec[at] <= total + SHRINKING ? times.usec[at] : 0;
  if (before > total) before = total;
  if (at == times.count) times.count++;
  times.key[at] = key;
  times.usec[at] = total;
  return total - before;
}

/** Microseconds of the monotonic clock, modulo 2^32. */
function now(): u32 {
  clockGettime(4, addressof(clock));
  return (clock.sec as u32) * 1000000 + (clock.nsec as u32) / 1000;
}

/** `part` of `whole` as a percentage with one decimal. */
function percent(part: u32, whole: u32): string {
  const tenths = whole < 1000 ? 0 : part / (whole / 1000);
  return padLeft(`${tenths / 10}.${tenths % 10}`, 6);
}

function processLine(p: KInfoProc, elapsed: u32): Line {
  const line = new Line();
  const total = p.userUsec + p.sysUsec;
  line.usec = since(processTimes, p.pid as u32, total);
  line.text = padLeft(`${p.pid}`, 5) + " " + padRight(String.fromCharCode(p.state), 2) + percent(line.usec, elapsed) + cpuTime(total) + padLeft(`${p.pages}`, 7)
    + padLeft(`${p.spaces}`, 7) + " " + padRight(waitName(p), 8) + commandName(p);
  return line;
}

function spaceLine(space: KInfoVmspace, elapsed: u32): Line {
  const line = new Line();
  line.usec = since(spaceTimes, space.id, space.usec);
  line.text = "      " + padRight(space.running > 0 ? "R" : "-", 2) + percent(line.usec, elapsed) + cpuTime(space.usec) + padLeft(`${space.pages}`, 7)
    + "                space " + hexadecimal(space.id, 8);
  return line;
}

function busiestFirst(a: Line, b: Line): i32 {
  return a.usec > b.usec ? -1 : a.usec == b.usec ? 0 : 1;
}

function lines(elapsed: u32): Line[] | null {
  const processes = readProcesses();
  const spaces = readSpaces();
  if (processes == null || spaces == null) return null;
  const list: Line[] = [];
  for (const p of processes) {
    if (p.state == 90) continue;
    const line = processLine(p, elapsed);
    for (const space of spaces) if (space.pid == p.pid) line.spaces.push(spaceLine(space, elapsed));
    line.spaces.sort(busiestFirst);
    list.push(line);
  }
  list.sort(busiestFirst);
  return list;
}

/** One report of at most `rows` lines; false with errno. */
function report(rows: i32): bool {
  const time = now();
  const elapsed = time - lastTime;
  lastTime = time;
  const list = lines(elapsed);
  if (list == null) return false;
  let busy: u32 = 0;
  for (const line of list) busy += line.usec;
  print(`${list.length} processes,${percent(busy, elapsed)} % busy,${percent(busy < elapsed ? elapsed - busy : 0, elapsed)} % idle\n\n`);
  print("  PID ST  %CPU      TIME  PAGES SPACES WAIT    COMMAND\n");
  let left = rows - 4;
  for (const line of list) {
    if (left-- > 0) print(line.text + "\n");
    for (const space of line.spaces) if (left-- > 0) print(space.text + "\n");
  }
  flush();
  return true;
}

/** Waits for the next report; true: q was pressed. */
function pause(terminal: bool, seconds: i32): bool {
  if (terminal) return readKey(seconds * 1000) == 113;
  clock.sec = seconds;
  clock.nsec = 0;
  nanosleep(addressof(clock), 0);
  return false;
}

function usage(): i32 {
  eprint("usage: top [-n reports] [-s seconds]\n");
  return 2;
}

function main(args: string[]): i32 {
  let count: i32 = 0;
  let seconds: i32 = 2;
  for (let i: i32 = 1; i < args.length; i += 2) {
    const value = i + 1 < args.length ? parseNumber(args[i + 1]!, 0) : 0;
    if (value <= 0 || (args[i] != "-n" && args[i] != "-s")) return usage();
    if (args[i] == "-n") count = value;
    else seconds = value;
  }
  const terminal = isTerminal(1) && rawTerminal();
  if (!terminal && count == 0) count = 1;
  const mark = heapMark();
  for (let n: i32 = 0; count == 0 || n < count; n++) {
    if (n > 0 && pause(terminal, seconds)) break;
    heapRelease(mark);
    if (terminal) clearScreen();
    if (!report(terminal ? screenRows() : 1000)) {
      cookedTerminal();
      return fail("top", "sysctl");
    }
  }
  cookedTerminal();
  return 0;
}

setMain(main);
