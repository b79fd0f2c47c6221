// The kernel's file system as a Linux process: the image is open on descriptor 3, commands come from standard input, one a
// line, and each is answered with one line. Words are separated by single blanks.
//
//   write PATH OFFSET LENGTH SEED   fault PATH OFFSET LENGTH (from a bad address)   read PATH OFFSET LENGTH   truncate PATH SIZE   stat PATH   list PATH
//   create PATH   mkdir PATH   rmdir PATH   unlink PATH   rename FROM TO   link FROM TO   symlink TARGET PATH   readlink PATH
//   replace PATH LENGTH SEED (write PATH.new and rename it)
//   hold PATH (keep it open until `drop`)   drop   sync   chdir PATH   getcwd
//   crash (sync, and end without unmounting)   power N P (the power fails at the write after the next N, of which P percent are lost)
//
// Answers: `ok` and results, or `error N` with the BSD number. At the end of input the volume is unmounted.

import { EMFILE } from '../../../src/abi/errno.ts';
import { Dirent, DIRENT_NAME, O_CREAT, O_RDONLY, O_RDWR, O_EXCL, O_TRUNC, O_WRONLY, Stat } from '../../../src/abi/file.ts';
import { fdCreate } from '../../../src/kern/file.ts';
import { sysClose, sysExtpread, sysExtpwrite, sysGetdirentries } from '../../../src/kern/file_syscalls.ts';
import { kprint } from '../../../src/kern/kprintf.ts';
import { stringOf } from '../../../src/kern/kstring.ts';
import { curLwp, procAlloc, setCurLwp } from '../../../src/kern/proc.ts';
import { sysChdir, sysGetcwd, sysLink, sysLstat, sysMkdir, sysOpen, sysReadlink, sysRename, sysRmdir, sysSymlink, sysSync, sysTruncate,
  sysUnlink } from '../../../src/kern/vfs_syscalls.ts';
import { vfsMountRoot, vfsUnmount } from '../../../src/kern/vfs.ts';
import { vmPageStartup } from '../../../src/kern/vm_page.ts';
import type { SysHandler } from '../../../src/kern/syscall.ts';
import { failPowerAfter } from './disk.ts';
import { L_READ, linux } from './linux.ts';
import { RAM_BYTES } from './pmap.ts';
import { cpuHalt } from './reset.ts';

let stack!: FixedArray<u32, 16384>;
let args!: FixedArray<u32, 8>;
let data!: FixedArray<u8, 131072>;
let line!: FixedArray<u8, 4096>;
let inputBytes!: FixedArray<u8, 4096>;
let inputUsed: i32 = 0;
let inputSize: i32 = 0;
let words!: FixedArray<usize, 8>;
let wordCount: i32 = 0;
let st!: Embed<Stat>;
const held: i32[] = [];
const MAX_HELD: i32 = 40;

export function _start(): void {
  naked();
  asm`mov esp, ${stack}
      add esp, 65520
      xor ebp, ebp
      call ${main}`;
}

function main(): void {
  __init();
  vmPageStartup(0, RAM_BYTES);
  const p = procAlloc(null)!;
  setCurLwp(p.lwps!);
  vfsMountRoot();
  p.fd = fdCreate();
  while (readLine()) command();
  dropHeld();
  vfsUnmount();
  cpuHalt(0);
}

function nextByte(): i32 {
  if (inputUsed == inputSize) {
    inputSize = linux(L_READ, 0, addressof(inputBytes), 4096, 0, 0);
    inputUsed = 0;
    if (inputSize <= 0) return -1;
  }
  inputUsed++;
  return inputBytes[inputUsed - 1] as i32;
}

/** Read a command and cut it into NUL-terminated words. */
function readLine(): bool {
  let n: i32 = 0;
  wordCount = 1;
  words[0] = addressof(line);
  for (;;) {
    const c = nextByte();
    if (c < 0) return false;
    line[n] = (c == 32 || c == 10 ? 0 : c) as u8;
    n++;
    if (c == 10) return true;
    if (c != 32) continue;
    words[wordCount] = addressof(line) + (n as u32);
    wordCount++;
  }
}

/** The NUL-terminated string at `at`. */
function textAt(at: usize): string {
  let n: u32 = 0;
  while (load<u8>(at + n) != 0) n++;
  return stringOf(at, n);
}

function number(word: usize): u32 {
  let value: u32 = 0;
  for (let at = word; load<u8>(at) != 0; at++) value = value * 10 + (load<u8>(at) as u32) - 48;
  return value;
}

/** Make a system call; negative errno, or its result. */
function call(handler: SysHandler, a: u32, b: u32, c: u32, d: u32, e: u32): i32 {
  args[0] = a;
  args[1] = b;
  args[2] = c;
  args[3] = d;
  args[4] = e;
  args[5] = 0;
  curLwp.retval0 = 0;
  const error = handler(curLwp, changetype<Ptr<u32>>(addressof(args)));
  return error != 0 ? -error : curLwp.retval0 as i32;
}

function answer(result: i32): void {
  kprint(result < 0 ? `error ${-result}\n` : "ok\n");
}

