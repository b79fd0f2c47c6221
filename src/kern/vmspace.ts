// VM-space objects: address spaces that a process owns and runs code in, without being in them itself. vmspace_ctl(RUN)
// exchanges the caller's registers, TLS descriptors and address space for the object's; the exit exchanges them back and
// the call returns. The other half of this conversation is goUser of the virtual kernel.
//
// Guarantees. The owner chooses the names (ids), which are never dereferenced. lwp.ve != null exactly while the thread runs
// inside; lwp.vmspace is then the entry's space, and copyin, faults and %cr3 follow lwp.vmspace. Whatever registers or
// descriptors the owner hands in, the result is user code at ring 3 with interrupts on. After an exit the owner's
// registers and TLS are exactly as before the call, but for eax and the carry flag.
// VMSPACE_CTL_RESUME is RUN for an owner that has more to say first: which ranges of the space have changed, and which page it has just
// made valid because the space had faulted there, so that it need not fault again.
// DragonFly never implemented vmspace_pread and vmspace_pwrite; here they copy between the caller's buffer and the address
// `offset` of the object.

import { TrapFrame, VextFrame, TRAPFRAME_SIZE, VEXTFRAME_SIZE, SEL_UCODE, SEL_UDATA, PSL_USERCHANGE, PSL_I, PSL_C, PGEX_FPFAULT,
  ResumeWish, VMSPACE_CTL_RESUME, VMSPACE_CTL_RUN, VMSPACE_CTL_SETLDT } from "../abi/frames.ts";
import { EAGAIN, EBUSY, EEXIST, EFAULT, EINVAL, EJUSTRETURN, ENOENT, ENOMEM, ENXIO, EOPNOTSUPP } from "../abi/errno.ts";
import { kernSetLdt } from "./ldt.ts";
import { Lwp, Proc } from "./proc.ts";
import { Vmspace, vmspaceAlloc, vmspaceFree, vmRangeOk, kernMadvise } from "./vm_map.ts";
import { VM_READ, VM_WRITE, vmFault, vmFaultPage } from "./vm_fault.ts";
import { vmKernelRoom, vmPageHold, vmPageRelease, vmPageSetDirty } from "./vm_page.ts";
import { MADV_INVALV, VM_MAX_USER_ADDRESS } from "../abi/mman.ts";
import { kernInvalidateRanges, kernMmap, kernMunmap, mmapResult } from "./vm_syscalls.ts";
import { pmapActivate, ptov } from "machine/pmap.ts";
import { copyin, copyout, suword } from "machine/copyio.ts";
import { frameActivate } from "machine/swtch.ts";
import { tlsLoad } from "machine/tls.ts";
import { fpuVirt } from "./fpu.ts";
import { panic } from "./panic.ts";

/** Chains of VkernelProc. */
export const VKERNEL_CHAINS: u32 = 1024;
const DEFAULT_MOST: i32 = 8192;

export class VmspaceEntry {
  id: usize = 0;                    // opaque
  space!: Vmspace;
  refs: i32 = 0;                    // threads inside and calls in progress
  runs: u32 = 0;                    // times entered
  cycles: u64 = 0;                  // processor time inside
  next: VmspaceEntry | null = null; // on the chain of its id
}

/** What a process owns; a fork shares it, the last process to leave destroys all of it. */
export class VkernelProc {
  refs: i32 = 1;
  count: i32 = 0;
  chains!: FixedArray<VmspaceEntry | null, 1024>;
}

/** Ids are often addresses of records: all their bits count. */
export function chainOf(id: usize): u32 {
  return (id * 0x9e3779b1) >>> 22;
}

/** sysctl vm.vkernel_enable. */
export let vkernelEnable: i32 = 0;

export function setVkernelEnable(value: i32): void {
  vkernelEnable = value;
}

/** sysctl vm.vkernel_spaces: so many may one process own. */
export let vkernelSpaces: i32 = DEFAULT_MOST;

export function setVkernelSpaces(value: i32): void {
  vkernelSpaces = value;
}

/** The space that lwp's process knows by this id, or null. */
export function findEntry(lwp: Lwp, id: usize): VmspaceEntry | null {
  const vkp = lwp.proc.vkernel;
  if (vkp == null) return null;
  let ve = vkp.chains[chainOf(id)];
  while (ve != null && ve.id != id) ve = ve.next;
  return ve;
}

