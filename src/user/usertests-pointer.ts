// Cases about bad pointers: every system call that takes an address, with that address in the kernel, where nothing is
// mapped, at the end of the address space, across the end of a mapping, and in read-only memory where the kernel would store. Each time the
// answer is EFAULT and the process lives.

import { EFAULT } from '../abi/errno.ts';
import { EV_ADD, EVFILT_READ, Kevent } from '../abi/event.ts';
import { O_RDONLY, O_RDWR } from '../abi/file.ts';
import { MAP_ANON, MAP_PRIVATE, PROT_READ } from '../abi/mman.ts';
import { SYSCALLS } from '../abi/syscalls.ts';
import { Timespec } from '../abi/time.ts';
import { parseNumber, splitWords } from '../libc/strings.ts';
import { cstr, dup2, errno, kevent, kqueue, mkdir, mmap, munmap, open, pipe, setErrno, symlink, syscall8, wait4, write } from '../libc/sys.ts';
import { anon, checkEqual, checkError, checkText, KERNEL_ADDRESS, LOW_ADDRESS, PAGE, put, spawn, test, testWith } from './usertests-harness.ts';

/**
 * Name, number, and the arguments: `<` a pointer that the kernel reads by, `>` one that it writes by, `b` a good buffer, `p` the name
 * of a file, `n` a free name, `f` an open file, `d` an open directory, `r` and `w` the ends of a pipe with a byte in it, `q` a kqueue with an event, `z` no time,
 * or a number.
 */
const CALLS: string[] = [
  "read               3 f > 64",
  "read-pipe          3 r > 64",
  "write              4 f < 64",
  "write-pipe         4 w < 64",
  "open               5 < 0 0",
  "link-from          9 < n",
  "link-to            9 p <",
  "unlink            10 <",
  "chdir             12 <",
  "mknod             14 < 8192 0",
  "chmod             15 < 420",
  "access            33 < 0",
  "sigaltstack       53 < 0",
  "sigaltstack-old   53 0 >",
  "symlink-target    57 < n",
  "symlink           57 p <",
  "readlink          58 < b 64",
  "readlink-buffer   58 l > 64",
  "execve            59 < 0 0",
  "setitimer         83 0 < 0",
  "setitimer-old     83 0 0 >",
  "getitimer         86 0 >",
  "gettimeofday     116 > 0",
  "getrusage        117 0 >",
  "rename-from      128 < n",
  "rename-to        128 p <",
  "mkdir            136 < 511",
  "rmdir            137 <",
  "uname            164 >",
  "sysarch          165 1 <",
  "extpread         173 f > 64 0 0 0",
  "extpwrite        174 f < 64 0 0 0",
  "truncate         200 < 0 0 0",
  "sysctl-name      202 < 2 0 0 0 0",
  "sysctl-old       202 s 2 > b 0 0",
  "sysctl-oldlen    202 s 2 b > 0 0",
  "clock_gettime    232 4 >",
  "nanosleep        240 < 0",
  "getcwd           326 > 64",
  "sigprocmask      340 1 < 0",
  "sigprocmask-old  340 1 0 >",
  "sigsuspend       341 <",
  "sigaction        342 30 < 0",
  "sigaction-old    342 30 0 >",
  "sigpending       343 >",
  "set_tls_area     472 1 < 8",
  "get_tls_area     473 0 > 8",
  "select-in         93 1 < 0 0 z",
  "select-out        93 1 0 < 0 z",
  "select-timeout    93 0 0 0 0 <",
  "poll             209 > 1 0",
  "umtx_sleep       469 < 0 10000",
  "umtx_wakeup      470 < 1",
  "lwp_create       495 <",
  "stat             475 < b",
  "stat-buffer      475 p >",
  "fstat            476 f >",
  "lstat            477 < b",
  "lstat-buffer     477 p >",
  "getdirentries    479 d > 512 0",
  "kevent-changes   363 q < 1 0 0 z",
  "kevent-events    363 q 0 0 > 1 z",
  "kevent-timeout   363 q 0 0 b 1 <",
  "getdirentries-base 479 d b 512 >",
];

let fds!: FixedArray<i32, 2>;
let slots!: FixedArray<u32, 8>;
let name!: FixedArray<i32, 2>;
let noTime!: Embed<Timespec>;
let event!: Embed<Kevent>;
let buffer: usize = 0;
let queue: i32 = -1;

