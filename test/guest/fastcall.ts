// Judges system calls by SYSENTER: results, errors and what survives; calls with a second result, signals, restarts; callers
// with flags that SYSEXIT would lose, traced ones, ones with no stack or nowhere to go back to; the same from inside a VM space; and RUN.
// A kernel that offers none must treat the instruction as a forbidden one, and this program then says only that.

import { EBADF, EFAULT } from '../../src/abi/errno.ts';
import { CTL_HW, HW_SYSENTER } from '../../src/abi/file.ts';
import { SEL_UCODE, SEL_UDATA, T_PAGEFLT, T_SYSCALL80, TrapFrame, VextFrame } from '../../src/abi/frames.ts';
import { MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, VPTE_PS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { MC_FRAME, SA_RESTART, SA_SIGINFO, SIGALRM, SIGSEGV, SIGTRAP, SigAction, UC_MCONTEXT } from '../../src/abi/signal.ts';
import { Sys } from '../../src/abi/syscalls.ts';
import { Itimerval } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { _exit, close, getpid, getppid, pipe, setitimer, sigaction, sysctl, vmspaceCreate, vmspaceMcontrol, vmspaceMmap, write } from '../../src/libc/sys.ts';
import { waitFor } from '../../src/libc/process.ts';
import { check, checkEqual, enableVkernel, inChild, mapFile, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const IMAGE: u32 = 0x400000;
const CODE: u32 = 0x10000;
const TRACE: u32 = 0x100;
const DIRECTION: u32 = 0x400;
const NESTED: u32 = 0x4000;

let carry: u32 = 0;
let second: u32 = 0;           // edx after the call
let kept: u32 = 0;             // 1: ebx, esi, edi, ebp and esp are as before
let flagsAfter: u32 = 0;
let frame!: Embed<TrapFrame>;
let ext!: Embed<VextFrame>;
let action!: Embed<SigAction>;
let fds!: FixedArray<i32, 2>;
let word!: FixedArray<u32, 4>;

/** System call `nr` by SYSENTER, made with these flags set. */
function fast(nr: u32, a: u32, b: u32, c: u32, d: u32, flags: u32): u32 {
  let result: u32 = 0;
  let failed: u32 = 0;
  let edx: u32 = 0;
  let same: u32 = 0;
  let after: u32 = 0;
  asm`push ebx
      push esi
      push edi
      push ${d}
      push ${c}
      push ${b}
      push ${a}
      push 0
      mov eax, ${nr}
      mov ebx, 0x11111111
      mov esi, 0x22222222
      mov edi, esp
      pushfd
      mov ecx, ${flags}
      or [esp], ecx
      mov ecx, edi
      call here
here: pop edx
      lea edx, [edx+7]
      popfd
      sysenter
      pushfd
      pop ecx
      mov ${after}, ecx
      push 2
      popfd
      mov ${result}, eax
      mov ${edx}, edx
      and ecx, 1
      mov ${failed}, ecx
      xor ecx, ecx
      cmp ebx, 0x11111111
      jne changed
      cmp esi, 0x22222222
      jne changed
      cmp edi, esp
      jne changed
      inc ecx
changed:
      mov ${same}, ecx
      add esp, 20
      pop edi
      pop esi
      pop ebx`;
  carry = failed;
  second = edx;
  kept = same;
  flagsAfter = after;
  return result;
}

function plainCall(nr: u32): u32 {
  return fast(nr, 0, 0, 0, 0, 0);
}

function results(): void {
  checkEqual("getpid", plainCall(Sys.getpid as u32) as i32, getpid());
  check("no carry, registers kept", carry == 0 && kept == 1);
  checkEqual("an error", fast(Sys.close as u32, 99, 0, 0, 0, 0) as i32, EBADF);
  check("carry, registers kept", carry == 1 && kept == 1);
  checkEqual("one argument after the other", fast(Sys.write as u32, fds[1] as u32, addressof(word), 3, 0, 0) as i32, 3);
  checkEqual("and back", fast(Sys.read as u32, fds[0] as u32, addressof(word), 9, 0, 0) as i32, 3);
  plainCall(Sys.pipe as u32);
  check("a second result", carry == 0 && second < 64 && kept == 1);
  close(second as i32);
  close((second as i32) - 1);
  const pid = plainCall(Sys.fork as u32);
  if (second == 1) _exit(pid == 0 && kept == 1 ? 7 : 8);
  check("fork: the parent", second == 0 && kept == 1);
  checkEqual("fork: the child", waitFor(pid as i32), 7 << 8);
}

function flags(): void {
  checkEqual("with DF", fast(Sys.getpid as u32, 0, 0, 0, 0, DIRECTION) as i32, getpid());
  checkEqual("with NT", fast(Sys.getpid as u32, 0, 0, 0, 0, NESTED) as i32, getpid());
  check("NT is kept", (flagsAfter & NESTED) != 0 && kept == 1);
  checkEqual("with NT, into another's time", fast(Sys.sched_yield as u32, 0, 0, 0, 0, NESTED) as i32, 0);
  checkEqual("with AC", fast(Sys.getpid as u32, 0, 0, 0, 0, 0x40000) as i32, getpid());
}

let traced: u32 = 0;

function onTrap(_signal: i32, _info: usize, context: usize): void {
  const at = changetype<TrapFrame>(context + UC_MCONTEXT + MC_FRAME);
  traced++;
  if (traced < 3) at.eflags |= TRACE;
}

function handle(signal: i32, handler: usize, how: i32): void {
  action.handler = handler;
  action.flags = how;
  sigaction(signal, changetype<usize>(action), 0);
}

function tracing(): void {
  handle(SIGTRAP, codeof(onTrap), SA_SIGINFO);
  const pid = fast(Sys.getpid as u32, 0, 0, 0, 0, TRACE) as i32;
  checkEqual("traced", pid, getpid());
  check("traced on behind it", traced == 3 && (flagsAfter & TRACE) != 0 && kept == 1);
  handle(SIGTRAP, 0, 0);
}

let alarms: i32 = 0;

function onAlarm(): void {
  alarms++;
  if (alarms == 5) write(fds[1]!, addressof(word), 1);
}

function signals(): void {
  const timer = new Itimerval();
  handle(SIGALRM, codeof(onAlarm), SA_RESTART);
  timer.valueUsec = 20000;
  timer.intervalUsec = 20000;
  setitimer(0, changetype<usize>(timer), 0);
  checkEqual("a read that five signals interrupt", fast(Sys.read as u32, fds[0] as u32, addressof(word), 1, 0, 0) as i32, 1);
  check("restarted each time", alarms >= 5 && kept == 1);
  let good: i32 = 0;
  const wanted = getppid();
  while (alarms < 12) if ((plainCall(Sys.getppid as u32) as i32) == wanted && kept == 1) good++;
    else good = -1000000000;
  check("calls while signals come", good > 0);
  timer.valueUsec = 0;
  timer.intervalUsec = 0;
  setitimer(0, changetype<usize>(timer), 0);
}

/** SYSENTER with esp and eip of the caller's choice; never comes back. */
function wild(nr: u32, esp: u32, eip: u32): i32 {
  asm`mov eax, ${nr}
      mov ecx, ${esp}
      mov edx, ${eip}
      sysenter`;
  return 0;
}

let stackTop!: FixedArray<u32, 64>;

function afterWild(): void {
  naked();
  asm`push 0
      push eax
      push 0
      mov eax, 1
      int 0x80`;
}

function noStack(): i32 { return wild(Sys.close as u32, 0x100, codeof(afterWild)); }
function kernelStack(): i32 { return wild(Sys.close as u32, 0xc0100000, codeof(afterWild)); }
function highStack(): i32 { return wild(Sys.close as u32, 0xfffffffc, codeof(afterWild)); }
function goodStack(): i32 { return wild(Sys.getppid as u32, addressof(stackTop) + 128, codeof(afterWild)); }
function nowhere(): i32 { return wild(Sys.getpid as u32, addressof(stackTop) + 128, 0x100); }
function intoKernel(): i32 { return wild(Sys.getpid as u32, addressof(stackTop) + 128, 0xc0100000); }

function wildCalls(): void {
  const me = getpid();
  checkEqual("continues where edx says, on ecx", inChild(goodStack), (me & 255) << 8);
  checkEqual("no stack: then none to go on with", inChild(noStack), SIGSEGV);
  checkEqual("a stack in the kernel", inChild(kernelStack), SIGSEGV);
  checkEqual("a stack at the end", inChild(highStack), SIGSEGV);
  checkEqual("back to nowhere", inChild(nowhere), SIGSEGV);
  checkEqual("back into the kernel", inChild(intoKernel), SIGSEGV);
  write(fds[1]!, addressof(word), 1);
  checkEqual("a buffer that is not there", fast(Sys.read as u32, fds[0] as u32, 0x100, 1, 0, 0) as i32, EFAULT);
}

/** A selector in gs whose descriptor the call itself removes: the way back finds that it cannot be loaded. */
function lostSegment(): i32 {
  fast(Sys.set_tls_area as u32, 0, 0, 0, 0, 0);
  return 3;
}

function run(byFast: bool): u32 {
  frame.esp = CODE;
  if (byFast) return fast(Sys.vmspace_ctl as u32, 7, 1, changetype<usize>(frame), changetype<usize>(ext), 0);
  let result: u32 = 0;
  const at = changetype<usize>(frame);
  const tls = changetype<usize>(ext);
  asm`push ${tls}
      push ${at}
      push 1
      push 7
      push 0
      mov eax, 488
      int 0x80
      add esp, 20
      mov ${result}, eax`;
  return result;
}

/** mov eax, 20; mov ecx, 0x20000; mov edx, 0x10020; sysenter */
const PROGRAM: u32[] = [0x000014b8, 0x0000b900, 0x20ba0002, 0x0f000100, 0x00000034];

function spaces(): void {
  const image = scratchFile(IMAGE);
  const linear = mapFile(image, IMAGE);
  enableVkernel(1);
  vmspaceCreate(7, 0, 0);
  vmspaceMmap(7, 0, IMAGE, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0);
  vmspaceMcontrol(7, 0, IMAGE, MADV_SETMAP, VPTE_PS | VPTE_RW | VPTE_V);
  for (let i: i32 = 0; i < 5; i++) store<u32>(linear + CODE + ((i * 4) as u32), PROGRAM[i]!);
  for (let way: i32 = 0; way < 2; way++) {
    frame.eip = CODE;
    checkEqual("RUN", run(way == 1) as i32, 0);
    checkEqual("from a space: a system call", frame.trapno as i32, T_SYSCALL80 as i32);
    check("of it, not of its owner", frame.eax == 20 && frame.err == 2 && frame.eip == 0x10020 && frame.esp == 0x20000);
    check("with the usual selectors", frame.cs == SEL_UCODE && frame.ss == SEL_UDATA && (frame.eflags & 0x200) != 0);
  }
  check("RUN by SYSENTER: registers kept, no carry", carry == 0 && kept == 1);
  frame.eip = 0x10;
  checkEqual("RUN by SYSENTER", run(true) as i32, 0);
  check("that ends with a fault", frame.trapno == T_SYSCALL80 || frame.trapno == T_PAGEFLT || kept == 1);
  checkEqual("RUN by SYSENTER with a bad frame", fast(Sys.vmspace_ctl as u32, 7, 1, 0x100, changetype<usize>(ext), 0) as i32, EFAULT);
  check("says so by the carry flag", carry == 1 && kept == 1);
}

function offered(): bool {
  const at = addressof(word);
  word[0] = CTL_HW as u32;
  word[1] = HW_SYSENTER as u32;
  word[3] = 4;
  return sysctl(at, 2, at + 8, at + 12, 0, 0) == 0 && word[2] == 1;
}

function tryIt(): i32 {
  return plainCall(Sys.getpid as u32) == 0 ? 1 : 0;
}

function main(_args: string[]): i32 {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  if (offered()) {
    results();
    flags();
    tracing();
    signals();
    wildCalls();
    check("a segment that is gone kills", (inChild(lostSegment) & 0x7f) != 0);
    spaces();
  } else {
    const status = inChild(tryIt);
    check("not offered: a forbidden instruction", (status & 0x7f) != 0);
  }
  return verdict("fastcall");
}

setMain(main);