/** What a call answers whose id findEntry does not know. */
function noEntry(lwp: Lwp): i32 {
  return lwp.proc.vkernel == null ? EINVAL : ENOENT;
}

/** vmspace_create(id, type, data): EAGAIN beyond vm.vkernel_spaces, ENOMEM when memory is short. */
export function sysVmspaceCreate(lwp: Lwp, a: Ptr<u32>): i32 {
  if (vkernelEnable == 0) return EOPNOTSUPP;
  if (!vmKernelRoom(lwp.proc.vkernel == null ? sizeof<VkernelProc>() : 0)) return ENOMEM;
  let vkp = lwp.proc.vkernel;
  if (vkp == null) {
    vkp = new VkernelProc();
    lwp.proc.vkernel = vkp;
  }
  if (findEntry(lwp, a[0]!) != null) return EEXIST;
  if (vkp.count >= vkernelSpaces) return EAGAIN;
  const space = vmspaceAlloc();
  if (space == null) return ENOMEM;
  const ve = new VmspaceEntry();
  ve.id = a[0]!;
  ve.space = space;
  const at = chainOf(ve.id);
  ve.next = vkp.chains[at];
  vkp.chains[at] = ve;
  vkp.count++;
  return 0;
}

/** vmspace_destroy(id) */
export function sysVmspaceDestroy(lwp: Lwp, a: Ptr<u32>): i32 {
  const ve = findEntry(lwp, a[0]!);
  if (ve == null) return noEntry(lwp);
  if (ve.refs != 0) return EBUSY;
  unlinkEntry(lwp.proc.vkernel!, ve);
  vmspaceFree(ve.space);
  free(ve);
  return 0;
}

function unlinkEntry(vkp: VkernelProc, ve: VmspaceEntry): void {
  vkp.count--;
  const at = chainOf(ve.id);
  if (vkp.chains[at] == ve) {
    vkp.chains[at] = ve.next;
    return;
  }
  let before = vkp.chains[at]!;
  while (before.next != ve) before = before.next!;
  before.next = ve.next;
}

/** vmspace_ctl(id, cmd, tframe, vframe) */
export function sysVmspaceCtl(lwp: Lwp, a: Ptr<u32>): i32 {
  const ve = findEntry(lwp, a[0]!);
  if (ve == null) return noEntry(lwp);
  if (a[1] == VMSPACE_CTL_SETLDT) return setLdt(lwp, ve, a[2]!);
  if (a[1] == VMSPACE_CTL_RESUME) return resume(lwp, ve, a[2]!, a[3]!);
  if (a[1] != VMSPACE_CTL_RUN) return EOPNOTSUPP;
  lwp.userLeft = 0;
  return run(lwp, ve, a[2]!, a[3]!);
}

/** What `wishAt` asks for, then RUN. */
function resume(lwp: Lwp, ve: VmspaceEntry, tframe: usize, wishAt: usize): i32 {
  const wish = changetype<ResumeWish>(lwp.scratch);
  let error = copyin(wishAt, changetype<usize>(wish), sizeof<ResumeWish>());
  if (error != 0) return error;
  const vframe = wish.vframe;
  ve.refs++;
  error = grantWish(ve.space, wish.ranges, wish.count, wish.enter);
  if (error == 0) error = suword(wishAt + offsetof<ResumeWish>("entered"), lwp.cycleStamp);
  ve.refs--;
  if (error != 0) return error;
  lwp.userLeft = wishAt + offsetof<ResumeWish>("left");
  return run(lwp, ve, tframe, vframe);
}

/** Forget `count` ranges of the space, then enter a page of it. That there is no such page is for the space to find out. May sleep. */
export function grantWish(space: Vmspace, ranges: usize, count: u32, enter: u32): i32 {
  const access = (enter & 0xfff) as i32;
  if (enter != 0 && ((access != VM_READ && access != VM_WRITE) || enter >= VM_MAX_USER_ADDRESS)) return EINVAL;
  const error = count != 0 ? kernInvalidateRanges(space, ranges, count) : 0;
  if (error == 0 && enter != 0) vmFault(space, enter, access);
  return error;
}

