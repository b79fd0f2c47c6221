// The memory calls: mmap munmap mprotect madvise mcontrol msync break. The kernX functions do the work on any address space,
// so that vmspace_mmap and its sisters share them.

import { EACCES, EBADF, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP } from "../abi/errno.ts";
import { DEV_TIME, DEV_ZERO, O_ACCMODE, O_RDONLY, O_WRONLY } from "../abi/file.ts";
import { INVALV_MOST, INVALV_READ, MADV_INVAL, MADV_INVALV, MAP_ANON, MAP_FIXED, MAP_NOSYNC, MAP_SHARED, MAP_STACK, MAP_VPAGETABLE, PROT_EXEC, PROT_READ, PROT_WRITE,
  PAGE_SIZE } from "../abi/mman.ts";
import { copyin } from "machine/copyio.ts";
import { fdGet } from "./file.ts";
import { VT_CHR, VT_REG } from "./vnode.ts";
import { Lwp, Proc } from "./proc.ts";
import { MAX_ENTRIES, VME_COW, VME_NEEDS_COPY, VME_NOSYNC, VME_SHARED, VME_STACK, VME_VPAGETABLE, Vmspace, kernMadvise, vmMapFindSpace, vmMapInsert,
  vmMapMayClip, vmMapProtect, vmMapRemove, vmMapLookup, vmRangeOk } from "./vm_map.ts";
import { NO_LIMIT, OBJ_NOSYNC, OBJ_VNODE, VmObject, vmObjectAnon, vmObjectFlush, vmObjectOf, vmObjectRef, vmObjectRelease } from "./vm_object.ts";
import { timePageObject } from "./timepage.ts";
import { pmapProtect } from "./ptable.ts";
import { protectOn, timePageOn } from "./tuning.ts";
import { vmKernelRoom } from "./vm_page.ts";
import { switchCount } from "./sched.ts";
import { vmFault, VM_READ, VM_WRITE } from "./vm_fault.ts";
import { vkernelEnable } from "./vmspace.ts";

const SEGMENT: u32 = 0x400000;
const BIG: u32 = 0x4000000;
/** The heap may not grow beyond this many bytes. */
const MAX_DATA: u32 = 0x20000000;
const PROT_ALL: i32 = 7;

/** Address that the last successful kernMmap chose. */
export let mmapResult: u32 = 0;

// What fileObject found about a descriptor.
let mapObject: VmObject | null = null;
let mapMaxProt: i32 = 0;

/**
 * Map memory or a file of `proc` into `vm`, which need not be its own space. Sets mmapResult. May sleep. EINVAL, EBADF,
 * EACCES, ENODEV, ENOMEM, and EOPNOTSUPP for MAP_VPAGETABLE while vm.vkernel_enable is 0.
 */
export function kernMmap(vm: Vmspace, proc: Proc, address: u32, len: u32, prot: i32, flags: i32, fd: i32, offset: u32, offsetHigh: u32): i32 {
  if ((flags & MAP_VPAGETABLE) != 0) {
    if (vkernelEnable == 0) return EOPNOTSUPP;
    if ((flags & MAP_STACK) != 0 || (prot & (PROT_READ | PROT_WRITE)) != (PROT_READ | PROT_WRITE)) return EINVAL;
  }
  if (len == 0 || len > 0xfffff000 || (offset & 4095) != 0 || offsetHigh != 0 || (prot & ~PROT_ALL) != 0) return EINVAL;
  if (!vmKernelRoom(0) || vm.entryCount >= MAX_ENTRIES) return ENOMEM;
  const bytes = (len + 4095) & 0xfffff000;
  if ((flags & MAP_FIXED) != 0 && ((address & 4095) != 0 || !vmRangeOk(address, bytes))) return EINVAL;
  mapObject = null;
  mapMaxProt = PROT_ALL;
  if ((flags & (MAP_ANON | MAP_STACK)) == 0) {
    const error = fileObject(proc, fd, prot, flags);
    if (error != 0) return error;
  }
  const object = mapObject;
  const maxProt = mapMaxProt;
  let start = address;
  if ((flags & MAP_FIXED) != 0) vmMapRemove(vm, address, address + bytes);
  else start = vmMapFindSpace(vm, (address + 4095) & 0xfffff000, bytes, bytes % SEGMENT == 0 || bytes > BIG ? SEGMENT : PAGE_SIZE);
  const error = start != 0 || (flags & MAP_FIXED) != 0 ? insertMapping(vm, start, bytes, object, offset, prot, maxProt, flags) : ENOMEM;
  if (error != 0 && object != null) vmObjectRelease(object);
  mmapResult = start;
  return error;
}

