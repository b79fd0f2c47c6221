// cp: copies a file to another name, or several files into a directory; -R (-r, -a) directories with all below, links as links.
// Modes are kept.

import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, Stat } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail, statOf } from '../libc/process.ts';
import { eprint, writeAll } from '../libc/stdio.ts';
import { baseName, stringOf } from '../libc/strings.ts';
import { malloc } from '../libc/rt.ts';
import { close, lstat, mkdir, open, read, readlink, symlink } from '../libc/sys.ts';

const CHUNK: usize = 65536;

let st!: Embed<Stat>;

function isDirectory(path: string): bool {
  const st = statOf(path);
  return st != null && ((st.mode as u32) & S_IFMT) == S_IFDIR;
}

function pump(from: i32, to: i32, name: string, target: string, buffer: usize): i32 {
  for (;;) {
    const n = read(from, buffer, CHUNK);
    if (n == 0) return 0;
    if (n < 0) return fail("cp", name);
    if (!writeAll(to, buffer, n as usize)) return fail("cp", target);
  }
}

function copy(name: string, target: string, buffer: usize): i32 {
  const from = open(name, O_RDONLY, 0);
  if (from < 0) return fail("cp", name);
  const st = statOf(name);
  const mode: u32 = st == null ? 0x1a4 : (st.mode as u32) & 0x1ff;
  const to = open(target, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (to < 0) {
    close(from);
    return fail("cp", target);
  }
  const status = pump(from, to, name, target, buffer);
  close(from);
  close(to);
  return status;
}

function copyLink(name: string, target: string, buffer: usize): i32 {
  const n = readlink(name, buffer, CHUNK);
  if (n < 0) return fail("cp", name);
  return symlink(stringOf(buffer, n), target) < 0 ? fail("cp", target) : 0;
}

/** A file, or a directory with all below. */
function copyTree(name: string, target: string, buffer: usize): i32 {
  if (lstat(name, addressof(st)) < 0) return fail("cp", name);
  const type = (st.mode as u32) & S_IFMT;
  if (type == S_IFLNK) return copyLink(name, target, buffer);
  if (type == S_IFREG) return copy(name, target, buffer);
  if (type != S_IFDIR) {
    eprint("cp: " + name + ": not a file or directory\n");
    return 1;
  }
  const mode = (st.mode as u32) & 0x1ff;
  const entries = readDirectory(name);
  if (entries == null) return fail("cp", name);
  if (!isDirectory(target) && mkdir(target, mode) < 0) return fail("cp", target);
  let status: i32 = 0;
  for (const entry of entries) {
    if (entry.name != "." && entry.name != ".." && copyTree(name + "/" + entry.name, target + "/" + entry.name, buffer) != 0) status = 1;
  }
  return status;
}

function isBelow(target: string, name: string): bool {
  return target == name || target.startsWith(name.endsWith("/") ? name : name + "/");
}

function usage(): i32 {
  eprint("usage: cp [-Rafpr] file target | cp [-Rafpr] file ... directory\n");
  return 2;
}

function main(args: string[]): i32 {
  let recursive = false;
  for (let option = nextOption(args, "Rafpr"); option != 0; option = nextOption(args, "Rafpr")) {
    const letter = String.fromCharCode(option);
    if (option < 0) return usage();
    if (letter == "R" || letter == "r" || letter == "a") recursive = true;
  }
  if (args.length - afterOptions < 2) return usage();
  const target = args[args.length - 1]!;
  const into = isDirectory(target);
  if (args.length - afterOptions > 2 && !into) {
    eprint("cp: " + target + ": not a directory\n");
    return 1;
  }
  const buffer = malloc(CHUNK);
  let status: i32 = 0;
  for (let i = afterOptions; i < args.length - 1; i++) {
    const path = into ? target + "/" + baseName(args[i]!) : target;
    if (recursive && isDirectory(args[i]!) && isBelow(path, args[i]!)) {
      eprint("cp: " + args[i]! + ": " + target + " is in it\n");
      status = 1;
    } else if ((recursive ? copyTree(args[i]!, path, buffer) : copy(args[i]!, path, buffer)) != 0) status = 1;
  }
  return status;
}

setMain(main);
