// Interrupts of the virtual kernel are signals of its process: SIGALRM is the clock, SIGIO the kqueue (events.ts) of console and disk, SIGWINCH the console's
// window, SIGTERM the wish that we end, and SIGQUIT (^\ at the console) the wish to know what we do. "Interrupts off" is a level in
// memory, not a signal mask: a signal that arrives while the level is raised only leaves a bit, and whoever lowers the level
// runs what is pending. A handler never switches threads; it runs on whatever kernel stack is current. SIGUSR1 comes from
// another virtual CPU (cpu.ts).

import { TrapFrame } from '../abi/frames.ts';
import { MC_FRAME, SA_RESTART, SIGALRM, SigAction, SIGIO, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, UC_MCONTEXT } from '../abi/signal.ts';
import { ITIMER_REAL, Itimerval } from '../abi/time.ts';
import { pfind, reportProcesses } from '../kern/proc.ts';
import { psignal } from '../kern/sigpost.ts';
import { interruptBegin, interruptEnd } from '../kern/sched.ts';
import { hardclock } from '../kern/time.ts';
import { panic } from '../kern/panic.ts';
import { exchange } from '../libc/mutex.ts';
import { setitimer, sigaction } from '../libc/sys.ts';
import { consFlush, consWindow } from './console.ts';
import { clearKick, interrupted, waitForKick } from './cpu.ts';
import { eventsInterrupt } from './events.ts';
import { HZ } from '../kern/callout.ts';
import { lookAgain } from './trap.ts';

const CLOCK: u32 = 1;
const EVENTS: u32 = 2;
const TERMINATE: u32 = 4;
const WINDOW: u32 = 8;
const INQUIRE: u32 = 16;

class SignalState {
  level: i32 = 1;          // 1: interrupts off
  pending: u32 = 0;
}
let state!: Embed<SignalState>;
let action!: Embed<SigAction>;
let tick!: Embed<Itimerval>;

function dispatch(bits: u32): void {
  if ((bits & CLOCK) != 0) hardclock();
  if ((bits & EVENTS) != 0) eventsInterrupt();
  if ((bits & WINDOW) != 0) consWindow();
  if ((bits & INQUIRE) != 0) reportProcesses();
  if ((bits & TERMINATE) != 0) terminate();
}

function bitOf(signal: i32): u32 {
  switch (signal) {
    case SIGALRM: return CLOCK;
    case SIGIO: return EVENTS;
    case SIGWINCH: return WINDOW;
    case SIGQUIT: return INQUIRE;
    default: return TERMINATE;
  }
}

/** The real kernel wants us to end: process 1 is told. */
function terminate(): void {
  const init = pfind(1);
  if (init != null) psignal(init, SIGUSR2);
}

/** Runs what is pending until nothing is. The level is raised. */
function runPending(): void {
  while (state.pending != 0) dispatch(exchange(pendingAt(), 0) as u32);
}

function pendingAt(): usize {
  return changetype<usize>(state) + offsetof<SignalState>("pending");
}

/** In one step, as the handler may run on one CPU while another takes what is pending. */
function addPending(bits: u32): void {
  const at = pendingAt();
  asm`mov eax, ${bits}
      mov ecx, ${at}
      lock or [ecx], eax`;
}

/** Signal handler: the arguments are those of the real kernel's signal frame. */
function interrupt(signal: i32, _code: i32, context: usize): void {
  const frame = changetype<TrapFrame>(context + UC_MCONTEXT + MC_FRAME);
  frame.eip = lookAgain(frame.eip);
  if (signal == SIGUSR1) return;             // from another CPU, which has kicked this one
  addPending(bitOf(signal));
  if (!interrupted() || state.level != 0) return;
  state.level = 1;
  runPending();
  state.level = 0;
}

/** Turns interrupts off; the previous level is for splx. */
export function splhigh(): i32 {
  const level = state.level;
  state.level = 1;
  return level;
}

/** Restores a level; pending interrupts run when that turns them on. */
export function splx(level: i32): void {
  if (level != 0) return;
  state.level = 1;
  runPending();
  state.level = 0;
  if (state.pending != 0) splx(0);
}

/** splx(0). */
export function splopen(): void {
  state.level = 0;
  if (state.pending != 0) splx(0);
}

/** Let interrupts come: start-up is done. How large the window is we look for ourselves. */
export function intrEnable(): void {
  addPending(WINDOW);
  splx(0);
}

/** Something has happened that the processor should see before it runs a process. At splhigh. */
export function interruptPending(): bool {
  return state.pending != 0;
}

/** Sleeps until an interrupt and runs it. Called and returns at splhigh. */
export function cpuIdle(): void {
  consFlush();
  clearKick();
  if (state.pending == 0) waitForKick();
  interruptBegin();
  runPending();
  interruptEnd();
}

function catchSignal(signal: i32): void {
  if (sigaction(signal, changetype<usize>(action), 0) < 0) panic("sigaction");
}

/** Installs the handlers and starts the clock's signal. */
export function intrInit(): void {
  action.handler = codeof(interrupt);
  action.flags = SA_RESTART;
  action.m0 = (1 << (SIGALRM - 1)) | (1 << (SIGIO - 1)) | (1 << (SIGTERM - 1)) | (1 << (SIGWINCH - 1)) | (1 << (SIGQUIT - 1))
    | (1 << (SIGUSR1 - 1));
  catchSignal(SIGALRM);
  catchSignal(SIGIO);
  catchSignal(SIGTERM);
  catchSignal(SIGWINCH);
  catchSignal(SIGQUIT);
  catchSignal(SIGUSR1);
}

/** Starts the clock's signal, HZ times a second. */
export function startTicks(): void {
  tick.intervalUsec = 1000000 / HZ;
  tick.valueUsec = 1000000 / HZ;
  if (setitimer(ITIMER_REAL, changetype<usize>(tick), 0) < 0) panic("setitimer");
}

/** Stops it: a program that is executed in our place has no handler for it. */
export function stopTicks(): void {
  memory.fill(changetype<usize>(tick), 0, sizeof<Itimerval>());
  setitimer(ITIMER_REAL, changetype<usize>(tick), 0);
}
