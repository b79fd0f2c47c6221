// diff: how two texts differ, by the shortest list of changes (Myers 1986). By default as commands 1,2c3,4 with the lines
// of both sides; -u in the unified form with three lines around each change; -q only whether they do. Two directories: what differs in
// them, with -r and in those below; a directory and a file: the file of the same name. Exit code 0: equal, 1: different, 2: an error.

import { S_IFDIR, S_IFMT } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { inputText } from '../libc/input.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail, statOf } from '../libc/process.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { baseName, splitLines } from '../libc/strings.ts';

const CONTEXT: i32 = 3;

/** Lines from..to of the first text become lines newFrom..newTo of the second. */
class Change {
  from: i32 = 0;
  to: i32 = 0;
  newFrom: i32 = 0;
  newTo: i32 = 0;
}

let unified: bool = false;
let brief: bool = false;
let recursive: bool = false;
let options: string = "";
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

function isDirectory(path: string): bool {
  const st = path == "-" ? null : statOf(path);
  return st != null && ((st.mode as u32) & S_IFMT) == S_IFDIR;
}

/** Two files; the exit code. In directories a line says before which files they are. */
function compareFiles(name: string, newName: string, within: bool): i32 {
  const first = inputText("diff", name);
  const second = inputText("diff", newName);
  if (first == null || second == null) return 2;
  if (first == second) return 0;
  if (brief) {
    print("Files " + name + " and " + newName + " differ\n");
    return 1;
  }
  a = splitLines(first!);
  b = splitLines(second!);
  const list = changes();
  if (list.length == 0) return 0;
  if (within) print("diff" + options + " " + name + " " + newName + "\n");
  if (unified) printUnified(list, name, newName);
  else printNormal(list);
  return 1;
}

/** The names in two directories, in order. */
function commonNames(name: string, newName: string): string[] | null {
  const names: string[] = [];
  for (const directory of [name, newName]) {
    const entries = readDirectory(directory);
    if (entries == null) {
      fail("diff", directory);
      return null;
    }
    for (const entry of entries) if (entry.name != "." && entry.name != ".." && names.indexOf(entry.name) < 0) names.push(entry.name);
  }
  return names.sort(compareNames);
}

function compareNames(x: string, y: string): i32 {
  return x < y ? -1 : x == y ? 0 : 1;
}

function compareDirectories(name: string, newName: string): i32 {
  const names = commonNames(name, newName);
  if (names == null) return 2;
  let worst: i32 = 0;
  for (const one of names) {
    const status = comparePair(name, newName, one);
    if (status > worst) worst = status;
  }
  return worst;
}

/** What has a name in one of two directories, or in both. */
function comparePair(name: string, newName: string, one: string): i32 {
  const before = name + "/" + one;
  const now = newName + "/" + one;
  if (statOf(before) == null || statOf(now) == null) {
    print("Only in " + (statOf(before) == null ? newName : name) + ": " + one + "\n");
    return 1;
  }
  if (isDirectory(before) != isDirectory(now)) {
    print(before + " and " + now + ": one is a directory\n");
    return 1;
  }
  if (!isDirectory(before)) return compareFiles(before, now, true);
  if (recursive) return compareDirectories(before, now);
  print("Common subdirectories: " + before + " and " + now + "\n");
  return 0;
}

function compare(name: string, newName: string): i32 {
  if (isDirectory(name) && isDirectory(newName)) return compareDirectories(name, newName);
  if (isDirectory(name)) return compareFiles(name + "/" + baseName(newName), newName, false);
  if (isDirectory(newName)) return compareFiles(name, newName + "/" + baseName(name), false);
  return compareFiles(name, newName, false);
}

function usage(): i32 {
  eprint("usage: diff [-qru] file1 file2\n");
  return 2;
}

function main(args: string[]): i32 {
  for (let option = nextOption(args, "qru"); option != 0; option = nextOption(args, "qru")) {
    const letter = String.fromCharCode(option);
    if (letter == "u") unified = true;
    if (letter == "q") brief = true;
    if (letter == "r") recursive = true;
    options = options + " -" + letter;
    if (option < 0) return usage();
  }
  if (args.length != afterOptions + 2) return usage();
  const status = compare(args[afterOptions]!, args[afterOptions + 1]!);
  return flush() ? status : 2;
}

setMain(main);
