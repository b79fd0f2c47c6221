// Virtual CPUs: threads of our process, as many as -n says. The kernel is written for one processor, so one lock lets one virtual
// CPU in at a time. goUser and cpuIdle leave the kernel and come back; nobody else does. With one virtual CPU there is no lock.
//
// A CPU is kicked when it has something to look at in the kernel: its `kick` word becomes 1, and it is woken where it idles, or
// interrupted by SIGUSR1 where it runs a process. enterProcess looks at the word in the same step in which it goes (intr.ts
// repeats the look if a signal comes in between), and umtx_sleep compares it, so that no kick is ever slept through.
//
// Device interrupts are signals for the process, which the real kernel gives to a CPU that it has running rather than to one that
// waits; they are handled by whoever is in the kernel next. Shoot-downs need no message: VPTEs are changed in the kernel, and the
// real kernel's MADV_INVAL reaches every CPU. What of it can wait, and how long, pmap.ts says.
//
// The host's processor serves all of them in turns, so the clock does not tell how long a process ran. The real kernel does: RUN
// says what its thread has spent inside, and getrusage what all of them have used (kern/cputime.ts).

import { ResumeWish } from '../abi/frames.ts';
import { LwpParams } from '../abi/lwp.ts';
import { SIGUSR1 } from '../abi/signal.ts';
import { TlsInfo } from '../abi/time.ts';
import { Cpu, cpuAdd, cpuArrive, cpuDepart } from '../kern/cpu.ts';
import { panic } from '../kern/panic.ts';
import { idleLoop } from '../kern/sched.ts';
import { startThread } from '../kern/thread.ts';
import { Mutex } from '../libc/mutex.ts';
import { lwpCreate, lwpGettid, lwpKill } from '../libc/sys.ts';
import { hostSleep, hostWakeup } from './fastcall.ts';
import { ownWord, setOwnWord, Tcb, useTcb } from '../libc/tls.ts';
import { cycleCount } from './clock.ts';
import { options } from './options.ts';
import { Changes, pmapArrive, pmapDepart, pmapFlush } from './pmap.ts';
import type { Pmap } from '../kern/ptable.ts';

// VirtualCpu.place
const IN_KERNEL: i32 = 0;        // or on its way in
const IN_PROCESS: i32 = 1;
const IDLE: i32 = 2;

class VirtualCpu {
  kick: i32 = 0;
  wish!: Embed<ResumeWish>;
  changes!: Embed<Changes>;
  place: i32 = IN_KERNEL;
  tid: i32 = 0;
  came: u32 = 0;           // when this CPU came into the kernel
  cpu!: Cpu;
  tcb!: Embed<Tcb>;
  tls!: Embed<TlsInfo>;
}

let first!: Embed<VirtualCpu>;
let others!: FixedArray<VirtualCpu | null, 16>;
let lock!: Embed<Mutex>;
/** There is more than one, and a lock to hold. */
export let several: bool = false;
/** The one in the kernel; while that is nobody, the last that was. */
export let thisCpu: VirtualCpu = first;
let inKernel: bool = true;

/** In a signal handler: there is something in the kernel to look at. True: the interrupted CPU is there already. */
export function interrupted(): bool {
  const self = several ? changetype<VirtualCpu>(ownWord()) : first;
  store<i32>(changetype<usize>(self), 1);
  return inKernel && thisCpu == self;
}

/** What the CPU in the kernel has been kicked for, it looks at from here on. */
export function clearKick(): void {
  store<i32>(changetype<usize>(thisCpu), 0);
}

/** With several: let another CPU into the kernel; this one goes to a process with this page table. At splhigh. */
export function leaveKernel(pm: Pmap): void {
  pmapDepart(pm);
  depart(IN_PROCESS);
}

/** With several: go on in the kernel, as `cpu`, which has left it for `pm`, and has been there or not. At splhigh. */
export function returnToKernel(cpu: VirtualCpu, pm: Pmap, been: bool): void {
  comeBack(cpu);
  pmapArrive(pm, been);
}

function depart(place: i32): void {
  const cpu = thisCpu;
  cpu.place = place;
  cpuDepart();
  inKernel = false;
  lock.unlock();
}

/** With several: go on in the kernel, as `cpu`. At splhigh. */
function comeBack(cpu: VirtualCpu): void {
  lock.lock();
  thisCpu = cpu;
  inKernel = true;
  cpu.place = IN_KERNEL;
  cpu.came = cycleCount();
  cpuArrive(cpu.cpu);
}

/** Outside the kernel until this CPU is kicked, or for no reason. At splhigh. */
export function waitForKick(): void {
  const cpu = thisCpu;
  if (several) {
    pmapFlush();
    depart(IDLE);
  }
  hostSleep(changetype<usize>(cpu), 0, 0);
  if (several) comeBack(cpu);
}

/** Processor `id` has something to look at. */
export function cpuKick(id: i32): void {
  const cpu = id == 0 ? first : others[id]!;
  const word = changetype<usize>(cpu);
  if (load<i32>(word) != 0) return;
  store<i32>(word, 1);
  if (cpu.place == IDLE) hostWakeup(word, 1);
  else if (cpu.place == IN_PROCESS) lwpKill(-1, cpu.tid, SIGUSR1);
}

/** Start the other processors. */
export function cpusStart(): void {
  if (options.cpus == 1) return;
  pmapFlush();
  lock.lock();
  first.tid = lwpGettid();
  first.cpu = cpuAdd();
  first.came = cycleCount();
  setOwnWord(changetype<usize>(first));
  startThread(first.cpu.idle, idleLoop);
  several = true;
  for (let i: i32 = 1; i < options.cpus; i++) start(i);
}

/** One more, whose first stack is that of its idle thread. */
function start(id: i32): void {
  const next = new VirtualCpu();
  next.cpu = cpuAdd();
  others[id] = next;
  const params = new LwpParams();
  params.func = codeof(begin);
  params.arg = changetype<usize>(next);
  params.stack = changetype<usize>(next.cpu.idle.innerFrame);
  params.tid1 = changetype<usize>(next) + offsetof<VirtualCpu>("tid");
  if (lwpCreate(changetype<usize>(params)) < 0) panic("lwp_create");
  free(params);
}

function begin(cpu: VirtualCpu): void {
  useTcb(cpu.tcb, cpu.tls, 0);
  setOwnWord(changetype<usize>(cpu));
  comeBack(cpu);
  cpu.cpu.idle.cycleStamp = cpu.came;
  idleLoop();
}
