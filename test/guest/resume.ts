// Judges VMSPACE_CTL_RESUME: that it runs a space as RUN does, what it does first, in which order, what it tells, and that it refuses
// what it can't do and then runs nothing. The space shows the image through the tree in its first two pages.

import { EFAULT, EINVAL, ENOENT, ENXIO } from '../../src/abi/errno.ts';
import { PGEX_W, ResumeWish, T_PAGEFLT, T_SYSCALL80, TrapFrame, VextFrame, VMSPACE_CTL_RESUME } from '../../src/abi/frames.ts';
import { INVALV_MOST, MADV_SETMAP, MAP_ANON, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MAP_VPAGETABLE, PROT_READ, PROT_WRITE, VM_MAX_USER_ADDRESS, VPTE_A, VPTE_M, VPTE_RW,
  VPTE_V } from '../../src/abi/mman.ts';
import { SIGUSR1, SIG_BLOCK, SIG_UNBLOCK, SigAction, SigSet } from '../../src/abi/signal.ts';
import { setMain } from '../../src/libc/crt.ts';
import { errno, getpid, kill, mmap, mprotect, sigaction, sigprocmask, vmspaceCreate, vmspaceCtl, vmspaceDestroy, vmspaceMcontrol, vmspaceMmap } from '../../src/libc/sys.ts';
import { catchFaults, check, checkEqual, checkError, enableVkernel, mapFile, peek, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const IMAGE: u32 = 0x400000;
const VW: u32 = VPTE_V | VPTE_RW;
const SPACE: usize = 5;
const CODE: u32 = 0x10000;
const DATA: u32 = 0x20000;
const OTHER: u32 = 0x30000;
const READ: u32 = PROT_READ as u32;
const WRITE: u32 = PROT_WRITE as u32;

let linear: usize = 0;
let frame!: Embed<TrapFrame>;
let ext!: Embed<VextFrame>;
let wish!: Embed<ResumeWish>;
let ranges!: FixedArray<u32, 64>;
let set!: Embed<SigSet>;

function setVpte(page: u32, value: u32): void {
  store<u32>(linear + PAGE + (page >>> 12) * 4, value);
}

function vpte(page: u32): u32 {
  return load<u32>(linear + PAGE + (page >>> 12) * 4);
}

/** Code as hexadecimal bytes; the frame at its beginning, and an empty wish. */
function program(bytes: string): void {
  for (let i: i32 = 0; i + 1 < bytes.length; i += 2) store<u8>(linear + CODE + ((i / 2) as u32), (digit(bytes.charCodeAt(i)) * 16 + digit(bytes.charCodeAt(i + 1))) as u8);
  memory.fill(changetype<usize>(frame), 0, 80);
  memory.fill(changetype<usize>(wish), 0, 24);
  frame.eip = CODE;
  frame.esp = CODE;
  wish.vframe = changetype<usize>(ext);
}

function digit(c: i32): i32 {
  return c < 58 ? c - 48 : c - 87;
}

function resume(): i32 {
  return vmspaceCtl(SPACE, VMSPACE_CTL_RESUME, changetype<usize>(frame), changetype<usize>(wish));
}

function refused(name: string, error: i32): void {
  checkError(name, resume(), error);
  check(`${name}: nothing has run`, frame.eip == CODE && frame.eax == 0);
}

const LOAD: string = "a100000200cd80";                          // mov eax, [DATA]; int 0x80
const STORE: string = "c7050000020002000000cd80";               // mov [DATA], 2; int 0x80
const CALL: string = "b814000000cd80";                          // mov eax, 20; int 0x80

function runs(): void {
  program(CALL);
  checkEqual("runs", resume(), 0);
  check("until a trap", frame.trapno == T_SYSCALL80 && frame.eax == 20 && frame.eip == CODE + 7);
  check("tells when", wish.entered != 0 && wish.left - wish.entered < 0x80000000);
  const first = wish.left;
  frame.eip = CODE;
  checkEqual("runs again", resume(), 0);
  check("time goes on", wish.entered - first < 0x80000000);
  checkError("an unknown space", vmspaceCtl(99, VMSPACE_CTL_RESUME, changetype<usize>(frame), changetype<usize>(wish)), ENOENT);
}

function refusals(): void {
  program(CALL);
  checkError("a wish that is not there", vmspaceCtl(SPACE, VMSPACE_CTL_RESUME, changetype<usize>(frame), 0x100), EFAULT);
  checkError("a wish in the kernel", vmspaceCtl(SPACE, VMSPACE_CTL_RESUME, changetype<usize>(frame), 0xc0100000), EFAULT);
  checkError("a wish at the end", vmspaceCtl(SPACE, VMSPACE_CTL_RESUME, changetype<usize>(frame), VM_MAX_USER_ADDRESS - 20), EFAULT);
  const readable = mmap(0, PAGE, RW, MAP_ANON | MAP_PRIVATE, -1, 0);
  memory.copy(readable, changetype<usize>(wish), 24);
  mprotect(readable, PAGE, PROT_READ);
  checkError("a wish that can't be written", vmspaceCtl(SPACE, VMSPACE_CTL_RESUME, changetype<usize>(frame), readable), EFAULT);
  checkError("a frame that is not there", vmspaceCtl(SPACE, VMSPACE_CTL_RESUME, 0x100, changetype<usize>(wish)), EFAULT);
  wish.vframe = 0x100;
  refused("descriptors that are not there", EFAULT);
  wish.vframe = 0xc0100000;
  refused("descriptors in the kernel", EFAULT);
  wish.vframe = changetype<usize>(ext);
  ext.tls0hi = 0x00408300;
  refused("a descriptor of the kernel", ENXIO);
  ext.tls0hi = 0;
  wish.enter = DATA;
  refused("no access to enter for", EINVAL);
  wish.enter = DATA | 3;
  refused("two at once", EINVAL);
  wish.enter = DATA | 0x801;
  refused("an address within a page", EINVAL);
  wish.enter = VM_MAX_USER_ADDRESS | READ;
  refused("a page of the kernel", EINVAL);
  wish.enter = 0;
  wish.ranges = 0x100;
  wish.count = 1;
  refused("ranges that are not there", EFAULT);
  wish.ranges = addressof(ranges);
  wish.count = INVALV_MOST + 1;
  refused("too many ranges", EINVAL);
  wish.count = 0xffffffff;
  refused("far too many", EINVAL);
  ranges[0] = 0xfffff000;
  ranges[1] = 0x2000;
  wish.count = 1;
  refused("a range around the end", EINVAL);
  wish.count = 0;
  checkEqual("all that has left no trace", resume(), 0);
}

/** What a page's first access would have noted. */
function enters(): void {
  program(CALL);
  setVpte(DATA, DATA | VW);
  wish.enter = DATA | READ;
  checkEqual("enter for a load", resume(), 0);
  checkEqual("notes A alone", (vpte(DATA) & (VPTE_A | VPTE_M)) as i32, VPTE_A as i32);
  program(CALL);
  wish.enter = DATA | WRITE;
  checkEqual("enter for a store", resume(), 0);
  check("notes A and M", (vpte(DATA) & (VPTE_A | VPTE_M)) == (VPTE_A | VPTE_M));
  setVpte(OTHER, OTHER | VPTE_V);
  program(CALL);
  wish.enter = OTHER | WRITE;
  checkEqual("enter for a store what may only be read", resume(), 0);
  checkEqual("notes nothing", (vpte(OTHER) & (VPTE_A | VPTE_M)) as i32, 0);
  setVpte(OTHER, 0);
  program(CALL);
  wish.enter = OTHER | READ;
  checkEqual("enter what is not valid", resume(), 0);
  check("and the program runs", frame.trapno == T_SYSCALL80);
  program(STORE);
  setVpte(DATA, DATA | VPTE_V);
  ranges[0] = DATA;
  ranges[1] = PAGE;
  wish.ranges = addressof(ranges);
  wish.count = 1;
  wish.enter = DATA | READ;
  checkEqual("entered for a load", resume(), 0);
  check("the store faults all the same", frame.trapno == T_PAGEFLT && frame.err == DATA && (frame.xflags & PGEX_W) != 0);
}

/** Ranges of no bytes at the end of the vector: pages to enter, as `enter` is one. */
function offers(): void {
  program(CALL);
  setVpte(DATA, DATA | VW);
  setVpte(OTHER, OTHER | VW);
  wish.ranges = addressof(ranges);
  wish.count = 3;
  ranges[0] = 0;
  ranges[1] = PAGE;
  ranges[2] = DATA | READ;
  ranges[3] = 0;
  ranges[4] = OTHER | WRITE;
  ranges[5] = 0;
  checkEqual("two offers", resume(), 0);
  checkEqual("one for a load", (vpte(DATA) & (VPTE_A | VPTE_M)) as i32, VPTE_A as i32);
  check("one for a store", (vpte(OTHER) & (VPTE_A | VPTE_M)) == (VPTE_A | VPTE_M));
  for (let i: u32 = 0; i < 3; i++) offerNothing(i);
  program(CALL);
  setVpte(DATA, DATA | VW);
  wish.ranges = addressof(ranges);
  wish.count = 2;
  ranges[0] = DATA | READ;
  ranges[1] = 0;
  ranges[2] = OTHER;
  ranges[3] = PAGE;
  checkEqual("an offer before the end", resume(), 0);
  checkEqual("is none", (vpte(DATA) & VPTE_A) as i32, 0);
  setVpte(OTHER, 0);
}

/** Offers that name no page of the space, or no access, change nothing. */
function offerNothing(kind: u32): void {
  program(CALL);
  setVpte(DATA, kind == 0 ? 0 : DATA | VPTE_V);
  wish.ranges = addressof(ranges);
  wish.count = 1;
  ranges[0] = kind == 1 ? DATA | 3 : DATA | WRITE;
  ranges[1] = 0;
  checkEqual("an offer of nothing", resume(), 0);
  checkEqual("notes nothing", (vpte(DATA) & (VPTE_A | VPTE_M)) as i32, 0);
}

/** A load that was entered before does not ask: the least time of many. */
function time(enter: bool): u32 {
  let least: u32 = 0xffffffff;
  for (let i: i32 = 0; i < 64; i++) {
    program("0f3189c68b0d000002000f3129f0cd80");                // rdtsc; mov esi, eax; mov ecx, [DATA]; rdtsc; sub eax, esi; int 0x80
    setVpte(DATA, DATA | VW);
    wish.ranges = addressof(ranges);
    wish.count = 1;
    wish.enter = enter ? DATA | READ : 0;
    resume();
    if (frame.eax < least) least = frame.eax;
  }
  return least;
}

function order(): void {
  program(LOAD);
  store<u32>(linear + DATA, 0x1111);
  store<u32>(linear + OTHER, 0x2222);
  setVpte(DATA, DATA | VW);
  checkEqual("see one page", resume(), 0);
  checkEqual("its contents", frame.eax as i32, 0x1111);
  program(LOAD);
  setVpte(DATA, OTHER | VW);
  ranges[0] = DATA;
  ranges[1] = PAGE;
  wish.ranges = addressof(ranges);
  wish.count = 1;
  wish.enter = DATA | READ;
  checkEqual("forget it, then enter another", resume(), 0);
  checkEqual("its contents", frame.eax as i32, 0x2222);
  program(LOAD);
  setVpte(DATA, 0);
  wish.ranges = addressof(ranges);
  wish.count = 1;
  checkEqual("forget it", resume(), 0);
  check("it is gone", frame.trapno == T_PAGEFLT && frame.err == DATA);
  const without = time(false);
  const entered = time(true);
  check(`entered: ${entered}, not entered: ${without}`, entered < without);
}

let signals: i32 = 0;

function onSignal(): void {
  signals++;
}

/** A signal that is pending already: the wish is granted, no instruction runs. */
function pending(): void {
  const act = new SigAction();
  act.handler = codeof(onSignal);
  sigaction(SIGUSR1, changetype<usize>(act), 0);
  set.w0 = 1 << (SIGUSR1 - 1);
  sigprocmask(SIG_BLOCK, changetype<usize>(set), 0);
  kill(getpid(), SIGUSR1);
  program(CALL);
  setVpte(DATA, DATA | VW);
  wish.enter = DATA | READ;
  checkEqual("a blocked signal is nobody's", resume(), 0);
  check("the program has run", frame.trapno == T_SYSCALL80 && signals == 0);
  program("ebfe");                                              // jmp $
  wish.left = 1;
  wish.entered = 5;
  sigprocmask(SIG_UNBLOCK, changetype<usize>(set), 0);
  checkEqual("taken at once", signals, 1);
}

function main(_args: string[]): i32 {
  catchFaults();
  checkEqual("whoever runs us can't enter the page of this fault", peek(0xc0100000), -1);
  enableVkernel(1);
  const image = scratchFile(IMAGE);
  linear = mapFile(image, IMAGE);
  vmspaceCreate(SPACE, 0, 0);
  vmspaceMmap(SPACE, 0, IMAGE, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0);
  vmspaceMcontrol(SPACE, 0, IMAGE, MADV_SETMAP, VW);
  store<u32>(linear, PAGE | VW);
  setVpte(CODE, CODE | VW);
  runs();
  refusals();
  enters();
  offers();
  order();
  pending();
  check("no error is left", errno() == 0);
  checkEqual("nobody is inside", vmspaceDestroy(SPACE), 0);
  return verdict("resume");
}

setMain(main);