function setLdt(lwp: Lwp, ve: VmspaceEntry, args: usize): i32 {
  ve.refs++;
  const error = kernSetLdt(lwp, ve.space, args);
  ve.refs--;
  return error;
}

/** Enter the VM space: from here on the thread's user registers are the object's. */
function run(lwp: Lwp, ve: VmspaceEntry, tframe: usize, vframe: usize): i32 {
  const frame = lwp.innerFrame;
  ve.refs++;
  let error = copyin(tframe, changetype<usize>(frame), TRAPFRAME_SIZE);
  if (error == 0) error = copyin(vframe, changetype<usize>(lwp.innerTls), VEXTFRAME_SIZE);
  if (error == 0) error = checkTls(lwp.innerTls);
  if (error != 0) {
    ve.refs--;
    return error;
  }
  cleanFrame(frame);
  ve.runs++;
  lwp.userTframe = tframe;
  lwp.ve = ve;
  lwp.frame = frame;
  switchSpace(lwp, ve.space);
  fpuVirt(lwp, (frame.xflags & PGEX_FPFAULT) != 0);
  lwp.innerUsed = usedCycles(lwp);
  return EJUSTRETURN;
}

/** Leave the VM space: `frame` holds its registers and why it stopped. The owner's vmspace_ctl returns 0, or EFAULT. */
export function vkernelTrap(lwp: Lwp, frame: TrapFrame): void {
  frame.isp = usedCycles(lwp) - lwp.innerUsed;
  leaveSpace(lwp);
  let error = copyout(changetype<usize>(frame), lwp.userTframe, TRAPFRAME_SIZE);
  if (error == 0 && lwp.userLeft != 0) error = suword(lwp.userLeft, lwp.cycleStamp);
  answerOwner(lwp.frame, error);
}

/** The low word of the cycles that lwp has used. An owner of several threads can't tell from the clock how long each ran. */
export function usedCycles(lwp: Lwp): u32 {
  return (lwp.userCycles as u32) + (lwp.sysCycles as u32);
}

/** The result of the owner's vmspace_ctl. */
export function answerOwner(frame: TrapFrame, error: i32): void {
  frame.eax = error as u32;
  frame.eflags = error != 0 ? frame.eflags | PSL_C : frame.eflags & ~PSL_C;
}

function leaveSpace(lwp: Lwp): void {
  lwp.ve!.refs--;
  lwp.ve = null;
  lwp.frame = lwp.ownFrame;
  switchSpace(lwp, lwp.proc.vmspace!);
}

/** Everything that the processor knows of lwp's address space and user frame. */
function switchSpace(lwp: Lwp, space: Vmspace): void {
  lwp.vmspace = space;
  pmapActivate(lwp);
  frameActivate(lwp);
  tlsLoad(lwp);
}

/** Force the selectors and the privileged flags; fs and gs may be anything, a bad one faults when it is loaded. */
export function cleanFrame(frame: TrapFrame): void {
  frame.cs = SEL_UCODE;
  frame.ds = SEL_UDATA;
  frame.es = SEL_UDATA;
  frame.ss = SEL_UDATA;
  frame.eflags = (frame.eflags & PSL_USERCHANGE) | PSL_I | 2;
}

/** 0 if each descriptor is empty or an ordinary 32-bit user data segment, else ENXIO. */
export function checkTls(tls: VextFrame): i32 {
  return okDescriptor(tls.tls0hi) && okDescriptor(tls.tls1hi) && okDescriptor(tls.tls2hi) ? 0 : ENXIO;
}

// High word of a descriptor: bits 8-12 type, 13-14 DPL, 15 present, 20-21 available and reserved, 22 32-bit.
function okDescriptor(high: u32): bool {
  if ((high & 0x7f00) == 0) return true;
  return (high & 0x70ff00) == 0x40f300;
}

/** vmspace_mmap(id, addr, len, prot, flags, fd, offset) */
export function sysVmspaceMmap(lwp: Lwp, a: Ptr<u32>): i32 {
  const ve = findEntry(lwp, a[0]!);
  if (ve == null) return noEntry(lwp);
  ve.refs++;
  const error = kernMmap(ve.space, lwp.proc, a[1]!, a[2]!, a[3] as i32, a[4] as i32, a[5] as i32, a[6]!, a[7]!);
  ve.refs--;
  lwp.retval0 = mmapResult;
  return error;
}

