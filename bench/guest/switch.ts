// Measures, in instructions by the time stamp counter, what crossing into a kernel costs: the least of many system calls that
// do nothing, of faults on pages that are in memory, in the program's own space and in a VM space that it owns, the mean of
// fork + exec + exit + wait, and the mean pair of switches for 1 to 4096 VM spaces. As process 1 it runs on either kernel.
// The least of a number of equal samples is the one that no interrupt fell into.

import { O_RDONLY, RB_HALT } from '../../src/abi/file.ts';
import { TrapFrame, VextFrame } from '../../src/abi/frames.ts';
import { MADV_INVAL, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, VPTE_A, VPTE_M, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { setMain } from '../../src/libc/crt.ts';
import { flushAll, print } from '../../src/libc/stdio.ts';
import { _exit, close, execve, fork, getpid, madvise, open, read, reboot, vmspaceCreate, vmspaceCtl, vmspaceDestroy, vmspaceMcontrol, vmspaceMmap } from '../../src/libc/sys.ts';
import { malloc } from '../../src/libc/rt.ts';
import { vectorOf, waitFor } from '../../src/libc/process.ts';
import { enableVkernel, mapFile, scratchFile } from '../../test/guest/harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const IMAGE: u32 = 0x400000;
const VALID: u32 = VPTE_V | VPTE_RW | VPTE_A;
const CODE: u32 = 0x10000;
const DATA: u32 = 0x80000;          // with nothing around it, so that nothing else is entered
const SAMPLES: i32 = 64;
const FORKS: i32 = 24;
const WARM: i32 = 8;                 // forks before those that count: they read programs and kernel code from the disk
const MOST_SPACES: i32 = 4096;

let image: i32 = -1;
let linear: usize = 0;
let frame!: Embed<TrapFrame>;
let ext!: Embed<VextFrame>;
let best!: FixedArray<u32, 4096>;

function now(): u32 {
  let low: u32 = 0;
  asm`rdtsc
      mov ${low}, eax`;
  return low;
}

/** The least time of one call that does nothing. */
function nullCall(): u32 {
  let least: u32 = 0xffffffff;
  for (let i: i32 = 0; i < SAMPLES; i++) {
    let took: u32 = 0;
    asm`push 0
        rdtsc
        mov ecx, eax
        mov eax, 20
        int 0x80
        rdtsc
        sub eax, ecx
        add esp, 4
        mov ${took}, eax`;
    if (took < least) least = took;
  }
  return least;
}

/** The least time to read a page of zeros, which the kernel copies out. */
function readPage(): u32 {
  const zero = open("/dev/zero", O_RDONLY, 0);
  const page = malloc(PAGE);
  let least: u32 = 0xffffffff;
  for (let i: i32 = 0; i < SAMPLES; i++) {
    const start = now();
    read(zero, page, PAGE);
    const took = now() - start;
    if (took < least) least = took;
  }
  close(zero);
  return least;
}

function touch(address: usize, write: bool): u32 {
  const start = now();
  if (write) store<u32>(address, 1);
  else load<u32>(address);
  return now() - start;
}

/** The least time to touch a page that is in memory, but of which the page tables know nothing. */
function ownFault(write: bool): u32 {
  let least: u32 = 0xffffffff;
  for (let i: i32 = 0; i < SAMPLES; i++) {
    madvise(linear + DATA, PAGE, MADV_INVAL);
    const took = touch(linear + DATA, write);
    if (took < least) least = took;
  }
  return least;
}

function setVpte(slot: u32, value: u32): void {
  store<u32>(linear + PAGE + slot * 4, value);
}

/** A space that shows the image through the tree in its first two pages. */
function makeSpace(id: usize): void {
  vmspaceCreate(id, 0, 0);
  vmspaceMmap(id, 0, IMAGE, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0);
  vmspaceMcontrol(id, 0, IMAGE, MADV_SETMAP, VALID);
}

/** Code, as hexadecimal bytes, at CODE. */
function program(bytes: string): void {
  for (let i: i32 = 0; i + 1 < bytes.length; i += 2) {
    store<u8>(linear + CODE + ((i / 2) as usize), (digit(bytes.charCodeAt(i)) * 16 + digit(bytes.charCodeAt(i + 1))) as u8);
  }
}

function digit(c: i32): i32 {
  return c < 58 ? c - 48 : c - 87;
}

/** Runs what is at CODE in a space; it ends with a system call. */
function run(id: usize): void {
  frame.eip = CODE;
  frame.esp = CODE;
  frame.xflags = 0;
  vmspaceCtl(id, 1, changetype<usize>(frame), changetype<usize>(ext));
}

/** The same as ownFault in a VM space: only the kernel that owns the processor need answer, for the VPTE is valid. */
function spaceFault(write: bool): u32 {
  makeSpace(1);
  program(write ? "0f3189c6890d000008000f3129f0cd80" : "0f3189c68b0d000008000f3129f0cd80"); // rdtsc; mov esi, eax; touch; rdtsc; sub eax, esi; int 0x80
  let least: u32 = 0xffffffff;
  for (let i: i32 = 0; i < SAMPLES; i++) {
    setVpte(DATA >>> 12, DATA | VALID);
    vmspaceMcontrol(1, DATA, PAGE, MADV_INVAL, 0);
    run(1);
    if (frame.eax < least) least = frame.eax;
  }
  vmspaceDestroy(1);
  return least;
}

/** The mean pair of switches, taking turns among `n` spaces; of three turns of each space the best counts. */
function switchPair(n: i32): u32 {
  program("cd80");
  for (let id: i32 = 0; id < n; id++) {
    makeSpace(id as usize);
    run(id as usize);
    best[id] = 0xffffffff;
  }
  for (let turn: i32 = 0; turn < 3; turn++) {
    for (let id: i32 = 0; id < n; id++) {
      const start = now();
      run(id as usize);
      const took = now() - start;
      if (took < best[id]!) best[id] = took;
    }
  }
  let sum: u32 = 0;
  for (let id: i32 = 0; id < n; id++) sum += best[id]!;
  for (let id: i32 = 0; id < n; id++) vmspaceDestroy(id as usize);
  return sum / (n as u32);
}

/** The mean of fork, exec of this program, its end, and the wait for it. */
function forkExecExit(): u32 {
  const argv = vectorOf(["/sbin/init", "end"]);
  const envp = vectorOf([]);
  let sum: u32 = 0;
  for (let i: i32 = 0; i < WARM + FORKS; i++) {
    const start = now();
    const pid = fork();
    if (pid == 0) {
      execve("/sbin/init", argv, envp);
      _exit(1);
    }
    waitFor(pid);
    if (i >= WARM) sum += now() - start;
  }
  return sum / (FORKS as u32);
}

function report(name: string, value: u32): void {
  print(`${name} ${value}\n`);
}

function faultFigures(): void {
  report("readFault", ownFault(false));
  report("writeFault", ownFault(true));
  report("spaceReadFault", spaceFault(false));
  report("spaceWriteFault", spaceFault(true));
}

function pairFigures(): void {
  for (let n: i32 = 1; n <= MOST_SPACES; n *= 4) report(`pair ${n}`, switchPair(n));
}

function main(args: string[]): i32 {
  if (args.length > 1 && args[1]! == "end") return 0;
  if (args[args.length - 1]! != "faults") {
    report("nullCall", nullCall());
    report("forkExecExit", forkExecExit());
    report("readPage", readPage());
  }
  if (args[args.length - 1]! == "spaces" || args[args.length - 1]! == "faults") {
    enableVkernel(1);
    image = scratchFile(IMAGE);
    linear = mapFile(image, IMAGE);
    for (let at: u32 = 0; at < IMAGE; at += PAGE) store<u32>(linear + at, 0);
    store<u32>(linear, PAGE | VALID | VPTE_M);
    setVpte(CODE >>> 12, CODE | VALID | VPTE_M);
    faultFigures();
    if (args[args.length - 1]! == "spaces") pairFigures();
  }
  print("end of figures\n");
  flushAll();
  if (getpid() == 1) reboot(RB_HALT);
  return 0;
}

setMain(main);
