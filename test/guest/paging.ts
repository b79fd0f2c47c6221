// Judges the paging of images: memory that processes see through MAP_VPAGETABLE is written to its file and taken away when
// memory is short, found by its reverse mappings in every page table, and comes back unchanged. Runs with less memory than its
// image; with /boot/vkernel on the disk it also lets a virtual kernel with a larger image compile a program.

import { O_RDONLY, VmStats } from '../../src/abi/file.ts';
import { TrapFrame, VextFrame, T_PAGEFLT, T_SYSCALL80 } from '../../src/abi/frames.ts';
import { MADV_INVAL, MADV_NOSYNC, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, VPTE_A, VPTE_M, VPTE_PS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { setMain } from '../../src/libc/crt.ts';
import { vectorOf, waitFor } from '../../src/libc/process.ts';
import { _exit, close, execve, fork, madvise, mcontrol, mmap, open, sync, vmspaceCreate, vmspaceCtl, vmspaceDestroy, vmspaceMcontrol,
  vmspaceMmap } from '../../src/libc/sys.ts';
import { SIGKILL } from '../../src/abi/signal.ts';
import { check, checkEqual, enableVkernel, inChild, readStats, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const PAGES: u32 = 5120;            // 20 MiB
const IMAGE: u32 = PAGES * PAGE;
const VW: u32 = VPTE_V | VPTE_RW;
const CODE: u32 = 16;               // page of the code
const WORD: u32 = 17;               // page with the space's counter

let image: i32 = -1;
let linear: usize = 0;
let frame!: Embed<TrapFrame>;
let ext!: Embed<VextFrame>;
let stats!: Embed<VmStats>;

function pagedOut(): u32 {
  readStats(stats);
  return stats.pagedOut;
}

/** Page 0 is a directory, pages 1 to 5 are tables of the whole image; seen through it address and offset agree. */
function makeTree(): void {
  for (let slot: u32 = 0; slot < 5; slot++) store<u32>(linear + slot * 4, ((slot + 1) * PAGE) | VW);
  for (let page: u32 = 0; page < PAGES; page++) store<u32>(linear + PAGE + page * 4, (page * PAGE) | VW);
}

/** inc dword [WORD]; int 0x80, run in a space that shows the image. */
function runSpace(): u32 {
  frame.eip = CODE * PAGE;
  frame.esp = CODE * PAGE;
  vmspaceCtl(1, 1, changetype<usize>(frame), changetype<usize>(ext));
  return frame.trapno;
}

function makeSpace(): void {
  vmspaceCreate(1, 0, 0);
  vmspaceMmap(1, 0, IMAGE, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0);
  vmspaceMcontrol(1, 0, IMAGE, MADV_SETMAP, VW);
  store<u8>(linear + CODE * PAGE, 0xff);
  store<u8>(linear + CODE * PAGE + 1, 0x05);
  store<u32>(linear + CODE * PAGE + 2, WORD * PAGE);
  store<u16>(linear + CODE * PAGE + 6, 0x80cd);
}

/** Word `at` of every page from the 32nd on becomes its number plus `plus`; runs the space now and then. */
function fill(plus: u32): void {
  for (let page: u32 = 32; page < PAGES; page++) {
    store<u32>(linear + page * PAGE, page + plus);
    if ((page & 255) == 0) checkEqual("the space runs", runSpace() as i32, T_SYSCALL80 as i32);
  }
}

function wrongPages(base: usize, plus: u32): i32 {
  let wrong: i32 = 0;
  for (let page: u32 = 32; page < PAGES; page++) if (load<u32>(base + page * PAGE) != page + plus) wrong++;
  return wrong;
}

function largerThanMemory(): void {
  readStats(stats);
  check("the image is larger than memory", stats.pages < PAGES);
  image = scratchFile(IMAGE);
  linear = mmap(0, IMAGE, RW, MAP_SHARED | MAP_VPAGETABLE, image, 0);
  madvise(linear, IMAGE, MADV_NOSYNC);
  mcontrol(linear, IMAGE, MADV_SETMAP, VPTE_PS | VW);
  makeTree();
  makeSpace();
  const before = pagedOut();
  fill(1000);
  check("pages were written out", pagedOut() > before + PAGES / 4);
  checkEqual("every page comes back", wrongPages(linear, 1000), 0);
  fill(2000);
  checkEqual("with what was stored last", wrongPages(linear, 2000), 0);
}

/** A walk finds its tables wherever they are, and marks in them what it must. */
function tables(): void {
  const window = mmap(0, IMAGE, RW, MAP_SHARED | MAP_VPAGETABLE, image, 0);
  mcontrol(window, IMAGE, MADV_SETMAP, VW);
  checkEqual("through the tree", wrongPages(window, 2000), 0);
  checkEqual("the space's counter", load<i32>(window + WORD * PAGE), load<i32>(linear + WORD * PAGE));
  check("counted every run", load<u32>(linear + WORD * PAGE) == 2 * ((PAGES - 1) / 256));
  const vpte = load<u32>(linear + PAGE + WORD * 4);
  checkEqual("A and M of its page", (vpte & 0xfff) as i32, (VW | VPTE_A | VPTE_M) as i32);
  const read = load<u32>(linear + PAGE + 40 * 4);
  checkEqual("A alone of a page that was only read", (read & 0xfff) as i32, (VW | VPTE_A) as i32);
}

/** What is invalid stays invalid, however often pages come and go. */
function invalid(): void {
  store<u32>(linear + PAGE + WORD * 4, 0);
  vmspaceMcontrol(1, WORD * PAGE, PAGE, MADV_INVAL, 0);
  wrongPages(linear, 2000);
  checkEqual("an invalid entry faults", runSpace() as i32, T_PAGEFLT as i32);
  store<u32>(linear + PAGE + WORD * 4, (WORD * PAGE) | VW);
  checkEqual("a valid one does not", runSpace() as i32, T_SYSCALL80 as i32);
  checkEqual("destroy", vmspaceDestroy(1), 0);
}

/** A virtual kernel with 64 MiB compiles a program; its first process says with which result. */
function virtualKernel(): void {
  const fd = open("/boot/vkernel", O_RDONLY, 0);
  if (fd < 0) return;
  close(fd);
  sync();
  const before = pagedOut();
  const pid = fork();
  if (pid == 0) {
    execve("/boot/vkernel", vectorOf(["/boot/vkernel", "-m", "64m", "-r", "/vroot.img", "-e", "exec=gtc src/user/gtc.ts -o /tmp/gtc --bind rt=src/libc && cmp /tmp/gtc /bin/gtc"]),
      vectorOf([]));
    _exit(127);
  }
  checkEqual("a program compiled in the virtual kernel is the same", waitFor(pid), 0);
  check("and its image was paged", pagedOut() > before);
}

/**
 * Takes all the memory that it can get: spaces, mappings, and page tables for addresses far apart. It is refused or killed, or runs
 * out of ids to try.
 */
function greedy(): i32 {
  for (let id: usize = 2; id < 4000; id++) {
    if (vmspaceCreate(id, 0, 0) != 0) return 0;
    for (let at: u32 = 0; at < 0x80000000; at += 0x4000000) vmspaceMmap(id, at, IMAGE, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0);
    vmspaceMcontrol(id, 0, 0x80000000, MADV_SETMAP, VPTE_PS | VW);
    for (let at: u32 = 0; at < 0x80000000; at += 0x4000000) {
      frame.eip = at + CODE * PAGE;
      frame.esp = at;
      vmspaceCtl(id, 1, changetype<usize>(frame), changetype<usize>(ext));
    }
  }
  return 0;
}

/** The kernel survives the greedy. Their spaces are ours, because we own some ourselves; destroyed, they leave nothing. */
function exhaustion(): void {
  store<u32>(linear + CODE * PAGE, 0x80cd);
  for (let i: i32 = 0; i < 3; i++) {
    const status = inChild(greedy);
    check("the greedy end, or are ended", status == 0 || status == SIGKILL);
    readStats(stats);
    check("the greedy got something", stats.spaces > 10);
    for (let id: usize = 2; id < 4000; id++) vmspaceDestroy(id);
    readStats(stats);
    checkEqual("and leave no space behind", stats.spaces as i32, 1);
    check("nor page tables", stats.tables < 64);
  }
}

function main(args: string[]): i32 {
  enableVkernel(1);
  virtualKernel();
  largerThanMemory();
  tables();
  invalid();
  exhaustion();
  return verdict("paging");
}

setMain(main);