function command(): void {
  const name = textAt(words[0]);
  const a: usize = words[1];
  const b: usize = words[2];
  switch (name) {
    case "write": answer(writeCommand(a)); break;
    case "replace": answer(replaceCommand(a)); break;
    case "fault": answer(faultCommand(a)); break;
    case "read": readCommand(a); break;
    case "create": answer(closeAgain(call(sysOpen, a, (O_WRONLY | O_CREAT | O_EXCL) as u32, 0x1b6, 0, 0))); break;
    case "truncate": answer(call(sysTruncate, a, 0, number(b), 0, 0)); break;
    case "mkdir": answer(call(sysMkdir, a, 0x1ff, 0, 0, 0)); break;
    case "rmdir": answer(call(sysRmdir, a, 0, 0, 0, 0)); break;
    case "unlink": answer(call(sysUnlink, a, 0, 0, 0, 0)); break;
    case "rename": answer(call(sysRename, a, b, 0, 0, 0)); break;
    case "link": answer(call(sysLink, a, b, 0, 0, 0)); break;
    case "symlink": answer(call(sysSymlink, a, b, 0, 0, 0)); break;
    case "chdir": answer(call(sysChdir, a, 0, 0, 0, 0)); break;
    case "power": failPowerAfter(number(a) as i32, number(b)); answer(0); break;
    case "sync": answer(call(sysSync, 0, 0, 0, 0, 0)); break;
    case "readlink": textAnswer(call(sysReadlink, a, addressof(data), 4096, 0, 0)); break;
    case "getcwd": cwdCommand(); break;
    case "stat": statCommand(a); break;
    case "list": listCommand(a); break;
    case "hold": holdCommand(a); break;
    case "crash": call(sysSync, 0, 0, 0, 0, 0); cpuHalt(0); break;
    case "drop": dropHeld(); answer(0); break;
    default: kprint("what?\n");
  }
}

function closeAgain(fd: i32): i32 {
  return fd < 0 ? fd : call(sysClose, fd as u32, 0, 0, 0, 0);
}

function writeCommand(path: usize): i32 {
  return writeFile(path, O_RDWR, number(words[2]), number(words[3]), number(words[4]));
}

function writeFile(path: usize, flags: i32, offset: u32, length: u32, seed: u32): i32 {
  const fd = call(sysOpen, path, flags as u32, 0x1b6, 0, 0);
  if (fd < 0) return fd;
  for (let i: u32 = 0; i < length; i++) data[i] = ((i * 7 + (i >>> 8) * 13 + seed) & 255) as u8;
  const n = call(sysExtpwrite, fd as u32, addressof(data), length, 0, offset);
  call(sysClose, fd as u32, 0, 0, 0, 0);
  return n;
}

/** As replaceFile of src/libc/stdio.ts does. */
function replaceCommand(path: usize): i32 {
  const fresh = textAt(path) + ".new";
  const at = changetype<usize>(fresh) + 4;
  const n = writeFile(at, O_WRONLY | O_CREAT | O_TRUNC, 0, number(words[2]), number(words[3]));
  return n < 0 ? n : call(sysRename, at, path, 0, 0, 0);
}

/** A write from a bad address. */
function faultCommand(path: usize): i32 {
  const fd = call(sysOpen, path, O_RDWR as u32, 0, 0, 0);
  if (fd < 0) return fd;
  const n = call(sysExtpwrite, fd as u32, 4096, number(words[3]), 0, number(words[2]));
  call(sysClose, fd as u32, 0, 0, 0, 0);
  return n;
}

/** Answers the number of bytes and a checksum of them. */
function readCommand(path: usize): void {
  const fd = call(sysOpen, path, O_RDONLY as u32, 0, 0, 0);
  if (fd < 0) return answer(fd);
  const n = call(sysExtpread, fd as u32, addressof(data), number(words[3]), 0, number(words[2]));
  call(sysClose, fd as u32, 0, 0, 0, 0);
  if (n < 0) return answer(n);
  let sum: u32 = 0;
  for (let i: i32 = 0; i < n; i++) sum = sum * 31 + (data[i] as u32);
  kprint(`ok ${n} ${sum}\n`);
}

function textAnswer(n: i32): void {
  if (n < 0) return answer(n);
  kprint("ok ");
  const text = stringOf(addressof(data), n as u32);
  kprint(text);
  free(text);
  kprint("\n");
}

function cwdCommand(): void {
  const n = call(sysGetcwd, addressof(data), 4096, 0, 0, 0);
  if (n < 0) return answer(n);
  kprint(`ok ${textAt(addressof(data))}\n`);
}

/** Answers type and mode in octal digits' number, links, and for files the size. */
function statCommand(path: usize): void {
  const n = call(sysLstat, path, addressof(st), 0, 0, 0);
  if (n < 0) return answer(n);
  const size: u32 = (st.mode & 0xf000) == 0x4000 ? 0 : st.size;
  kprint(`ok ${st.mode} ${st.nlink} ${size}\n`);
}

/** Answers the names, in the order of the directory. */
function listCommand(path: usize): void {
  const fd = call(sysOpen, path, O_RDONLY as u32, 0, 0, 0);
  if (fd < 0) return answer(fd);
  kprint("ok");
  for (;;) {
    const n = call(sysGetdirentries, fd as u32, addressof(data), 512, 0, 0);
    if (n <= 0) break;
    let at: u32 = 0;
    while (at < (n as u32)) {
      const e = changetype<Dirent>(addressof(data) + at);
      kprint(" ");
      kprint(textAt(changetype<usize>(e) + DIRENT_NAME));
      at += (DIRENT_NAME + (e.namlen as u32) + 8) & 0xfffffff8;
    }
  }
  kprint("\n");
  call(sysClose, fd as u32, 0, 0, 0, 0);
}

function holdCommand(path: usize): void {
  if (held.length >= MAX_HELD) return answer(-EMFILE);
  const fd = call(sysOpen, path, O_RDONLY as u32, 0, 0, 0);
  if (fd >= 0) held.push(fd);
  answer(fd);
}

function dropHeld(): void {
  while (held.length > 0) call(sysClose, held.pop() as u32, 0, 0, 0, 0);
}
