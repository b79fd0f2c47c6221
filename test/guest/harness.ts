// What the self-judging guest programs share: checks that print one line each, accesses that may fault, the sysctl that
// opens the virtual-kernel calls, and the verdict. A program that runs as process 1 ends by halting the machine with its verdict
// as exit code; otherwise it exits with it.

import { VM_STATS, VM_VKERNEL_SPACES, VmStats, RB_CODE_SHIFT, RB_HALT, CTL_HW, CTL_KERN, CTL_VM, HW_USERMEM, KERN_BOOTARGS, VM_VKERNEL_ENABLE, O_CREAT, O_RDWR, O_TRUNC } from '../../src/abi/file.ts';
import { UC_MCONTEXT, MC_FRAME, SA_SIGINFO, SIGSEGV, SigAction } from '../../src/abi/signal.ts';
import { TrapFrame } from '../../src/abi/frames.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../src/abi/mman.ts';
import { flushAll, print } from '../../src/libc/stdio.ts';
import { _exit, dup, errno, fork, ftruncate, getpid, mmap, open, reboot, setErrno, sigaction, sysctl, unlink } from '../../src/libc/sys.ts';
import { waitFor } from '../../src/libc/process.ts';
import { stringAt } from '../../src/libc/strings.ts';
import { malloc, mfree } from '../../src/libc/rt.ts';

/** Process 1 is born without open files. */
function openConsole(): void {
  open("/dev/console", O_RDWR, 0);
  dup(0);
  dup(0);
}

if (getpid() == 1) openConsole();

let passed: i32 = 0;
let failed: i32 = 0;
let names!: FixedArray<i32, 2>;
const verbose = bootArguments().indexOf("verbose") >= 0;

/** One check. Prints its name when it fails, or with the boot word `verbose` always. */
export function check(name: string, ok: bool): void {
  if (ok) passed++;
  else failed++;
  if (!ok) print(`FAIL ${name}\n`);
  else if (verbose) print(`ok ${name}\n`);
}

/** One check of a number; prints both when they differ. */
export function checkEqual(name: string, got: i32, wanted: i32): void {
  check(name, got == wanted);
  if (got != wanted) print(`     got ${got}, wanted ${wanted}\n`);
}

/** `result` must be -1 and errno `error`. */
export function checkError(name: string, result: i32, error: i32): void {
  const got = result == -1 ? errno() : 0;
  checkEqual(name, got, error);
  setErrno(0);
}

/** Print the verdict and return the exit status; as process 1, halt instead. */
export function verdict(program: string): i32 {
  print(`${program}: ${passed} passed, ${failed} failed\n`);
  flushAll();
  const status: i32 = failed == 0 ? 0 : 1;
  if (getpid() == 1) reboot(RB_HALT | (status << RB_CODE_SHIFT));
  return status;
}

/** Run `body` in a child; the child's wait status. */
export function inChild(body: () => i32): i32 {
  flushAll();
  const pid = fork();
  if (pid == 0) {
    const status = body();
    flushAll();
    _exit(status);
  }
  return waitFor(pid);
}

// Accesses that may fault: both are two bytes long, and the handler steps over the one that faulted.

let faultCount: i32 = 0;
let faultAddress: usize = 0;
let faultCode: i32 = 0;
let faultFlags: u32 = 0;

function onFault(_signal: i32, info: usize, context: usize, address: usize): void {
  const frame = changetype<TrapFrame>(context + UC_MCONTEXT + MC_FRAME);
  faultCount++;
  faultAddress = address;
  faultCode = load<i32>(info, 8);
  faultFlags = frame.xflags;
  frame.eip += 2;
}

/** Catch SIGSEGV for peek and poke. */
export function catchFaults(): void {
  const act = new SigAction();
  act.handler = codeof(onFault);
  act.flags = SA_SIGINFO;
  sigaction(SIGSEGV, changetype<usize>(act), 0);
  free(act);
}

/** Let SIGSEGV kill again. */
export function catchNothing(): void {
  const act = new SigAction();
  sigaction(SIGSEGV, changetype<usize>(act), 0);
  free(act);
}

/** The byte at `address`, or -1 after a fault. */
export function peek(address: usize): i32 {
  const before = faultCount;
  let value: u32 = 0;
  asm`mov ecx, ${address}
      mov eax, 0
      mov al, [ecx]
      mov ${value}, eax`;
  return faultCount == before ? value as i32 : -1;
}

/** Store a byte; false after a fault. */
export function poke(address: usize, byte: i32): bool {
  const before = faultCount;
  asm`mov ecx, ${address}
      mov eax, ${byte}
      mov [ecx], al`;
  return faultCount == before;
}

export function lastFaultAddress(): usize { return faultAddress; }
export function lastFaultCode(): i32 { return faultCode; }
export function lastFaultFlags(): u32 { return faultFlags; }

/** What the kernel was booted with. */
function bootArguments(): string {
  const buffer = malloc(260);
  store<u32>(buffer, 255);
  store<u8>(buffer, 0, 4);
  names[0] = CTL_KERN;
  names[1] = KERN_BOOTARGS;
  sysctl(addressof(names), 2, buffer + 4, buffer, 0, 0);
  const text = stringAt(buffer + 4);
  mfree(buffer);
  return text;
}

/** The number behind a boot word such as `seed=`. */
export function bootNumber(word: string, otherwise: u32): u32 {
  const line = bootArguments();
  let at = line.indexOf(word);
  if (at < 0) return otherwise;
  let value: u32 = 0;
  for (at += word.length; at < line.length && line.charCodeAt(at) >= 48 && line.charCodeAt(at) <= 57; at++) value = value * 10 + ((line.charCodeAt(at) - 48) as u32);
  return value;
}

/** Write sysctl vm.vkernel_enable. */
export function enableVkernel(value: i32): void {
  setVmNode(VM_VKERNEL_ENABLE, value);
}

/** Write sysctl vm.vkernel_spaces: the most that one process may own. */
export function limitSpaces(most: i32): void {
  setVmNode(VM_VKERNEL_SPACES, most);
}

function setVmNode(leaf: i32, value: i32): void {
  const buffer = malloc(4);
  store<i32>(buffer, value);
  names[0] = CTL_VM;
  names[1] = leaf;
  sysctl(addressof(names), 2, 0, 0, buffer, 4);
  mfree(buffer);
}

/** Bytes of memory that the kernel could still hand out. */
export function freeMemory(): u32 {
  const buffer = malloc(8);
  store<u32>(buffer, 0);
  store<u32>(buffer, 4, 4);
  names[0] = CTL_HW;
  names[1] = HW_USERMEM;
  sysctl(addressof(names), 2, buffer, buffer + 4, 0, 0);
  const bytes = load<u32>(buffer);
  mfree(buffer);
  return bytes;
}

/** Fill in what memory is used for. */
export function readStats(into: VmStats): void {
  const length = malloc(4);
  store<u32>(length, sizeof<VmStats>());
  names[0] = CTL_VM;
  names[1] = VM_STATS;
  sysctl(addressof(names), 2, changetype<usize>(into), length, 0, 0);
  mfree(length);
}

/** A new unlinked file of `bytes` zeros, open for reading and writing. */
export function scratchFile(bytes: u32): i32 {
  const fd = open("/scratch", O_RDWR | O_CREAT | O_TRUNC, 0x180);
  unlink("/scratch");
  ftruncate(fd, bytes);
  return fd;
}

/** An ordinary shared mapping of the file's beginning. */
export function mapFile(fd: i32, bytes: u32): usize {
  return mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}
