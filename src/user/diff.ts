// diff: how two texts differ, by the shortest list of changes (Myers 1986). By default as commands 1,2c3,4 with the lines
// of both sides; -u in the unified form with three lines around each change. Exit code 0: equal, 1: different, 2: an error.

import { setMain } from '../libc/crt.ts';
import { inputLines } from '../libc/input.ts';
import { eprint, flush, print } from '../libc/stdio.ts';

const CONTEXT: i32 = 3;

/** Lines from..to of the first text become lines newFrom..newTo of the second. */
class Change {
  from: i32 = 0;
  to: i32 = 0;
  newFrom: i32 = 0;
  newTo: i32 = 0;
}

let a: string[] = [];
let b: string[] = [];

/** For d = 0, 1, ...: how far d changes lead on each diagonal; until the end is reached. */
function traces(): i32[][] {
  const n = a.length;
  const m = b.length;
  const history: i32[][] = [];
  let reach: i32[] = [0, 0];              // of diagonal k at index k + d + 1, for the present d
  for (let d: i32 = 0; ; d++) {
    const next: i32[] = [];
    for (let i: i32 = 0; i < 2 * d + 4; i++) next.push(0);
    for (let k = -d; k <= d; k += 2) {
      const below = k + d;                // index of diagonal k-1 among those of d-1, and k+1 is two further
      let x: i32 = 0;
      if (d > 0) x = k == -d || (k != d && reach[below - 1]! < reach[below + 1]!) ? reach[below + 1]! : reach[below - 1]! + 1;
      let y = x - k;
      while (x < n && y < m && a[x] == b[y]) {
        x++;
        y++;
      }
      next[k + d + 1] = x;
      if (x < n || y < m) continue;
      history.push(next);
      return history;
    }
    history.push(next);
    reach = next;
  }
}

/** The changes in order. */
function changes(): Change[] {
  const history = traces();
  const list: Change[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = history.length - 1; d > 0; d--) {
    const before = history[d - 1]!;
    const k = x - y;
    const down = k == -d || (k != d && before[k + d - 1]! < before[k + d + 1]!);
    const fromX = down ? before[k + d + 1]! : before[k + d - 1]!;
    const fromY = fromX - (down ? k + 1 : k - 1);
    addBefore(list, fromX, down ? fromX : fromX + 1, fromY, down ? fromY + 1 : fromY);
    x = fromX;
    y = fromY;
  }
  const ordered: Change[] = [];
  for (let i = list.length - 1; i >= 0; i--) ordered.push(list[i]!);
  return ordered;
}

/** One more change in front of those found so far: joined with the last when they touch. */
function addBefore(list: Change[], from: i32, to: i32, newFrom: i32, newTo: i32): void {
  if (list.length > 0) {
    const last = list[list.length - 1]!;
    if (last.from == to && last.newFrom == newTo) {
      last.from = from;
      last.newFrom = newFrom;
      return;
    }
  }
  const change = new Change();
  change.from = from;
  change.to = to;
  change.newFrom = newFrom;
  change.newTo = newTo;
  list.push(change);
}

function range(from: i32, to: i32): string {
  return to - from == 1 ? `${from + 1}` : to == from ? `${from}` : `${from + 1},${to}`;
}

function printLines(lines: string[], from: i32, to: i32, mark: string): void {
  for (let i = from; i < to; i++) print(mark + lines[i]! + "\n");
}

function printNormal(list: Change[]): void {
  for (const c of list) {
    const letter = c.from == c.to ? "a" : c.newFrom == c.newTo ? "d" : "c";
    print(range(c.from, c.to) + letter + range(c.newFrom, c.newTo) + "\n");
    printLines(a, c.from, c.to, "< ");
    if (letter == "c") print("---\n");
    printLines(b, c.newFrom, c.newTo, "> ");
  }
}

function span(from: i32, to: i32): string {
  return to - from == 1 ? `${from + 1}` : `${to == from ? from : from + 1},${to - from}`;
}

/** Changes first..last with the lines between and around them. */
function printHunk(list: Change[], first: i32, last: i32): void {
  const head = list[first]!;
  const tail = list[last]!;
  const before = head.from < CONTEXT ? head.from : CONTEXT;
  const after = a.length - tail.to < CONTEXT ? a.length - tail.to : CONTEXT;
  print("@@ -" + span(head.from - before, tail.to + after) + " +" + span(head.newFrom - before, tail.newTo + after) + " @@\n");
  let at = head.from - before;
  for (let i = first; i <= last; i++) {
    const c = list[i]!;
    printLines(a, at, c.from, " ");
    printLines(a, c.from, c.to, "-");
    printLines(b, c.newFrom, c.newTo, "+");
    at = c.to;
  }
  printLines(a, at, tail.to + after, " ");
}

function printUnified(list: Change[], name: string, newName: string): void {
  print("--- " + name + "\n+++ " + newName + "\n");
  let first: i32 = 0;
  for (let i: i32 = 0; i < list.length; i++) {
    if (i + 1 < list.length && list[i + 1]!.from - list[i]!.to <= 2 * CONTEXT) continue;
    printHunk(list, first, i);
    first = i + 1;
  }
}

function main(args: string[]): i32 {
  const unified = args.length > 1 && args[1] == "-u";
  const at: i32 = unified ? 2 : 1;
  if (args.length != at + 2) {
    eprint("usage: diff [-u] file1 file2\n");
    return 2;
  }
  const first = inputLines("diff", args[at]!);
  const second = inputLines("diff", args[at + 1]!);
  if (first == null || second == null) return 2;
  a = first!;
  b = second!;
  const list = changes();
  if (list.length == 0) return 0;
  if (unified) printUnified(list, args[at]!, args[at + 1]!);
  else printNormal(list);
  return flush() ? 1 : 2;
}

setMain(main);
