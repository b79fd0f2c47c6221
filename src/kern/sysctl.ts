// sysctl, uname, and the small calls that only report or set who a process is.

import { EINVAL, ENOENT, ENOMEM, EPERM } from "../abi/errno.ts";
import {
  CpTime, CTL_HW, CTL_KERN, CTL_VFS, CTL_VM, FsStats, HW_NCPU, HW_PHYSMEM, HW_SYSENTER, HW_USERMEM, KERN_BOOTARGS, KERN_CPTIME, KERN_OSTYPE, KERN_PLATFORM, KERN_PROC, KERN_VMSPACES, KInfoProc, KInfoVmspace,
  VFS_STATS, VM_STATS, VM_VKERNEL_ENABLE, VM_VKERNEL_SPACES, VmStats,
} from "../abi/file.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import { bootArgs, platformName } from "machine/boot.ts";
import { fastCalls } from "machine/fastcall.ts";
import { copyin, copyout, fetchedWord, fuword, suword } from "machine/copyio.ts";
import { cpuCount } from "./cpu.ts";
import { allProcs, KSTACK_SIZE, LS_SLEEP, Lwp, Proc, procSysCycles, procUserCycles, PS_STOP, PS_ZOMBIE, spareStacks } from "./proc.ts";
import { malloc, mallocInUse, mallocSize, mfree } from "rt/rt.ts";
import { yieldCpu } from "./sched.ts";
import { cpuTimes, cyclesToUsec } from "./cputime.ts";
import { Buf, bufferCount } from "./bio.ts";
import { BLOCK_SIZE, diskCommands, DiskRequest, unusedRequests } from "./diskqueue.ts";
import { Ext2Node, nodeCount } from "./ext2_node.ts";
import { fileCount } from "./file.ts";
import { PvEntry, pvCount, spares } from "./pv.ts";
import { tablePages } from "./ptable.ts";
import { mapEntryCount, vmspaceCount } from "./vm_map.ts";
import { objectCount } from "./vm_object.ts";
import { vfsStats } from "./vfs.ts";
import { freePageCount, imagePageCount, pagedOut, totalPageCount, vmKernelRoom } from "./vm_page.ts";
import { setVkernelEnable, setVkernelSpaces, VKERNEL_CHAINS, vkernelEnable, VkernelProc, vkernelSpaces } from "./vmspace.ts";

export const OSTYPE: string = "Damselfly";
export const OSRELEASE: string = "0.1";

/** sysctl(name, namelen, old, oldlenp, new, newlen): read a value, or set one of the two that can be set. */
export function sysSysctl(lwp: Lwp, a: Ptr<u32>): i32 {
  if (a[1] < 2) return EINVAL;
  const error = copyin(a[0], changetype<usize>(lwp.scratch), 8);
  if (error != 0) return error;
  const top = lwp.scratch[0] as i32;
  const leaf = lwp.scratch[1] as i32;
  if (a[4] != 0 && !(top == CTL_VM && (leaf == VM_VKERNEL_ENABLE || leaf == VM_VKERNEL_SPACES))) return EPERM;
  if (top == CTL_KERN && leaf == KERN_PROC) return listProcs(a);
  if (top == CTL_KERN && leaf == KERN_CPTIME) return answerTimes(lwp, a);
  if (top == CTL_KERN && leaf == KERN_VMSPACES) return listSpaces(a);
  if (top == CTL_KERN) return kernString(leaf, a);
  if (top == CTL_VM) return vmNode(lwp, leaf, a);
  if (top == CTL_VFS && leaf == VFS_STATS) return fsStats(a);
  if (top == CTL_HW && leaf == HW_NCPU) return answerWord(lwp, cpuCount as u32, a);
  if (top == CTL_HW && leaf == HW_PHYSMEM) return answerWord(lwp, totalPageCount() * PAGE_SIZE, a);
  if (top == CTL_HW && leaf == HW_USERMEM) return answerWord(lwp, freePageCount() * PAGE_SIZE, a);
  if (top == CTL_HW && leaf == HW_SYSENTER) return answerWord(lwp, fastCalls ? 1 : 0, a);
  return ENOENT;
}

/** Write `bytes` of value to old, as many as fit, and the true length to oldlenp. ENOMEM when not all fit. */
function answer(value: usize, bytes: u32, a: Ptr<u32>): i32 {
  if (a[3] == 0) return 0;
  let error = fuword(a[3]);
  if (error != 0) return error;
  const room = fetchedWord();
  error = suword(a[3], bytes);
  if (error != 0 || a[2] == 0) return error;
  error = copyout(value, a[2], bytes < room ? bytes : room);
  if (error != 0) return error;
  return bytes > room ? ENOMEM : 0;
}

