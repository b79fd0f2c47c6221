// Judges what several processes in VM spaces do to each other: time slices, FPU contents, the same space twice, and a signal
// on a stack whose page the page tables have forgotten. And the rest of the traps.

import { EBUSY } from '../../src/abi/errno.ts';
import { T_BOUND, T_OFLOW, T_PROTFLT, T_SEGNPFLT, T_STKFLT, T_SYSCALL80, TrapFrame, VextFrame, LdtArguments, VMSPACE_CTL_SETLDT } from '../../src/abi/frames.ts';
import { MADV_INVAL, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, VPTE_PS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { SA_ONSTACK, SIGUSR2, SigAction } from '../../src/abi/signal.ts';
import { Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { _exit, fork, getpid, kill, madvise, mcontrol, mmap, nanosleep, sigaction, vmspaceCreate, vmspaceCtl, vmspaceDestroy, vmspaceMcontrol,
  vmspaceMmap } from '../../src/libc/sys.ts';
import { waitFor } from '../../src/libc/process.ts';
import { check, checkEqual, checkError, enableVkernel, mapFile, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const IMAGE: u32 = 0x400000;
const VW: u32 = VPTE_V | VPTE_RW;
const CODE: u32 = 0x10000;
const DATA: u32 = 0x20000;

let image: i32 = -1;
let linear: usize = 0;
let frame!: Embed<TrapFrame>;
let ext!: Embed<VextFrame>;

/** Space `id` shows the image as it is. */
function makeSpace(id: usize): void {
  vmspaceCreate(id, 0, 0);
  vmspaceMmap(id, 0, IMAGE, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0);
  vmspaceMcontrol(id, 0, IMAGE, MADV_SETMAP, VPTE_PS | VW);
}

function digit(c: i32): i32 {
  return c < 58 ? c - 48 : c - 87;
}

/** Runs code, written as hexadecimal bytes, in space `id`; each process has its own `page` for it. The trap number. */
function run(id: usize, page: u32, bytes: string): i32 {
  const at = CODE + page * PAGE;
  for (let i: i32 = 0; i + 1 < bytes.length; i += 2) {
    store<u8>(linear + at + ((i / 2) as usize), (digit(bytes.charCodeAt(i)) * 16 + digit(bytes.charCodeAt(i + 1))) as u8);
  }
  frame.eip = at;
  frame.esp = at + PAGE;
  frame.xflags = 0;
  return vmspaceCtl(id, 1, changetype<usize>(frame), changetype<usize>(ext)) == 0 ? frame.trapno as i32 : -1;
}

function pause(msec: i32): void {
  const time = new Timespec();
  time.nsec = msec * 1000000;
  nanosleep(changetype<usize>(time), 0);
  free(time);
}

let descriptor!: FixedArray<u32, 2>;
let ldtArgs!: Embed<LdtArguments>;

/** Slot 20 of space 1's LDT becomes a data segment that is not present. */
function absentSegment(): void {
  descriptor[0] = 0xffff;
  descriptor[1] = 0x00cf7300;
  ldtArgs.start = 20;
  ldtArgs.descriptors = addressof(descriptor);
  ldtArgs.count = 1;
  checkEqual("LDT of a space", vmspaceCtl(1, VMSPACE_CTL_SETLDT, changetype<usize>(ldtArgs), 0), 0);
}

function traps(): void {
  checkEqual("37: into", run(1, 0, "b07f0401cecd80"), T_OFLOW as i32);
  store<i32>(linear + DATA, 1);
  store<i32>(linear + DATA + 4, 2);
  checkEqual("37: bound", run(1, 0, "31c0620500000200cd80"), T_BOUND as i32);
  checkEqual("37: selector of an empty descriptor", run(1, 0, "b8070000008ee0cd80"), T_PROTFLT as i32);
  absentSegment();
  checkEqual("37: segment that is not present", run(1, 0, "b8a70000008ee0cd80"), T_SEGNPFLT as i32);     // mov eax, 0xa7; mov fs, ax
  checkEqual("37: its selector", frame.err as i32, 0xa4);
  checkEqual("37: stack segment that is not present", run(1, 0, "b8a70000008ed0cd80"), T_STKFLT as i32); // mov ss, ax
}

const SPIN: string = "b900004000e2fecd80";                       // mov ecx, 4M; loop $; int 0x80

/** Two processes spin in spaces of their own for many time slices each: neither leaves before its system call. */
function slices(): void {
  const pid = fork();
  if (pid == 0) _exit(run(1, 1, SPIN) == (T_SYSCALL80 as i32) ? 0 : 1);
  checkEqual("32: no exit for a time slice", run(2, 0, SPIN), T_SYSCALL80 as i32);
  checkEqual("32: nor in the other process", waitFor(pid), 0);
  check("38: two processes ran two spaces in turns", frame.ecx == 0);
}

/** fild [DATA + offset]; spin; fistp [DATA + offset + 4]; int 0x80 */
function keepsFpu(id: usize, page: u32, value: i32): bool {
  const low = page == 0 ? "10" : "20";
  const out = page == 0 ? "14" : "24";
  const offset: u32 = page == 0 ? 0x10 : 0x20;
  store<i32>(linear + DATA + offset, value);
  const trapno = run(id, page, "db05" + low + "000200" + "b900004000e2fe" + "db1d" + out + "000200" + "cd80");
  return trapno == (T_SYSCALL80 as i32) && load<i32>(linear + DATA + offset + 4) == value;
}

function fpu(): void {
  const pid = fork();
  if (pid == 0) _exit(keepsFpu(1, 1, 1234567) ? 0 : 1);
  check("35: FPU register over time slices", keepsFpu(2, 0, -7654321));
  checkEqual("35: and the other process's", waitFor(pid), 0);
}

/** A child waits inside for a word of memory that we set from inside the same space. */
function sameSpace(): void {
  store<i32>(linear + DATA + 0x30, 0);
  const pid = fork();
  if (pid == 0) _exit(run(1, 1, "833d300002000074f7cd80") == (T_SYSCALL80 as i32) ? 0 : 1);  // cmp dword [0x20030], 0; je $-7; int 0x80
  pause(50);
  checkError("38: the child is inside", vmspaceDestroy(1), EBUSY);
  checkEqual("38: so are we", run(1, 0, "c7053000020001000000cd80"), T_SYSCALL80 as i32);  // mov dword [0x20030], 1; int 0x80
  checkEqual("38: and the child saw it", waitFor(pid), 0);
}

let handled: i32 = 0;
let stackAt: usize = 0;
let stack!: FixedArray<u32, 3>;

function onSignal(_signal: i32): void {
  let esp: usize = 0;
  asm`mov ${esp}, esp`;
  handled++;
  stackAt = esp;
}

/** sigaltstack(53) */
function setSignalStack(base: usize, bytes: u32): void {
  stack[0] = base;
  stack[1] = bytes;
  stack[2] = 0;
  const at = addressof(stack);
  asm`push 0
      push ${at}
      push 0
      mov eax, 53
      int 0x80
      add esp, 12`;
}

function forgottenStack(): void {
  const window = mmap(0, IMAGE, RW, MAP_SHARED | MAP_VPAGETABLE, image, 0);
  mcontrol(window, IMAGE, MADV_SETMAP, VPTE_PS | VW);
  setSignalStack(window + 0x100000, 4 * PAGE);
  const act = new SigAction();
  act.handler = codeof(onSignal);
  act.flags = SA_ONSTACK;
  sigaction(SIGUSR2, changetype<usize>(act), 0);
  for (let i: i32 = 1; i <= 3; i++) {
    madvise(window, IMAGE, MADV_INVAL);
    kill(getpid(), SIGUSR2);
    checkEqual("44: handler ran", handled, i);
    check("44: on that stack", stackAt > window + 0x100000 && stackAt < window + 0x100000 + 4 * PAGE);
  }
}

function main(args: string[]): i32 {
  enableVkernel(1);
  image = scratchFile(IMAGE);
  linear = mapFile(image, IMAGE);
  makeSpace(1);
  makeSpace(2);
  traps();
  slices();
  fpu();
  sameSpace();
  forgottenStack();
  return verdict("switching");
}

setMain(main);
