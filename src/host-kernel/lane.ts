// The short way of a pair of switches. A system call from inside a VM space belongs to the owner, and most of the owner's
// system calls are vmspace_ctl(RUN): both only exchange registers, address space, TLS descriptors and the right to the FPU.
// Here they do that with interrupts off, between the entry stub and doreti. Whatever is not plain (a signal or a reschedule
// is pending, a page is missing, an argument is wrong) is left alone and false is answered: kern/vmspace.ts, which says
// what each step means, then does all of it the long way.

import { PGEX_FPFAULT, PSL_C, ResumeWish, TrapFrame, VextFrame, VMSPACE_CTL_RESUME, VMSPACE_CTL_RUN } from "../abi/frames.ts";
import { VM_MAX_USER_ADDRESS } from "../abi/mman.ts";
import { Lwp } from "../kern/proc.ts";
import { needResched } from "../kern/sched.ts";
import { signalPending } from "../kern/signal.ts";
import { chainOf, checkTls, cleanFrame, findEntry, grantWish, usedCycles, VmspaceEntry } from "../kern/vmspace.ts";
import { splhigh, splx } from "./intr.ts";
import { fpuVirt } from "../kern/fpu.ts";
import { FAST, returnFast } from "./fastcall.ts";
import { tsSet } from "./fpu.ts";
import { FP_VIRTFP } from "./pcb.ts";
import { ldtActivate } from "./ldt.ts";
import { activatePmap } from "./pmap.ts";
import { setTlsDescriptors, setTrapStack } from "./segments.ts";

const ARGUMENTS_ROOM: u32 = 32;

/** The arguments of vmspace_ctl, and of RESUME the words that vframe points at then. */
class RunArguments {
  id: usize = 0;
  command: i32 = 0;
  tframe: usize = 0;
  vframe: usize = 0;
  realVframe: usize = 0;
  ranges: usize = 0;
  count: u32 = 0;
  enter: u32 = 0;
}
let wanted!: Embed<RunArguments>;

// The two copies are bare code. They end with 0, with -1 after a page fault (at laneFault), or when an address is no user's.
type FrameCopier = (to: usize, from: usize, leftAt: usize, left: u32) => i32;
type Fetcher = (from: usize, args: usize, frame: usize, tls: usize, now: u32) => i32;

/** A register frame, and `left` unless leftAt is 0. */
function copyFrame(): void {
  naked();
  asm`push esi
      push edi
      mov edi, [esp+12]
      mov esi, [esp+16]
      mov ecx, 20
      rep movsd
      mov edi, [esp+20]
      test edi, edi
      jz copied
      mov eax, [esp+24]
      stosd
copied:
      xor eax, eax
      pop edi
      pop esi
      ret`;
}

/**
 * Four argument words from the user stack, and the register frame and TLS descriptors that the last two point at. With RESUME the last
 * points at a wish, which is fetched and told the time, and that at the descriptors.
 */
function fetch(): void {
  naked();
  asm`push esi
      push edi
      mov esi, [esp+12]
      mov edi, [esp+16]
      movsd
      movsd
      movsd
      movsd
      mov eax, [edi-4]
      mov edx, [edi-8]
      cmp dword ptr [edi-12], ${VMSPACE_CTL_RESUME}
      jne tls
      cmp eax, ${VM_MAX_USER_ADDRESS - 24}
      ja bad
      mov esi, eax
      movsd
      movsd
      movsd
      movsd
      mov ecx, [esp+28]
      mov [esi], ecx
      mov eax, [eax]
 tls: mov esi, edx
      cmp eax, ${VM_MAX_USER_ADDRESS - 24}
      ja bad
      cmp esi, ${VM_MAX_USER_ADDRESS - 80}
      ja bad
      mov edi, [esp+20]
      mov ecx, 20
      rep movsd
      mov edi, [esp+24]
      mov esi, eax
      mov ecx, 6
      rep movsd
      xor eax, eax
      pop edi
      pop esi
      ret
 bad: mov eax, -1
      pop edi
      pop esi
      ret`;
}

/** Where either copy continues when a page is missing. */
export function laneFault(): void {
  naked();
  asm`mov eax, -1
      pop edi
      pop esi
      ret`;
}

