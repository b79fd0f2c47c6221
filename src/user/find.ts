// find: the files below directories, each by its path, for which a test holds: -name PATTERN, -type f|d|l|c, -size +N or -N (in
// blocks of 512 bytes), -newer FILE, ! before a test. All given tests must hold.

import { S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, Stat } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { matchesPattern } from '../libc/pattern.ts';
import { fail, statOf } from '../libc/process.ts';
import { eprint, print } from '../libc/stdio.ts';
import { baseName, parseNumber } from '../libc/strings.ts';
import { lstat } from '../libc/sys.ts';

class Test {
  kind: string = "";
  text: string = "";
  number: u32 = 0;
  negated: bool = false;
}

const tests: Test[] = [];
let st!: Embed<Stat>;
let status: i32 = 0;

function typeOf(letter: string): u32 {
  return letter == "f" ? S_IFREG : letter == "d" ? S_IFDIR : letter == "l" ? S_IFLNK : letter == "c" ? S_IFCHR : 0;
}

function holds(test: Test, path: string): bool {
  if (test.kind == "-name") return matchesPattern(test.text, baseName(path));
  if (test.kind == "-type") return ((st.mode as u32) & S_IFMT) == test.number;
  if (test.kind == "-newer") return st.mtime > test.number;
  const blocks = (st.size + 511) / 512;
  return test.text.startsWith("+") ? blocks > test.number : test.text.startsWith("-") ? blocks < test.number : blocks == test.number;
}

function visit(path: string): void {
  if (lstat(path, addressof(st)) < 0) {
    status = fail("find", path);
    return;
  }
  const directory = ((st.mode as u32) & S_IFMT) == S_IFDIR;
  let all = true;
  for (const test of tests) if (holds(test, path) == test.negated) all = false;
  if (all) print(path + "\n");
  if (!directory) return;
  const entries = readDirectory(path);
  if (entries == null) {
    status = fail("find", path);
    return;
  }
  for (const entry of entries) if (entry.name != "." && entry.name != "..") visit(path == "/" ? "/" + entry.name : path + "/" + entry.name);
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

function main(args: string[]): i32 {
  const places: string[] = [];
  let at: i32 = 1;
  for (; at < args.length && !args[at]!.startsWith("-") && args[at] != "!"; at++) places.push(args[at]!);
  while (at < args.length) {
    const negated = args[at] == "!";
    if (negated) at++;
    if (at < args.length && args[at] == "-print") {
      at++;
      continue;
    }
    if (at + 1 >= args.length || !addTest(args[at]!, args[at + 1]!, negated)) {
      eprint("usage: find [directory ...] [[!] -name pattern | -type fdlc | -size [+-]blocks | -newer file] ...\n");
      return 2;
    }
    at += 2;
  }
  if (places.length == 0) places.push(".");
  for (const place of places) visit(place);
  return status;
}

setMain(main);
