// ls: lists directories and files, one name a line; -l with type, mode, links, size and time order of BSD's ls, -a with
// names that begin with a dot.

import { S_IFDIR, S_IFLNK, S_IFMT, S_IFCHR, S_IFBLK, S_IFIFO, Stat } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { fail } from '../libc/process.ts';
import { eprint, print } from '../libc/stdio.ts';
import { padLeft, stringOf } from '../libc/strings.ts';
import { malloc } from '../libc/rt.ts';
import { lstat, readlink } from '../libc/sys.ts';

let long: bool = false;
let all: bool = false;
let status!: Embed<Stat>;

function typeLetter(mode: u32): string {
  const type = mode & S_IFMT;
  if (type == S_IFDIR) return "d";
  if (type == S_IFLNK) return "l";
  if (type == S_IFCHR) return "c";
  if (type == S_IFBLK) return "b";
  return type == S_IFIFO ? "p" : "-";
}

function modeText(mode: u32): string {
  let text = typeLetter(mode);
  for (let i: i32 = 8; i >= 0; i--) {
    const set = ((mode >> (i as u32)) & 1) != 0;
    const letter = i % 3 == 2 ? "r" : i % 3 == 1 ? "w" : "x";
    text = text + (set ? letter : "-");
  }
  return text;
}

function linkTarget(path: string): string {
  const buffer = malloc(1024);
  const n = readlink(path, buffer, 1024);
  return n < 0 ? "" : " -> " + stringOf(buffer, n);
}

function show(path: string, name: string): i32 {
  if (!long) {
    print(name + "\n");
    return 0;
  }
  if (lstat(path, changetype<usize>(status)) < 0) return fail("ls", path);
  const mode = status.mode as u32;
  const target = (mode & S_IFMT) == S_IFLNK ? linkTarget(path) : "";
  print(modeText(mode) + padLeft(`${status.nlink}`, 4) + padLeft(`${status.size}`, 10) + " " + name + target + "\n");
  return 0;
}

function list(path: string, header: bool): i32 {
  if (lstat(path, changetype<usize>(status)) < 0) return fail("ls", path);
  if (((status.mode as u32) & S_IFMT) != S_IFDIR) return show(path, path);
  const entries = readDirectory(path);
  if (entries == null) return fail("ls", path);
  if (header) print(path + ":\n");
  let result: i32 = 0;
  for (const entry of entries) {
    if (!all && entry.name.charCodeAt(0) == 46) continue;
    if (show(path + "/" + entry.name, entry.name) != 0) result = 1;
  }
  return result;
}

function main(args: string[]): i32 {
  let first: i32 = 1;
  while (first < args.length && args[first]!.startsWith("-") && args[first]!.length > 1) {
    const flags = args[first]!;
    for (let i: i32 = 1; i < flags.length; i++) {
      const flag = flags.charCodeAt(i);
      if (flag == 108) long = true;
      else if (flag == 97) all = true;
      else if (flag != 49) {
        eprint("usage: ls [-1al] [file ...]\n");
        return 2;
      }
    }
    first++;
  }
  if (first == args.length) return list(".", false);
  let result: i32 = 0;
  for (let i = first; i < args.length; i++) if (list(args[i]!, args.length - first > 1) != 0) result = 1;
  return result;
}

setMain(main);