function answerWord(lwp: Lwp, value: u32, a: Ptr<u32>): i32 {
  lwp.scratch[0] = value;
  return answer(changetype<usize>(lwp.scratch), 4, a);
}

function answerString(text: string, a: Ptr<u32>): i32 {
  return answer(changetype<usize>(text) + 4, (text.length + 1) as u32, a);
}

function answerTimes(lwp: Lwp, a: Ptr<u32>): i32 {
  const times = new CpTime();
  cpuTimes(lwp, times);
  const error = answer(changetype<usize>(times), sizeof<CpTime>(), a);
  free(times);
  return error;
}

function kernString(leaf: i32, a: Ptr<u32>): i32 {
  switch (leaf) {
    case KERN_OSTYPE: return answerString(OSTYPE, a);
    case KERN_PLATFORM: return answerString(platformName(), a);
    case KERN_BOOTARGS: return answerString(bootArgs(), a);
    default: return ENOENT;
  }
}

function vmNode(lwp: Lwp, leaf: i32, a: Ptr<u32>): i32 {
  if (leaf == VM_STATS) return vmStats(a);
  if (leaf != VM_VKERNEL_ENABLE && leaf != VM_VKERNEL_SPACES) return ENOENT;
  const error = answerWord(lwp, (leaf == VM_VKERNEL_ENABLE ? vkernelEnable : vkernelSpaces) as u32, a);
  if (error != 0 || a[4] == 0) return error;
  if (a[5] != 4) return EINVAL;
  const bad = fuword(a[4]);
  if (bad != 0) return bad;
  if (leaf == VM_VKERNEL_ENABLE) setVkernelEnable(fetchedWord() as i32);
  else setVkernelSpaces(fetchedWord() as i32);
  return 0;
}

function vmStats(a: Ptr<u32>): i32 {
  const stats = new VmStats();
  stats.pages = totalPageCount();
  stats.free = freePageCount();
  stats.spaces = vmspaceCount;
  stats.entries = mapEntryCount;
  stats.objects = objectCount;
  stats.mappings = pvCount;
  stats.tables = tablePages;
  stats.kernelBytes = mallocInUse();
  stats.files = fileCount;
  stats.imagePages = imagePageCount();
  stats.pagedOut = pagedOut;
  stats.buffers = bufferCount as u32;
  stats.nodes = nodeCount;
  stats.diskCommands = diskCommands;
  stats.cacheBytes = cacheBytes();
  for (let p = allProcs(); p != null; p = p.next) stats.processes++;
  const error = answer(changetype<usize>(stats), sizeof<VmStats>(), a);
  free(stats);
  return error;
}

/** Kernel memory whose contents could go. Each of these caches has a bound: MAX_BUFFERS, MAX_IDLE, SPARE_STACKS, SPARES, MOST_UNUSED. */
function cacheBytes(): u32 {
  return (bufferCount as u32) * (mallocSize(sizeof<Buf>()) + BLOCK_SIZE) + nodeCount * mallocSize(sizeof<Ext2Node>())
    + spareStacks * KSTACK_SIZE + spares * mallocSize(sizeof<PvEntry>()) + unusedRequests * mallocSize(sizeof<DiskRequest>());
}

/** Memory for a table as large as `size` says, which may change while we wait for it. */
function roomFor(size: () => u32): bool {
  let room: u32 = 0;
  for (let bytes = size(); bytes > room; bytes = size()) {
    if (!vmKernelRoom(bytes)) return false;
    room = bytes;
  }
  return true;
}

function procBytes(): u32 {
  let count: u32 = 0;
  for (let p = allProcs(); p != null; p = p.next) count++;
  return count * sizeof<KInfoProc>();
}

function listProcs(a: Ptr<u32>): i32 {
  if (!roomFor(procBytes)) return ENOMEM;
  const bytes = procBytes();
  const table = malloc(bytes);
  memory.fill(table, 0, bytes);
  let at = bytes;                       // the list has the newest first, the table the oldest
  for (let p = allProcs(); p != null; p = p.next) {
    at -= sizeof<KInfoProc>();
    describe(p, changetype<KInfoProc>(table + at));
  }
  const error = answer(table, bytes, a);
  mfree(table);
  return error;
}

function fsStats(a: Ptr<u32>): i32 {
  const stats = new FsStats();
  vfsStats(stats);
  const error = answer(changetype<usize>(stats), sizeof<FsStats>(), a);
  free(stats);
  return error;
}

