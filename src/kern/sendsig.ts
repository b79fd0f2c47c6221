// Signal frames: what a handler finds on its stack, and the way back (DRAGONFLY signal frame: number, siginfo or code,
// context, address, handler, then ucontext and siginfo). The handler is entered through the trampoline that exec put
// below ps_strings; the trampoline calls it and then sigreturn with the context.

import { EFAULT, EINVAL } from "../abi/errno.ts";
import {
  PSL_D, PSL_T, PSL_USERCHANGE, SEL_UCODE, SEL_UDATA, T_PROTFLT, TrapFrame, TRAPFRAME_SIZE,
} from "../abi/frames.ts";
import {
  FPFMT_NODEV, FPFMT_XMM, FPOWNED_NONE, FPOWNED_PCB, MC_FPFORMAT, MC_FPREGS, MC_FRAME, MC_LEN, MC_ONSTACK, MC_OWNEDFP,
  MC_SIZE, SA_SIGINFO, SigAction, SigInfo, SigSet, UC_MCONTEXT, UC_SIGMASK, UC_SIZE, UC_STACK,
} from "../abi/signal.ts";
import { VM_MAX_USER_ADDRESS } from "../abi/mman.ts";
import { copyin, copyout } from "machine/copyio.ts";
import { fpuExit, fpuRestore, fpuSave } from "./fpu.ts";
import { splhigh, splx } from "machine/intr.ts";
import type { Lwp } from "./proc.ts";
import { malloc, mfree } from "rt/rt.ts";
import { maskChanged } from "./sigpost.ts";
import { CANT_MASK, sigCopy } from "./sigset.ts";

/** struct ps_strings (16 bytes) is the very top of user space; the trampoline lies in the 48 bytes below it. */
export const PS_STRINGS: usize = VM_MAX_USER_ADDRESS - 16;
export const SIGCODE: usize = VM_MAX_USER_ADDRESS - 64;

// call [esp+16]; lea eax, [esp+20]; push eax; push eax; mov eax, 344; int 0x80; ud2
const SIGCODE_WORDS: u32[] = [0x102454ff, 0x1424448d, 0x58b85050, 0xcd000001, 0x000b0f80];
let sigcode!: FixedArray<u32, 5>;

/** Put the trampoline into the current address space. */
export function writeSigcode(): i32 {
  for (let i: i32 = 0; i < 5; i++) sigcode[i] = SIGCODE_WORDS[i];
  return copyout(addressof(sigcode), SIGCODE, 20);
}

const HEADER: u32 = 20;
const FRAME_BYTES: u32 = 820;           // HEADER + UC_SIZE + sizeof<SigInfo>()

/** Build the frame for sig on the user's stack and point lwp's registers at the trampoline. EFAULT: no room there. */
export function sendsig(lwp: Lwp, frame: TrapFrame, act: SigAction, sig: i32, code: i32, addr: usize, mask: SigSet, alt: bool): i32 {
  const top: usize = alt ? lwp.altSp + lwp.altSize : frame.esp;
  const at: usize = ((top - FRAME_BYTES) & ~(15 as u32)) - 4; // the context after the header is 16-byte aligned
  const kva = malloc(FRAME_BYTES);
  memory.fill(kva, 0, FRAME_BYTES);
  fillHeader(kva, at, act, sig, code, addr);
  fillContext(lwp, frame, kva + HEADER, mask);
  fillInfo(changetype<SigInfo>(kva + HEADER + UC_SIZE), sig, code, addr);
  const error = copyout(kva, at, FRAME_BYTES);
  mfree(kva);
  if (error != 0) return error;
  if (alt) lwp.onAltStack = true;
  enterTrampoline(frame, at);
  return 0;
}

function fillHeader(kva: usize, at: usize, act: SigAction, sig: i32, code: i32, addr: usize): void {
  store<i32>(kva, sig);
  if ((act.flags & SA_SIGINFO) != 0) store<usize>(kva, at + HEADER + UC_SIZE, 4);
  else store<i32>(kva, code, 4);
  store<usize>(kva, at + HEADER, 8);
  store<usize>(kva, addr, 12);
  store<usize>(kva, act.handler, 16);
}

function fillContext(lwp: Lwp, frame: TrapFrame, uc: usize, mask: SigSet): void {
  memory.copy(uc + UC_SIGMASK, changetype<usize>(mask), sizeof<SigSet>());
  const mc: usize = uc + UC_MCONTEXT;
  store<i32>(mc, lwp.onAltStack ? 1 : 0, MC_ONSTACK);
  memory.copy(mc + MC_FRAME, changetype<usize>(frame), TRAPFRAME_SIZE);
  store<u32>(mc, MC_SIZE, MC_LEN);
  const saved = fpuSave(lwp, mc + MC_FPREGS);
  if (saved) fpuExit(lwp);               // the handler begins with a fresh FPU
  store<u32>(mc, saved ? FPFMT_XMM : FPFMT_NODEV, MC_FPFORMAT);
  store<u32>(mc, saved ? FPOWNED_PCB : FPOWNED_NONE, MC_OWNEDFP);
  store<usize>(uc, lwp.altSp, UC_STACK);
  store<u32>(uc, lwp.altSize, UC_STACK + 4);
}

function fillInfo(info: SigInfo, sig: i32, code: i32, addr: usize): void {
  info.signo = sig;
  info.code = code;
  info.addr = addr;
}

function enterTrampoline(frame: TrapFrame, at: usize): void {
  frame.esp = at;
  frame.eip = SIGCODE;
  frame.eflags &= ~(PSL_D | PSL_T);
  frame.cs = SEL_UCODE;
  frame.ds = SEL_UDATA;
  frame.es = SEL_UDATA;
  frame.ss = SEL_UDATA;
  if (frame.trapno == T_PROTFLT) {
    frame.fs = SEL_UDATA;
    frame.gs = SEL_UDATA;
  }
}

/** Load registers, mask and FPU state from the context at user address uc. EFAULT or EINVAL: nothing was changed. */
export function sigreturnFrame(lwp: Lwp, uc: usize): i32 {
  const kva = malloc(UC_SIZE);
  const error = copyin(uc, kva, UC_SIZE);
  const result = error != 0 ? EFAULT : loadContext(lwp, kva);
  mfree(kva);
  return result;
}

function loadContext(lwp: Lwp, kva: usize): i32 {
  const mc: usize = kva + UC_MCONTEXT;
  const saved = changetype<TrapFrame>(mc + MC_FRAME);
  const frame = lwp.frame;
  if (((saved.eflags ^ frame.eflags) & ~PSL_USERCHANGE) != 0 || (saved.cs & 3) != 3) return EINVAL;
  memory.copy(changetype<usize>(frame), changetype<usize>(saved), TRAPFRAME_SIZE);
  const s = splhigh();
  sigCopy(lwp.sigmask, changetype<SigSet>(kva + UC_SIGMASK));
  lwp.sigmask.w0 &= ~CANT_MASK;
  maskChanged(lwp);
  splx(s);
  lwp.onAltStack = load<i32>(mc, MC_ONSTACK) != 0;
  if (load<u32>(mc, MC_OWNEDFP) != FPOWNED_NONE) fpuRestore(lwp, mc + MC_FPREGS);
  return 0;
}