function insertMapping(vm: Vmspace, start: u32, len: u32, object: VmObject | null, offset: u32, prot: i32, maxProt: i32, flags: i32): i32 {
  let o = object;
  let entryFlags: i32 = VME_SHARED;
  if ((flags & MAP_SHARED) == 0) entryFlags = o != null ? VME_COW | VME_NEEDS_COPY : VME_COW;
  if ((flags & MAP_STACK) != 0) entryFlags |= VME_STACK;
  if ((flags & MAP_VPAGETABLE) != 0) entryFlags |= VME_VPAGETABLE;
  if (o == null && (flags & (MAP_SHARED | MAP_VPAGETABLE)) != 0) {
    o = vmObjectAnon((flags & MAP_VPAGETABLE) != 0 ? NO_LIMIT : (offset >>> 12) + (len >>> 12));
  }
  if ((flags & MAP_NOSYNC) != 0 && o != null && o.kind == OBJ_VNODE) {
    entryFlags |= VME_NOSYNC;
    o.flags |= OBJ_NOSYNC;
  }
  const error = vmMapInsert(vm, start, len, o, offset, prot, maxProt, entryFlags);
  if (error != 0 && object == null && o != null) vmObjectRelease(o);
  return error;
}

/** The object behind a descriptor, with a reference, in mapObject (null: zero-filled memory), and what it allows. */
function fileObject(proc: Proc, fd: i32, prot: i32, flags: i32): i32 {
  const file = fdGet(proc.fd!, fd);
  if (file == null) return EBADF;
  const vp = file.vnode;
  if (vp == null) return ENODEV;
  if (vp.type == VT_CHR && vp.rdev == DEV_TIME) return timeObject(prot, flags);
  if (vp.type == VT_CHR) return vp.rdev == DEV_ZERO ? 0 : ENODEV;
  if (vp.type != VT_REG) return EINVAL;
  const mode = file.flags & O_ACCMODE;
  if (mode == O_WRONLY) return EACCES;
  if ((flags & MAP_SHARED) != 0 && mode == O_RDONLY) {
    if ((prot & PROT_WRITE) != 0) return EACCES;
    mapMaxProt = PROT_READ | PROT_EXEC;
  }
  const object = vmObjectOf(vp);
  vmObjectRef(object);
  mapObject = object;
  return 0;
}

/** The time page can only be read, and by all. */
function timeObject(prot: i32, flags: i32): i32 {
  if (!timePageOn) return ENODEV;
  if ((prot & PROT_WRITE) != 0 || (flags & (MAP_SHARED | MAP_VPAGETABLE)) != MAP_SHARED) return EACCES;
  mapMaxProt = PROT_READ;
  mapObject = timePageObject();
  return 0;
}

/** Unmap the pages of [address, address+len). */
export function kernMunmap(vm: Vmspace, address: u32, len: u32): i32 {
  const start = address & 0xfffff000;
  const bytes = (len + (address - start) + 4095) & 0xfffff000;
  if (bytes < len || !vmRangeOk(start, bytes)) return EINVAL;
  if (!vmMapMayClip(vm, start, start + bytes)) return ENOMEM;
  return vmMapRemove(vm, start, start + bytes);
}

/** mmap(addr, len, prot, flags, fd, pad, offset) */
export function sysMmap(lwp: Lwp, a: Ptr<u32>): i32 {
  const error = kernMmap(lwp.vmspace!, lwp.proc, a[0]!, a[1]!, a[2] as i32, a[3] as i32, a[4] as i32, a[6]!, a[7]!);
  lwp.retval0 = mmapResult;
  return error;
}

/** munmap(addr, len) */
export function sysMunmap(lwp: Lwp, a: Ptr<u32>): i32 {
  return kernMunmap(lwp.vmspace!, a[0]!, a[1]!);
}

/** mprotect(addr, len, prot) */
export function sysMprotect(lwp: Lwp, a: Ptr<u32>): i32 {
  const start = a[0]! & 0xfffff000;
  const bytes = (a[1]! + (a[0]! - start) + 4095) & 0xfffff000;
  if (bytes < a[1]! || !vmRangeOk(start, bytes) || (a[2]! & ~(PROT_ALL as u32)) != 0) return EINVAL;
  return vmMapProtect(lwp.vmspace!, start, start + bytes, a[2] as i32);
}