/** vmspace_munmap(id, addr, len) */
export function sysVmspaceMunmap(lwp: Lwp, a: Ptr<u32>): i32 {
  const ve = findEntry(lwp, a[0]!);
  if (ve == null) return noEntry(lwp);
  ve.refs++;
  const error = kernMunmap(ve.space, a[1]!, a[2]!);
  ve.refs--;
  return error;
}

/** vmspace_mcontrol(id, addr, len, behaviour, value) */
export function sysVmspaceMcontrol(lwp: Lwp, a: Ptr<u32>): i32 {
  const ve = findEntry(lwp, a[0]!);
  if (ve == null) return noEntry(lwp);
  ve.refs++;
  const error = (a[3] as i32) == MADV_INVALV ? kernInvalidateRanges(ve.space, a[1]!, a[2]!) : kernMadvise(ve.space, a[1]!, a[2]!, a[3] as i32, a[4]!);
  ve.refs--;
  return error;
}

/** vmspace_pread(id, buf, nbyte, flags, offset) */
export function sysVmspacePread(lwp: Lwp, a: Ptr<u32>): i32 {
  return transfer(lwp, a, VM_READ);
}

/** vmspace_pwrite(id, buf, nbyte, flags, offset) */
export function sysVmspacePwrite(lwp: Lwp, a: Ptr<u32>): i32 {
  return transfer(lwp, a, VM_WRITE);
}

function transfer(lwp: Lwp, a: Ptr<u32>, access: i32): i32 {
  const ve = findEntry(lwp, a[0]!);
  if (ve == null) return noEntry(lwp);
  if (a[5] != 0 || !vmRangeOk(a[4]!, a[2]!)) return EINVAL;
  ve.refs++;
  const error = copyPages(ve.space, a[4]!, a[1]!, a[2]!, access);
  ve.refs--;
  lwp.retval0 = a[2]!;
  return error;
}

/** Copy `n` bytes between `inside` of the space and `buffer` of the caller: VM_READ out of the space, VM_WRITE into it. */
function copyPages(space: Vmspace, inside: u32, buffer: usize, n: u32, access: i32): i32 {
  let done: u32 = 0;
  while (done < n) {
    const at = inside + done;
    const room = 4096 - (at & 4095);
    const bytes = n - done < room ? n - done : room;
    const page = vmFaultPage(space, at, access);
    if (page == null) return EFAULT;
    vmPageHold(page);
    const kva = ptov(page.pa) + (at & 4095);
    const error = access == VM_READ ? copyout(kva, buffer + done, bytes) : copyin(buffer + done, kva, bytes);
    if (access == VM_WRITE) vmPageSetDirty(page);     // it may have been written in the middle, if the copy slept
    vmPageRelease(page);
    if (error != 0) return error;
    done += bytes;
  }
  return 0;
}

/** Fork: the child shares the VM spaces, and is inside none of them. */
export function vkernelFork(parent: Proc, child: Proc): void {
  child.vkernel = parent.vkernel;
  if (parent.vkernel != null) parent.vkernel.refs++;
}

/** A thread ends: it leaves the VM space that it may be inside of. */
export function vkernelLeave(lwp: Lwp): void {
  if (lwp.ve != null) leaveSpace(lwp);
}

/** Exec or exit, in the last thread: leave the VM space if it is inside one, and give up the process's share. May sleep. */
export function vkernelExit(lwp: Lwp): void {
  vkernelLeave(lwp);
  const vkp = lwp.proc.vkernel;
  if (vkp == null) return;
  lwp.proc.vkernel = null;
  vkp.refs--;
  if (vkp.refs == 0) destroyAll(vkp);
}

function destroyAll(vkp: VkernelProc): void {
  for (let at: u32 = 0; at < VKERNEL_CHAINS; at++) {
    while (vkp.chains[at] != null) {
      const ve: VmspaceEntry = vkp.chains[at]!;
      if (ve.refs != 0) panic("a VM space outlives who runs in it");
      vkp.chains[at] = ve.next;
      vmspaceFree(ve.space);
      free(ve);
    }
  }
  free(vkp);
}
