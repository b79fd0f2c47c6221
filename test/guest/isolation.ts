// Whatever a process can reach is its own: every megabyte of the address space is tried, and the places where kernels and
// virtual kernels live page by page; all that is not this process's program, heap or stack must fault, for loads and for
// stores, by the process and by the kernel on its behalf. So must ports and privileged instructions. What another process
// left in memory never shows.

import { EFAULT } from '../../src/abi/errno.ts';
import { O_RDONLY } from '../../src/abi/file.ts';
import { VM_MAX_USER_ADDRESS } from '../../src/abi/mman.ts';
import { SIGBUS } from '../../src/abi/signal.ts';
import { setMain } from '../../src/libc/crt.ts';
import { malloc } from '../../src/libc/rt.ts';
import { brk, close, open, pipe, read, stat, write } from '../../src/libc/sys.ts';
import { catchFaults, check, checkEqual, checkError, inChild, peek, poke, scratchFile, verdict } from './harness.ts';

const MEGABYTE: u32 = 0x100000;
const PAGE: u32 = 4096;
const STACK_BYTES: u32 = 8 * MEGABYTE;
const SECRET: u32 = 0x5ec4e700;

let secret: u32 = 0;
let heapEnd: usize = 0;
let fds!: FixedArray<i32, 2>;

/** Where this process may have memory: program with heap, and stack. */
function isOwn(address: usize): bool {
  if (address >= (linkerSymbol("_text") & 0xfffff000) && address < heapEnd) return true;
  return address >= VM_MAX_USER_ADDRESS - STACK_BYTES && address < VM_MAX_USER_ADDRESS;
}

/** Addresses from `start` on that can be read or written although they are nobody's business. */
function intrusions(start: u32, step: u32, count: u32): i32 {
  let found: i32 = 0;
  let address: usize = start;
  for (let i: u32 = 0; i < count; i++) {
    if (!isOwn(address) && (peek(address) >= 0 || poke(address, 0))) found++;
    address += step;
  }
  return found;
}

function testAddresses(): void {
  checkEqual("every megabyte", intrusions(0, MEGABYTE, 4096), 0);
  checkEqual("every megabyte, at its end", intrusions(MEGABYTE - 1, MEGABYTE, 4096), 0);
  checkEqual("page zero and below programs", intrusions(0, PAGE, 256), 0);
  checkEqual("the virtual kernel's image", intrusions(0x40000000, PAGE, 256), 0);
  checkEqual("above user space", intrusions(VM_MAX_USER_ADDRESS, PAGE, 1024), 0);
  checkEqual("the kernel", intrusions(0xc0000000, PAGE, 512), 0);
  checkEqual("the last pages", intrusions(0xfff00000, PAGE, 256), 0);
}

/** The kernel touches nothing for a process that the process itself may not touch. */
function testArgument(address: usize): void {
  pipe(fds);
  const zero = open("/dev/zero", O_RDONLY, 0);
  checkError("write from there", write(fds[1], address, 16), EFAULT);
  checkError("read to there", read(zero, address, 16), EFAULT);
  checkError("structure there", stat("/dev/zero", address), EFAULT);
  close(zero);
  close(fds[0]);
  close(fds[1]);
}

function testArguments(): void {
  testArgument(0);
  testArgument(0x40000000);
  testArgument(0x40200000);
  testArgument(VM_MAX_USER_ADDRESS);
  testArgument(0xc0000000);
  testArgument(0xc0100000);
  testArgument(0xfffffff8);
  const file = scratchFile(0);
  check("no further than user memory reaches", write(file, VM_MAX_USER_ADDRESS - PAGE, 2 * PAGE) <= (PAGE as i32));
  checkError("round the end of the address space", write(file, 0xfffff000, 2 * PAGE), EFAULT);
  close(file);
}

function testPrivileges(): void {
  checkEqual("cli", inChild(() => {
    asm`cli`;
    return 0;
  }), SIGBUS);
  checkEqual("out", inChild(() => {
    asm`mov edx, 0xf4
        out dx, al`;
    return 0;
  }), SIGBUS);
  checkEqual("mov from cr3", inChild(() => {
    asm`mov eax, cr3`;
    return 0;
  }), SIGBUS);
  checkEqual("interrupt gate of the timer", inChild(() => {
    asm`int 0x20`;
    return 0;
  }), SIGBUS);
}

/** Fresh memory holds nothing of processes that have ended. */
function testRemains(): void {
  inChild(() => {
    for (let i: u32 = 0; i < 64; i++) {
      const page = malloc(PAGE);
      for (let at: u32 = 0; at < PAGE; at += 4) store<u32>(page, SECRET + 1, at);
    }
    return 0;
  });
  const start = (heapEnd + PAGE - 1) & 0xfffff000;
  heapEnd = start + 128 * PAGE;
  check("the heap grows", brk(heapEnd) == 0);
  let dirty: i32 = 0;
  for (let at: usize = start; at < heapEnd; at += 4) if (load<u32>(at) != 0) dirty++;
  checkEqual("new memory is zero", dirty, 0);
}

/** A child's stores stay in the child, at the very address where the parent has its own. */
function testChildren(): void {
  secret = SECRET;
  checkEqual("the child ends", inChild(() => {
    secret = 1;
    return secret as i32;
  }), 1 << 8);
  check("the parent's word is as it was", secret == SECRET);
}

function main(args: string[]): i32 {
  void args;
  heapEnd = (malloc(1) + 0x40000) & 0xffff0000;
  testPrivileges();
  testArguments();
  testChildren();
  testRemains();
  catchFaults();
  testAddresses();
  return verdict("isolation");
}

setMain(main);
