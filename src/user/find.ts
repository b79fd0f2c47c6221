// find: the files below directories, each by its path, for which all tests hold: -name PATTERN, -type f|d|l|c, -size +N or -N (in
// blocks of 512 bytes), -newer FILE, -exec COMMAND ; ({} is the path, and the command must succeed), ! before a test. -exec COMMAND {} +
// is run with many paths at once, at the end. With -exec nothing is printed unless -print follows. -maxdepth N goes N directories down.

import { S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, Stat } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { matchesPattern } from '../libc/pattern.ts';
import { execvp, exitStatus, fail, statOf, waitFor } from '../libc/process.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { baseName, parseNumber } from '../libc/strings.ts';
import { _exit, fork, lstat } from '../libc/sys.ts';

/** Paths that one command of -exec ... + gets at most. */
const MANY: i32 = 100;

class Test {
  kind: string = "";
  text: string = "";
  number: u32 = 0;
  negated: bool = false;
  command: string[] = [];
  paths: string[] = [];      // of -exec ... +, those that wait for it
}

const tests: Test[] = [];
let printing: bool = true;
let maxDepth: i32 = 0x7fffffff;
let st!: Embed<Stat>;
let status: i32 = 0;

function typeOf(letter: string): u32 {
  return letter == "f" ? S_IFREG : letter == "d" ? S_IFDIR : letter == "l" ? S_IFLNK : letter == "c" ? S_IFCHR : 0;
}

/** Runs a command to its end; its exit status. */
function run(command: string[]): i32 {
  flush();
  const pid = fork();
  if (pid < 0) return fail("find", "fork");
  if (pid == 0) {
    execvp(command);
    fail("find", command[0]!);
    _exit(127);
  }
  return exitStatus(waitFor(pid));
}

/** `text` with the path for each {}. */
function withPath(text: string, path: string): string {
  const at = text.indexOf("{}");
  return at < 0 ? text : text.substring(0, at) + path + withPath(text.substring(at + 2), path);
}

function execute(test: Test, path: string): bool {
  const command: string[] = [];
  for (const word of test.command) command.push(withPath(word, path));
  return run(command) == 0;
}

/** Runs an -exec ... + with the paths that wait for it. */
function executeMany(test: Test): void {
  if (test.paths.length == 0) return;
  const command = test.command.slice(0);
  for (const path of test.paths) command.push(path);
  if (run(command) != 0) status = 1;
  test.paths = [];
}

function collect(test: Test, path: string): bool {
  test.paths.push(path);
  if (test.paths.length == MANY) executeMany(test);
  return true;
}

function holds(test: Test, path: string): bool {
  if (test.kind == "-name") return matchesPattern(test.text, baseName(path));
  if (test.kind == "-type") return ((st.mode as u32) & S_IFMT) == test.number;
  if (test.kind == "-print") print(path + "\n");
  if (test.kind == "-print") return true;
  if (test.kind == "-exec") return execute(test, path);
  if (test.kind == "+") return collect(test, path);
  if (test.kind == "-newer") return st.mtime > test.number;
  const blocks = (st.size + 511) / 512;
  return test.text.startsWith("+") ? blocks > test.number : test.text.startsWith("-") ? blocks < test.number : blocks == test.number;
}

function visit(path: string, depth: i32): void {
  if (lstat(path, addressof(st)) < 0) {
    status = fail("find", path);
    return;
  }
  const directory = ((st.mode as u32) & S_IFMT) == S_IFDIR;
  let all = true;
  for (const test of tests) if (all && holds(test, path) == test.negated) all = false;
  if (all && printing) print(path + "\n");
  if (!directory || depth == maxDepth) return;
  const entries = readDirectory(path);
  if (entries == null) {
    status = fail("find", path);
    return;
  }
  for (const entry of entries) if (entry.name != "." && entry.name != "..") visit(path == "/" ? "/" + entry.name : path + "/" + entry.name, depth + 1);
}

/** One test from the arguments; false when it is none. */
function addTest(kind: string, text: string, negated: bool): bool {
  const test = new Test();
  test.kind = kind;
  test.text = text;
  test.negated = negated;
  if (kind == "-type") test.number = typeOf(text);
  else if (kind == "-size") test.number = parseNumber(text.startsWith("+") || text.startsWith("-") ? text.substring(1) : text, 0) as u32;
  else if (kind == "-newer") {
    const other = statOf(text);
    if (other == null) return false;
    test.number = other.mtime;
  } else if (kind != "-name") return false;
  tests.push(test);
  return kind != "-type" || test.number != 0;
}

/** The command of -exec from `at` on; the index after its end, or -1. */
function addCommand(args: string[], at: i32, negated: bool): i32 {
  const test = new Test();
  test.negated = negated;
  let end = at;
  while (end < args.length && args[end] != ";" && !(args[end] == "+" && args[end - 1] == "{}")) end++;
  if (end == args.length || end == at) return -1;
  test.kind = args[end] == "+" ? "+" : "-exec";
  test.command = args.slice(at, args[end] == "+" ? end - 1 : end);
  if (test.command.length == 0) return -1;
  tests.push(test);
  printing = false;
  return end + 1;
}

/** One expression at `at`; the index after it, or -1 when it is none. */
function addExpression(args: string[], at: i32): i32 {
  const negated = args[at] == "!";
  const first = negated ? at + 1 : at;
  if (first == args.length) return -1;
  if (args[first] == "-print") {
    const test = new Test();
    test.kind = "-print";
    tests.push(test);
    printing = false;
    return first + 1;
  }
  if (args[first] == "-exec") return addCommand(args, first + 1, negated);
  if (first + 1 == args.length) return -1;
  if (args[first] == "-maxdepth") {
    maxDepth = parseNumber(args[first + 1]!, -1);
    return maxDepth < 0 ? -1 : first + 2;
  }
  return addTest(args[first]!, args[first + 1]!, negated) ? first + 2 : -1;
}

function main(args: string[]): i32 {
  const places: string[] = [];
  let at: i32 = 1;
  for (; at < args.length && !args[at]!.startsWith("-") && args[at] != "!"; at++) places.push(args[at]!);
  while (at < args.length) {
    at = addExpression(args, at);
    if (at >= 0) continue;
    eprint("usage: find [directory ...] [-maxdepth n | [!] -name pattern | -type fdlc | -size [+-]blocks | -newer file | -exec command ; | -exec command {} + | -print] ...\n");
    return 2;
  }
  if (places.length == 0) places.push(".");
  for (const place of places) visit(place, 0);
  for (const test of tests) executeMany(test);
  return status;
}

setMain(main);
