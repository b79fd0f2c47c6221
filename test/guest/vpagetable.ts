// Judges MAP_VPAGETABLE in the caller's own address space: who may map, the walk, the accessed and modified bits, what is
// cached and what MADV_INVAL and MADV_SETMAP forget.
//
// The scratch image: page 0 is the directory, page 1 the table of its slot 0, pages 16.. are data whose first word is their
// page number; the image is also mapped linearly, so that every VPTE can be read and written at once.

import { EFAULT, EINVAL, EOPNOTSUPP } from '../../src/abi/errno.ts';
import { INVALV_READ, MADV_INVAL, MADV_INVALV, MADV_NOSYNC, MADV_SETMAP, MAP_ANON, MAP_PRIVATE, MAP_SHARED, MAP_STACK, MAP_VPAGETABLE, PROT_READ, VPTE_A, VPTE_M, VPTE_PS,
  VM_MAX_USER_ADDRESS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { SEGV_ACCERR, SEGV_MAPERR } from '../../src/abi/signal.ts';
import { setMain } from '../../src/libc/crt.ts';
import { _exit, close, fork, madvise, mcontrol, mmap, munmap, pipe, read, vmspaceCreate, vmspaceCtl, vmspaceDestroy, write } from '../../src/libc/sys.ts';
import { waitFor } from '../../src/libc/process.ts';
import { catchFaults, check, checkEqual, checkError, enableVkernel, inChild, lastFaultCode, mapFile, peek, poke, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const IMAGE: u32 = 0x1000000;       // 16 MiB
const WINDOW: u32 = 0x800000;       // 8 MiB: two directory slots
const V: u32 = VPTE_V;
const VW: u32 = VPTE_V | VPTE_RW;
const AM: u32 = VPTE_A | VPTE_M;

let image: i32 = -1;
let linear: usize = 0;
let window: usize = 0;

function mapWindow(offset: u32): usize {
  return mmap(0, WINDOW, RW, MAP_SHARED | MAP_VPAGETABLE, image, offset);
}

function setVpte(page: u32, slot: u32, value: u32): void {
  store<u32>(linear + page * PAGE + slot * 4, value);
}

function vpte(page: u32, slot: u32): u32 {
  return load<u32>(linear + page * PAGE + slot * 4);
}

function setRoot(value: u32): i32 {
  return mcontrol(window, WINDOW, MADV_SETMAP, value);
}

/** The page number that page `k` of the window shows, or -1. */
function shown(k: u32): i32 {
  return peek(window + k * PAGE) < 0 ? -1 : load<i32>(window + k * PAGE);
}

function hex(value: u32): string {
  let text = "";
  for (let shift: i32 = 28; shift >= 0; shift -= 4) text = text + "0123456789abcdef".substring(((value >> shift) & 15) as i32, (((value >> shift) & 15) as i32) + 1);
  return text;
}

function checkVpte(name: string, page: u32, slot: u32, flags: u32): void {
  checkEqual(name + " (" + hex(vpte(page, slot)) + ")", (vpte(page, slot) & 0xfff) as i32, flags as i32);
}

function gate(): void {
  enableVkernel(0);
  checkError("1: MAP_VPAGETABLE disabled", mapWindow(0) as i32, EOPNOTSUPP);
  checkError("1: vmspace_create disabled", vmspaceCreate(1, 0, 0), EOPNOTSUPP);
  checkError("1: vmspace_destroy without structure", vmspaceDestroy(1), EINVAL);
  checkError("1: vmspace_ctl without structure", vmspaceCtl(1, 1, linear, linear), EINVAL);
  enableVkernel(1);
}

function mapArguments(): void {
  checkError("5: read only", mmap(0, WINDOW, PROT_READ, MAP_SHARED | MAP_VPAGETABLE, image, 0) as i32, EINVAL);
  checkError("5: stack", mmap(0, WINDOW, RW, MAP_SHARED | MAP_VPAGETABLE | MAP_STACK, image, 0) as i32, EINVAL);
  const far = mmap(0, 0x10000000, RW, MAP_SHARED | MAP_VPAGETABLE, image, 0x40000000);
  check("5: beyond the end of the file", far != 0xffffffff);
  munmap(far, 0x10000000);
  window = mapWindow(0);
  check("5: mapped", window != 0xffffffff);
  madvise(linear, IMAGE, MADV_NOSYNC);
}

function fresh(): void {
  check("6: load faults before SETMAP", peek(window) == -1 && lastFaultCode() == SEGV_MAPERR);
  check("6: store faults before SETMAP", !poke(window, 1));
  checkError("7: madvise SETMAP", madvise(window, WINDOW, MADV_SETMAP), EINVAL);
  checkError("7: SETMAP on an ordinary mapping", mcontrol(linear, PAGE, MADV_SETMAP, 0), EINVAL);
  checkError("7: behaviour 12", mcontrol(window, WINDOW, 12, 0), EINVAL);
}

function rootPs(): void {
  checkEqual("8: SETMAP", setRoot(VPTE_PS | VW | 16 * PAGE), 0);
  checkEqual("8: page 0", shown(0), 16);
  checkEqual("8: page 5", shown(5), 21);
  setRoot(VPTE_PS | VW | 17 * PAGE);
  checkEqual("8: frame of any alignment", shown(5), 22);
  setRoot(VPTE_PS | VW | 16 * PAGE);
  const other = mapWindow(8 * PAGE);
  mcontrol(other, WINDOW, MADV_SETMAP, VPTE_PS | VW | 16 * PAGE);
  checkEqual("8: offset is added", load<i32>(other + PAGE), 25);
  munmap(other, WINDOW);
  setRoot(VPTE_PS | V | 16 * PAGE);
  check("13: root without RW: store", !poke(window, 1) && shown(0) == 16);
}

function twoLevels(): void {
  setVpte(0, 0, PAGE | VW);
  setVpte(1, 0, 32 * PAGE | VW);
  setVpte(1, 3, 40 * PAGE | VW);
  setRoot(0 | VW);
  checkEqual("10: slot 0", shown(0), 32);
  checkEqual("10: slot 3", shown(3), 40);
  const again = mapWindow(0);
  mcontrol(again, WINDOW, MADV_SETMAP, 0 | VW);
  checkEqual("10: same at another address", load<i32>(again + 3 * PAGE), 40);
  munmap(again, WINDOW);
  check("14: invalid leaf", shown(1) == -1 && lastFaultCode() == SEGV_MAPERR);
  check("14: invalid directory entry", shown(1024) == -1);
  setVpte(1, 1, 33 * PAGE | V);
  checkEqual("17: invalid to valid needs no INVAL", shown(1), 33);
  check("17: read-only", !poke(window + PAGE, 1));
  setVpte(1, 1, 33 * PAGE | VW);
  check("17: read-only to writable needs no INVAL", poke(window + PAGE, 33));
}

function accessedModified(): void {
  setVpte(1, 4, 44 * PAGE | VW);
  setVpte(0, 0, PAGE | VW);
  peek(window + 4 * PAGE);
  checkVpte("11: load sets A in the leaf", 1, 4, VW | VPTE_A);
  checkVpte("11: and in the directory entry", 0, 0, VW | VPTE_A);
  check("11: store after load", poke(window + 4 * PAGE, 44));
  checkVpte("11: store sets M", 1, 4, VW | AM);
  setVpte(0, 0, PAGE | VW);
  setVpte(1, 5, 45 * PAGE | VW);
  poke(window + 5 * PAGE, 45);
  checkVpte("12: store first: leaf", 1, 5, VW | AM);
  checkVpte("12: store first: directory entry", 0, 0, VW | AM);
  setVpte(0, 0, PAGE | V);
  setVpte(1, 6, 46 * PAGE | VW);
  check("13: directory entry without RW", !poke(window + 6 * PAGE, 1));
  checkEqual("13: load", shown(6), 46);
  setVpte(0, 0, PAGE | VW);
  setVpte(1, 4, 44 * PAGE | VW | VPTE_A);
  madvise(window + 4 * PAGE, PAGE, MADV_INVAL);
  check("18: store after M was cleared", poke(window + 4 * PAGE, 44));
  checkVpte("18: sets M again", 1, 4, VW | AM);
}

function directoryPs(): void {
  setVpte(0, 1, 65 * PAGE | VW | VPTE_PS);
  checkEqual("9: frame of any alignment", shown(1024 + 3), 68);
  setVpte(0, 1, 64 * PAGE | VW | VPTE_PS);
  madvise(window + 1024 * PAGE, 1024 * PAGE, MADV_INVAL);
  checkEqual("9: page 7 of 4 MiB", shown(1024 + 7), 71);
  checkVpte("9: A in the directory entry", 0, 1, VW | VPTE_PS | VPTE_A);
  poke(window + (1024 + 9) * PAGE, 73);
  checkVpte("9: M in the directory entry", 0, 1, VW | VPTE_PS | AM);
}

function invalidation(): void {
  setVpte(1, 8, 48 * PAGE | VW);
  checkEqual("16: valid", shown(8), 48);
  setVpte(1, 8, 0);
  checkEqual("16: INVAL", madvise(window + 8 * PAGE, PAGE, MADV_INVAL), 0);
  checkEqual("16: invalid after INVAL", shown(8), -1);
  setVpte(1, 8, 49 * PAGE | VW);
  checkEqual("16: other frame", shown(8), 49);
  setVpte(1, 8, 50 * PAGE | VW);
  madvise(window, WINDOW, MADV_INVAL);
  checkEqual("16: changed frame after INVAL of everything", shown(8), 50);
  poke(window + 8 * PAGE, 50);
  setVpte(1, 8, 50 * PAGE | V);
  madvise(window + 8 * PAGE, PAGE, MADV_INVAL);
  check("16: RW taken away", !poke(window + 8 * PAGE, 1));
  setVpte(1, 10, 0x7000000 | VW);
  check("15: leaf beyond the file", shown(10) == -1 && lastFaultCode() == SEGV_ACCERR);
  setVpte(0, 1, 0x7000000 | VW);
  madvise(window, WINDOW, MADV_INVAL);
  check("15: table beyond the file", shown(1024) == -1);
  setVpte(0, 1, 0);
}

let ranges!: FixedArray<u32, 34>;

function setRange(n: u32, start: usize, bytes: u32): void {
  ranges[n * 2] = start;
  ranges[n * 2 + 1] = bytes;
}

/** One call invalidates several ranges, or none when one of them is wrong. */
function invalidateRanges(): void {
  const vector = addressof(ranges);
  for (let k: u32 = 22; k < 26; k++) {
    setVpte(1, k, (k + 40) * PAGE | VW);
    checkEqual("INVALV: valid", shown(k), (k + 40) as i32);
    setVpte(1, k, 0);
  }
  setRange(0, window + 22 * PAGE, PAGE);
  setRange(1, 0xfffff000, 2 * PAGE);
  checkError("INVALV: a range beyond user space", mcontrol(vector, 2, MADV_INVALV, 0), EINVAL);
  checkEqual("INVALV: then the others stay", shown(22), 62);
  checkError("INVALV: too many", mcontrol(vector, 17, MADV_INVALV, 0), EINVAL);
  checkError("INVALV: bad vector", mcontrol(0x100, 1, MADV_INVALV, 0), EFAULT);
  setRange(1, window + 24 * PAGE, 2 * PAGE);
  checkEqual("INVALV: two ranges", mcontrol(vector, 2, MADV_INVALV, 0), 0);
  check("INVALV: all of both", shown(22) == -1 && shown(24) == -1 && shown(25) == -1);
  checkEqual("INVALV: and nothing between", shown(23), 63);
  checkEqual("INVALV: no ranges", mcontrol(0, 0, MADV_INVALV, 0), 0);
  setVpte(1, 22, 62 * PAGE | VW);
  setVpte(1, 25, 65 * PAGE | VW);
  check("INVALV: stores", poke(window + 22 * PAGE, 62) && poke(window + 25 * PAGE, 65));
  setVpte(1, 22, 62 * PAGE | V | AM);
  setVpte(1, 25, 65 * PAGE | V | AM);
  setRange(0, (window + 22 * PAGE) | INVALV_READ, PAGE);
  setRange(1, (window + WINDOW - PAGE) | INVALV_READ, PAGE);
  checkEqual("INVALV: write permission", mcontrol(vector, 2, MADV_INVALV, 0), 0);
  check("INVALV: no stores where it is taken", !poke(window + 22 * PAGE, 1) && lastFaultCode() == SEGV_MAPERR);
  check("INVALV: stores beside it", poke(window + 25 * PAGE, 65));
  checkEqual("INVALV: loads go on", shown(22), 62);
  setRange(0, (VM_MAX_USER_ADDRESS - PAGE) | INVALV_READ, PAGE);
  checkEqual("INVALV: write permission of the last page", mcontrol(vector, 1, MADV_INVALV, 0), 0);
  setRange(0, VM_MAX_USER_ADDRESS | INVALV_READ, PAGE);
  checkError("INVALV: write permission beyond user space", mcontrol(vector, 1, MADV_INVALV, 0), EINVAL);
  madvise(window, WINDOW, MADV_INVAL);
}

let fds!: FixedArray<i32, 2>;

function kernelAccess(): void {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  setVpte(1, 12, 52 * PAGE | VW);
  setVpte(1, 13, 53 * PAGE | VW);
  setVpte(1, 14, 0);
  checkEqual("19: write(2) from the window", write(fds[1]!, window + 12 * PAGE, 4), 4);
  checkVpte("19: sets A only", 1, 12, VW | VPTE_A);
  checkEqual("19: read(2) into the window", read(fds[0]!, window + 13 * PAGE, 4), 4);
  checkVpte("19: sets A and M", 1, 13, VW | AM);
  checkEqual("19: the bytes arrived", load<i32>(linear + 53 * PAGE), 52);
  store<i32>(linear + 53 * PAGE, 53);
  checkError("19: invalid VPTE", write(fds[1]!, window + 14 * PAGE, 4), EFAULT);
  close(fds[0]!);
  close(fds[1]!);
}

function childWindow(): i32 {
  if (shown(0) != 32) return 1;
  setVpte(1, 20, 60 * PAGE | VW);
  return poke(window + 20 * PAGE, 60) ? 0 : 2;
}

function inherited(): void {
  checkEqual("fork: child walks the same tree", inChild(childWindow), 0);
  checkVpte("fork: and marks it", 1, 20, VW | AM);
}

/** Private memory can hold its own tree: slot 0 of page 0 leads to page 1, whose slot 2 leads to page 2. */
function privateTree(): void {
  const tree = mmap(0, 0x400000, RW, MAP_PRIVATE | MAP_ANON | MAP_VPAGETABLE, -1, 0);
  mcontrol(tree, 0x400000, MADV_SETMAP, VPTE_PS | VW);
  store<u32>(tree, PAGE | VW);
  store<u32>(tree + PAGE + 8, 2 * PAGE | VW);
  store<u32>(tree + 2 * PAGE, 12345);
  mcontrol(tree, 0x400000, MADV_SETMAP, 0 | VW);
  checkEqual("private tree", load<i32>(tree + 2 * PAGE), 12345);
  munmap(tree, 0x400000);
  checkEqual("private tree unmapped", peek(tree + 2 * PAGE), -1);
}

/** The unlinked image dies with its last mapping; the window works until then. */
function lastMapping(): void {
  close(image);
  checkEqual("41: closed descriptor", shown(3), 40);
  munmap(linear, IMAGE);
  checkEqual("window alone keeps the image", shown(3), 40);
  const pid = fork();
  if (pid == 0) {
    munmap(window, WINDOW);
    _exit(peek(window + 3 * PAGE) == -1 ? 0 : 1);
  }
  checkEqual("child unmaps its own", waitFor(pid), 0);
  checkEqual("parent's is still there", shown(3), 40);
  munmap(window, WINDOW);
}

function main(args: string[]): i32 {
  catchFaults();
  image = scratchFile(IMAGE);
  linear = mapFile(image, IMAGE);
  for (let i: u32 = 16; i < 100; i++) store<u32>(linear + i * PAGE, i);
  gate();
  mapArguments();
  fresh();
  rootPs();
  twoLevels();
  accessedModified();
  directoryPs();
  invalidation();
  invalidateRanges();
  kernelAccess();
  inherited();
  privateTree();
  lastMapping();
  return verdict("vpagetable");
}

setMain(main);