function prepare(): void {
  put("p", "some bytes in a file that is long enough for sixty-four of them, and more");
  mkdir("d", 0x1ff);
  symlink("target", "l");
  dup2(open("p", O_RDWR, 0), 40);
  dup2(open("d", O_RDONLY, 0), 41);
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  buffer = anon(PAGE);
  write(fds[1], buffer, 200);
  queue = kqueue();
  event.ident = fds[0] as u32;
  event.filter = EVFILT_READ as i16;
  event.flags = EV_ADD as u16;
  kevent(queue, addressof(event), 1, 0, 0, 0);
  name[0] = 1;
  name[1] = 1;
  store<u32>(buffer, PAGE);
}

function argument(word: string, bad: usize): u32 {
  switch (word.charCodeAt(0)) {
    case 60: case 62: return bad;
    case 98: return buffer;
    case 112: return cstr("p");
    case 110: return cstr("n");
    case 108: return cstr("l");
    case 102: return 40;
    case 100: return 41;
    case 114: return fds[0] as u32;
    case 119: return fds[1] as u32;
    case 115: return addressof(name);
    case 113: return queue as u32;
    case 122: return addressof(noTime);
    default: return parseNumber(word, 0) as u32;
  }
}

/** The call with the bad address: its errno, or 0. */
function errorOf(words: string[], bad: usize): i32 {
  for (let i: i32 = 0; i < 8; i++) slots[i] = i + 2 < words.length ? argument(words[i + 2]!, bad) : 0;
  const a = slots;
  setErrno(0);
  const result = syscall8(parseNumber(words[1]!, 0), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
  return result == -1 ? errno() : 0;
}

function runCall(index: i32): void {
  prepare();
  const line = CALLS[index]!;
  const words = splitWords(line);
  const writes = line.indexOf(">") >= 0;
  checkEqual("in the kernel", errorOf(words, KERNEL_ADDRESS), EFAULT);
  checkEqual("near zero", errorOf(words, LOW_ADDRESS), EFAULT);
  checkEqual("at the end", errorOf(words, 0xfffffff0), EFAULT);
  checkEqual("just above user space", errorOf(words, 0xbfc00000), EFAULT);
  // The last byte of a mapping, behind which there is none: the record or string does not fit.
  const edge = anon(2 * PAGE);
  memory.fill(edge, 47, PAGE);
  munmap(edge + PAGE, PAGE);
  checkEqual("across the end of a mapping", errorOf(words, edge + PAGE - 1), EFAULT);
  if (writes) {
    const text = mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0);
    checkEqual("read-only memory", errorOf(words, text), EFAULT);
  }
}

/** Calls that have an address among their arguments and no case here, by their names. */
function uncovered(): string {
  let missing = "";
  for (const line of SYSCALLS) {
    const number = parseNumber(splitWords(line)[0]!, 0);
    if (line.indexOf("*") < 0 || isExcluded(number)) continue;
    let found = false;
    for (const call of CALLS) {
      if (parseNumber(splitWords(call)[1]!, 0) == number) found = true;
    }
    if (!found) missing = missing + ` ${number}`;
  }
  return missing;
}

/** Addresses that are not followed (mmap and its like), calls with a case of their own below (wait4), that need a terminal (ioctl), or that vmspaceCases judges. */
function isExcluded(number: i32): bool {
  return number == 7 || number == 54 || number == 65 || number == 73 || number == 74 || number == 75 || number == 197 || number == 344 || (number >= 485 && number <= 494);
}

export function pointerCases(): void {
  for (let i: i32 = 0; i < CALLS.length; i++) testWith("efault-" + splitWords(CALLS[i]!)[0]!, i, runCall);
  test("efault-wait4-status", () => {
    for (let i: i32 = 0; i < 3; i++) spawn(() => 0);
    checkError("status in the kernel", wait4(-1, KERNEL_ADDRESS, 0, 0), EFAULT);
    checkError("status near zero", wait4(-1, LOW_ADDRESS, 0, 0), EFAULT);
    checkError("usage", wait4(-1, 0, 0, 0xfffffff0), EFAULT);
  });
  test("efault-complete", () => checkText("calls without a case", uncovered(), ""));
}