/** madvise(addr, len, behaviour): everything but SETMAP, which needs a value. */
export function sysMadvise(lwp: Lwp, a: Ptr<u32>): i32 {
  if ((a[2] as i32) > MADV_INVAL) return EINVAL;
  return kernMadvise(lwp.vmspace!, a[0]!, a[1]!, a[2] as i32, 0);
}

let ranges!: FixedArray<u32, 32>;

/** MADV_INVALV on `vm`: the vector lies in the memory of the caller. All of it is looked at before anything is done. */
export function kernInvalidateRanges(vm: Vmspace, vector: usize, count: u32): i32 {
  if (count > INVALV_MOST) return EINVAL;
  const error = copyin(vector, addressof(ranges), count * 8);
  if (error != 0) return error;
  for (let i: u32 = 0; i < count; i++) if (!vmRangeOk(ranges[i * 2]! & ~INVALV_READ, ranges[i * 2 + 1]!)) return EINVAL;
  let offers = count;
  while (offers != 0 && ranges[offers * 2 - 1] == 0) offers--;
  for (let i: u32 = 0; i < offers; i++) kernInvalidate(vm, ranges[i * 2]!, ranges[i * 2 + 1]!);
  if (offers != count) enterOffered(vm, offers, count);
  return 0;
}

/** Enter the pages that ranges of no bytes name, until one has to be waited for: faults there find the others. */
function enterOffered(vm: Vmspace, first: u32, end: u32): void {
  const before = switchCount;
  for (let i = first; i < end && switchCount == before; i++) {
    const access = (ranges[i * 2]! & 0xfff) as i32;
    if (access == VM_READ || access == VM_WRITE) vmFault(vm, ranges[i * 2]!, access);
  }
}

/** One range of a vector. */
function kernInvalidate(vm: Vmspace, at: u32, length: u32): void {
  const start = at & ~INVALV_READ;
  if (start == at || !protectOn) {
    kernMadvise(vm, start, length, MADV_INVAL, 0);
    return;
  }
  vm.timestamp++;
  pmapProtect(vm.pmap, start & 0xfffff000, (start + length + 4095) & 0xfffff000);
}

/** mcontrol(addr, len, behaviour, value) */
export function sysMcontrol(lwp: Lwp, a: Ptr<u32>): i32 {
  if ((a[2] as i32) == MADV_INVALV) return kernInvalidateRanges(lwp.vmspace!, a[0]!, a[1]!);
  return kernMadvise(lwp.vmspace!, a[0]!, a[1]!, a[2] as i32, a[3]!);
}

/** msync(addr, len, flags): write the dirty pages of the files that are mapped shared in the range. */
export function sysMsync(lwp: Lwp, a: Ptr<u32>): i32 {
  const vm = lwp.vmspace!;
  const start = a[0]! & 0xfffff000;
  if (!vmRangeOk(start, a[1]!)) return EINVAL;
  const end = start + a[1]!;
  let at = start;
  while (at < end) {
    const e = vmMapLookup(vm, at);
    if (e == null) return ENOMEM;
    at = e.end;
    const object = e.object;
    if (object == null || object.kind != OBJ_VNODE || (e.flags & VME_SHARED) == 0) continue;
    vmObjectRef(object);
    const error = vmObjectFlush(object);
    vmObjectRelease(object);
    if (error != 0) return error;
  }
  return 0;
}

/** break(end): set the end of the heap; new pages are zero-filled. */
export function sysBreak(lwp: Lwp, a: Ptr<u32>): i32 {
  const vm = lwp.vmspace!;
  const end = (a[0]! + 4095) & 0xfffff000;
  if (end < vm.dataStart) return EINVAL;
  if (end - vm.dataStart > MAX_DATA) return ENOMEM;
  if (end < vm.dataEnd) {
    vmMapRemove(vm, end, vm.dataEnd);
  } else if (end > vm.dataEnd) {
    const error = vmMapInsert(vm, vm.dataEnd, end - vm.dataEnd, null, 0, PROT_ALL, PROT_ALL, VME_COW);
    if (error != 0) return ENOMEM;
  }
  vm.dataEnd = end;
  return 0;
}
