// What the cases about VPAGETABLE mappings and VM spaces share: a file that plays a virtual kernel's memory, with a tree of VPTEs and a
// page of code in it, a space that shows it, and a run of that space.
//
// The image: page 0 is the directory, page 1 the table of its slot 0, page 16 code, page 32 data, page 48 a stack; page n of
// the space shows page n of the image where the table says so. All of it is also mapped linearly, so that every VPTE can be read and written at once.
// These calls need vm.vkernel_enable, which each case sets and puts back.

import { CTL_VM, VM_VKERNEL_ENABLE } from '../abi/file.ts';
import { TrapFrame, VextFrame, VMSPACE_CTL_RUN } from '../abi/frames.ts';
import { MADV_NOSYNC, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, VPTE_RW, VPTE_V } from '../abi/mman.ts';
import { ftruncate, madvise, mmap, sysctl, vmspaceCreate, vmspaceCtl, vmspaceMcontrol, vmspaceMmap } from '../libc/sys.ts';
import { checkEqual, must, newFile, PAGE, RW, testWith } from './usertests-harness.ts';

export const VW: u32 = VPTE_V | VPTE_RW;
export const SPAN: u32 = 0x400000;
/** Id of the space that most cases use. */
export const SPACE: usize = 0x1234;
export const CODE_PAGE: u32 = 16;
export const DATA_PAGE: u32 = 32;
export const STACK_PAGE: u32 = 48;
export const CODE: u32 = 0x10000;
export const DATA: u32 = 0x20000;
export const STACK: u32 = 0x31000;
const PAGES: u32 = 64;

/** The image: its descriptor, and where it is mapped linearly. */
export let image: i32 = -1;
export let linear: usize = 0;
/** Registers and descriptors of the next run, and after it those of its end. */
export let frame!: Embed<TrapFrame>;
export let ext!: Embed<VextFrame>;

let name!: FixedArray<i32, 2>;
let word!: FixedArray<i32, 2>;

/** Sets a number among the sysctls of vm; what it was. */
export function setVm(leaf: i32, value: i32): i32 {
  name[0] = CTL_VM;
  name[1] = leaf;
  word[0] = value;
  word[1] = 4;
  const before = anyWord();
  must("sysctl", sysctl(addressof(name), 2, before, addressof(word) + 4, addressof(word), 4));
  return load<i32>(before);
}

let old!: FixedArray<i32, 1>;

function anyWord(): usize {
  return addressof(old);
}

/** A case that may use the calls of virtual kernels. */
export function vkernelTest(title: string, body: () => void): void {
  testWith(title, changetype<i32>(body), enabled);
}

function enabled(body: i32): void {
  const before = setVm(VM_VKERNEL_ENABLE, 1);
  const run = changetype<() => void>(body);
  run();
  setVm(VM_VKERNEL_ENABLE, before);
}

export function setVpte(slot: u32, value: u32): void {
  store<u32>(linear + PAGE + slot * 4, value);
}

export function vpte(slot: u32): u32 {
  return load<u32>(linear + PAGE + slot * 4);
}

/** The directory entry of slot 0. */
export function directoryEntry(): u32 {
  return load<u32>(linear);
}

export function setDirectoryEntry(value: u32): void {
  store<u32>(linear, value);
}

export function pageAt(page: u32): usize {
  return linear + page * PAGE;
}

/** A fresh image with code, data and stack in its tree. */
export function makeImage(): void {
  image = newFile("image");
  must("ftruncate", ftruncate(image, PAGES * PAGE));
  linear = mmap(0, PAGES * PAGE, RW, MAP_SHARED, image, 0);
  must("mmap", linear as i32);
  madvise(linear, PAGES * PAGE, MADV_NOSYNC);
  setDirectoryEntry(PAGE | VW);
  for (let page: u32 = CODE_PAGE; page <= STACK_PAGE; page += 16) setVpte(page, page * PAGE | VW);
}

/** A space that shows the tree from address 0. */
export function makeSpace(id: usize): void {
  checkEqual("vmspace_create", vmspaceCreate(id, 0, 0), 0);
  checkEqual("vmspace_mmap", vmspaceMmap(id, 0, SPAN, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0) as i32, 0);
  checkEqual("MADV_SETMAP", vmspaceMcontrol(id, 0, SPAN, MADV_SETMAP, VW), 0);
}

/** The image and SPACE. */
export function prepareSpace(): void {
  makeImage();
  makeSpace(SPACE);
}

/** Puts code, written as hexadecimal bytes, at CODE, and the registers to its beginning. */
export function program(bytes: string): void {
  let at = pageAt(CODE_PAGE);
  for (let i: i32 = 0; i + 1 < bytes.length; i += 2) {
    store<u8>(at, (digit(bytes.charCodeAt(i)) * 16 + digit(bytes.charCodeAt(i + 1))) as u8);
    at++;
  }
  resetFrame(frame);
}

export function resetFrame(f: TrapFrame): void {
  memory.fill(changetype<usize>(f), 0, sizeof<TrapFrame>());
  f.eip = CODE;
  f.esp = STACK;
}

function digit(c: i32): i32 {
  return c < 58 ? c - 48 : c - 87;
}

/** Runs a space until something stops it; what vmspace_ctl answers. */
export function runSpace(id: usize): i32 {
  return vmspaceCtl(id, VMSPACE_CTL_RUN, changetype<usize>(frame), changetype<usize>(ext));
}

/** Runs SPACE, which this trap must stop. */
export function checkStop(what: string, trapno: u32): void {
  checkEqual(what + ", vmspace_ctl", runSpace(SPACE), 0);
  checkEqual(what + ", trap", frame.trapno as i32, trapno as i32);
}

/** The program, run from its beginning in SPACE, stops with this trap. */
export function checkProgram(what: string, bytes: string, trapno: u32): void {
  program(bytes);
  checkStop(what, trapno);
}