/** vmspace_ctl, with interrupts off and nothing pending: as `run` of kern/vmspace.ts. */
export function enterSpace(lwp: Lwp, own: TrapFrame): bool {
  let start: u32 = 0;
  asm`rdtsc
      mov ${start}, eax`;
  if (own.esp > VM_MAX_USER_ADDRESS - ARGUMENTS_ROOM) return false;
  const frame = lwp.innerFrame;
  lwp.pcb.onFault = codeof(laneFault);
  const fetcher = changetype<Fetcher>(codeof(fetch));
  const failed = fetcher(own.esp + 4, changetype<usize>(wanted), changetype<usize>(frame), changetype<usize>(lwp.innerTls), start);
  lwp.pcb.onFault = 0;
  if (failed != 0) return false;
  const vkp = lwp.proc.vkernel;
  let ve = vkp != null ? vkp.chains[chainOf(wanted.id)] : null;
  if (ve == null || ve.id != wanted.id) ve = findEntry(lwp, wanted.id);
  if (ve == null || !goodTls(lwp.innerTls)) return false;
  lwp.userTframe = wanted.tframe;
  if (wanted.command == VMSPACE_CTL_RUN) lwp.userLeft = 0;
  else {
    if (wanted.command != VMSPACE_CTL_RESUME) return false;
    lwp.userLeft = wanted.vframe + offsetof<ResumeWish>("left");
    if ((wanted.count | wanted.enter) != 0) {
      charge(lwp, start);
      if (!prepared(lwp, ve)) return false;
      start = lwp.cycleStamp;
    }
  }
  cleanFrame(frame);
  ve.refs++;
  ve.runs++;
  lwp.ve = ve;
  lwp.frame = frame;
  lwp.vmspace = ve.space;
  activatePmap(ve.space.pmap);
  ldtActivate(ve.space);
  setTrapStack(changetype<usize>(frame) + sizeof<TrapFrame>());
  setTlsDescriptors(lwp.innerTls);
  const report = (frame.xflags & PGEX_FPFAULT) != 0;
  if (!report || !tsSet || (lwp.pcb.flags & FP_VIRTFP) == 0) fpuVirt(lwp, report);
  charge(lwp, start);
  lwp.innerUsed = usedCycles(lwp) + start - lwp.cycleStamp;      // what has passed since start is the space's
  return true;
}

/** What a wish asks for, with interrupts on. False: it was wrong, or something is pending now; it may be done again. */
function prepared(lwp: Lwp, ve: VmspaceEntry): bool {
  ve.refs++;
  splx(1);
  const error = grantWish(ve.space, wanted.ranges, wanted.count, wanted.enter);
  splhigh();
  ve.refs--;
  return error == 0 && !needResched && !signalPending(lwp);
}

/** A system call from inside, with interrupts off and nothing pending: as vkernelTrap of kern/vmspace.ts. */
export function leaveSpace(lwp: Lwp, frame: TrapFrame): bool {
  let start: u32 = 0;
  asm`rdtsc
      mov ${start}, eax`;
  const space = lwp.proc.vmspace;
  const ran = start - lwp.cycleStamp;
  frame.err = 2;
  frame.isp = usedCycles(lwp) + ran - lwp.innerUsed;
  activatePmap(space.pmap);
  lwp.pcb.onFault = codeof(laneFault);
  const copier = changetype<FrameCopier>(codeof(copyFrame));
  const failed = copier(lwp.userTframe, changetype<usize>(frame), lwp.userLeft, start);
  lwp.pcb.onFault = 0;
  if (failed != 0) {
    activatePmap(lwp.vmspace.pmap);
    return false;
  }
  const own = lwp.ownFrame;
  const ve = lwp.ve!;
  ve.refs--;
  ve.cycles += ran as u64;
  lwp.ve = null;
  lwp.frame = own;
  lwp.vmspace = space;
  ldtActivate(space);
  own.eax = 0;
  own.eflags &= ~PSL_C;
  setTrapStack(changetype<usize>(own) + sizeof<TrapFrame>());
  setTlsDescriptors(lwp.tls);
  charge(lwp, start);
  if (own.xflags == FAST) returnFast(own);
  return true;
}

// What charge reaches in an Lwp.
const STAMP: u32 = offsetof<Lwp>("cycleStamp");
const USER: u32 = offsetof<Lwp>("userCycles");
const SYSTEM: u32 = offsetof<Lwp>("sysCycles");

/** User time until `start`, system time since then. */
function charge(lwp: Lwp, start: u32): void {
  asm`mov ecx, ${lwp}
      mov eax, ${start}
      sub eax, [ecx+${STAMP}]
      add [ecx+${USER}], eax
      adc dword ptr [ecx+${USER}+4], 0
      rdtsc
      mov [ecx+${STAMP}], eax
      sub eax, ${start}
      add [ecx+${SYSTEM}], eax
      adc dword ptr [ecx+${SYSTEM}+4], 0`;
}

/** checkTls, for the usual case that only slot 0 is in use. */
function goodTls(tls: VextFrame): bool {
  return (((tls.tls1hi | tls.tls2hi) & 0x7f00) == 0 && (tls.tls0hi & 0x70ff00) == 0x40f300) || checkTls(tls) == 0;
}