function spaceBytes(): u32 {
  let count: u32 = 0;
  for (let p = allProcs(); p != null; p = p.next) count += ownedSpaces(p);
  return count * sizeof<KInfoVmspace>() + 4;
}

function listSpaces(a: Ptr<u32>): i32 {
  if (!roomFor(spaceBytes)) return ENOMEM;
  const bytes = spaceBytes() - 4;
  const table = malloc(bytes + 4);
  memory.fill(table, 0, bytes);
  let at = table + bytes;
  for (let p = allProcs(); p != null; p = p.next) {
    at -= ownedSpaces(p) * sizeof<KInfoVmspace>();
    if (p.vkernel != null) describeSpaces(p.vkernel, p.pid, at);
  }
  const error = answer(table, bytes, a);
  mfree(table);
  return error;
}

function ownedSpaces(p: Proc): u32 {
  return p.vkernel != null ? p.vkernel.count as u32 : 0;
}

function describeSpaces(owner: VkernelProc, pid: i32, table: usize): void {
  let at = table;
  for (let i: u32 = 0; i < VKERNEL_CHAINS; i++) {
    for (let ve = owner.chains[i]; ve != null; ve = ve.next) {
      const info = changetype<KInfoVmspace>(at);
      info.pid = pid;
      info.id = ve.id;
      info.running = ve.refs;
      info.runs = ve.runs;
      info.usec = cyclesToUsec(ve.cycles) as u32;
      info.pages = ve.space.pmap.resident;
      at += sizeof<KInfoVmspace>();
    }
  }
}

function describe(p: Proc, info: KInfoProc): void {
  info.pid = p.pid;
  info.ppid = p.parent != null ? p.parent.pid : 0;
  info.pgid = p.pgid;
  info.state = stateLetter(p);
  info.userUsec = cyclesToUsec(procUserCycles(p)) as u32;
  info.sysUsec = cyclesToUsec(procSysCycles(p)) as u32;
  if (changetype<usize>(p.vmspace) != 0) info.pages = p.vmspace.pmap.resident;
  info.spaces = p.vkernel != null ? p.vkernel.count : 0;
  memory.copy(changetype<usize>(info) + offsetof<KInfoProc>("comm0"), changetype<usize>(p.comm), 16);
  info.threads = p.lwpCount;
  const lwp = firstThread(p);
  if (lwp.state != LS_SLEEP) return;
  const wmesg = lwp.wmesg;
  const n = wmesg.length < 7 ? wmesg.length : 7;
  memory.copy(changetype<usize>(info) + offsetof<KInfoProc>("wmesg0"), changetype<usize>(wmesg) + 4, n as u32);
}

function stateLetter(p: Proc): i32 {
  if (p.state == PS_ZOMBIE) return 90;  // Z
  if (p.state == PS_STOP) return 84;    // T
  for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) {
    if (lwp.state != LS_SLEEP) return 82;   // R
  }
  return 83;                            // S
}

/** The oldest thread of a process. */
function firstThread(p: Proc): Lwp {
  let lwp = p.lwps!;
  while (lwp.sibling != null) lwp = lwp.sibling;
  return lwp;
}

const NAME_BYTES: u32 = 32;

function putName(base: usize, field: u32, text: string): void {
  memory.copy(base + field * NAME_BYTES, changetype<usize>(text) + 4, (text.length + 1) as u32);
}

/** uname: system, node, release, version, machine, 32 bytes each. */
export function sysUname(lwp: Lwp, a: Ptr<u32>): i32 {
  const base = malloc(5 * NAME_BYTES);
  memory.fill(base, 0, 5 * NAME_BYTES);
  putName(base, 0, OSTYPE);
  putName(base, 1, platformName());
  putName(base, 2, OSRELEASE);
  putName(base, 3, OSRELEASE);
  putName(base, 4, "i386");
  const error = copyout(base, a[0], 5 * NAME_BYTES);
  mfree(base);
  return error;
}

export function sysGetpid(lwp: Lwp, a: Ptr<u32>): i32 {
  lwp.retval0 = lwp.proc.pid as u32;
  return 0;
}

export function sysGetppid(lwp: Lwp, a: Ptr<u32>): i32 {
  lwp.retval0 = lwp.proc.parent!.pid as u32;
  return 0;
}

/** getuid and its like: everyone is root. */
export function sysZero(lwp: Lwp, a: Ptr<u32>): i32 {
  return 0;
}

export function sysSchedYield(lwp: Lwp, a: Ptr<u32>): i32 {
  yieldCpu();
  return 0;
}
