// Processors. The kernel is written for one: where a machine has several (a virtual kernel with -n), one at a time is in the
// kernel and the others are in user mode, idle, or waiting to come in. Which that is, curCpu, and with it curLwp, needResched and
// the owner of the FPU, changes when one departs and the next arrives (machine/cpu.ts), always at splhigh.
//
// With several, each has an idle thread of its own, so that no two ever stand on the same stack; with one there is none.

import { cpuKick } from "machine/cpu.ts";
import { fpuArrive, fpuDepart } from "./fpu.ts";
import { curLwp, Lwp, lwpAlloc, lwpLink, LS_SLEEP, pfind, setCurLwp } from "./proc.ts";
import { LEVELS, needResched, setNeedResched } from "./sched.ts";

export const MAXCPU: i32 = 16;

export class Cpu {
  id: i32 = 0;
  lwp!: Lwp;                 // the thread on it
  idle!: Lwp;
  resched: bool = false;     // has to give up its thread when it arrives
  kicked: bool = false;      // was idle, and has been told that there is something to run
  fpuOwner: Lwp | null = null;
}

let cpus!: FixedArray<Cpu | null, 16>;
/** How many there are. With 1 nothing else here is used. */
export let cpuCount: i32 = 1;
/** The one in the kernel. */
export let curCpu!: Cpu;

/** Another processor, with an idle thread that begins nowhere yet. The first call makes the one that calls, in its present thread. */
export function cpuAdd(): Cpu {
  const cpu = new Cpu();
  const idle = lwpAlloc(pfind(0)!);
  idle.state = LS_SLEEP;
  idle.wmesg = "idle";
  idle.priority = LEVELS;
  lwpLink(idle);
  cpu.idle = idle;
  cpu.lwp = idle;
  if (changetype<usize>(curCpu) == 0) {
    cpu.lwp = curLwp;
    curCpu = cpu;
  } else {
    cpu.id = cpuCount;
    cpuCount++;
  }
  cpus[cpu.id] = cpu;
  return cpu;
}

/** `cpu` has come into the kernel. */
export function cpuArrive(cpu: Cpu): void {
  curCpu = cpu;
  cpu.kicked = false;
  setCurLwp(cpu.lwp);
  setNeedResched(cpu.resched);
  cpu.resched = false;
  fpuArrive(cpu.fpuOwner);
}

/** The current processor leaves the kernel; it has nothing left to do there. */
export function cpuDepart(): void {
  curCpu.fpuOwner = fpuDepart();
}

function isIdle(cpu: Cpu): bool {
  return cpu.lwp == cpu.idle;
}

/**
 * A thread of `level` has become runnable: tell a processor that has nothing to do, or else one whose thread is worse than it and
 * worse than the current one. False: it is for the current processor, if for any.
 */
export function cpuPlace(level: i32): bool {
  if (isIdle(curCpu) && !needResched) return false;
  let worst: Cpu | null = null;
  for (let i: i32 = 0; i < cpuCount; i++) {
    const cpu = cpus[i]!;
    if (cpu == curCpu || cpu.kicked || cpu.resched) continue;
    if (isIdle(cpu)) {
      cpu.kicked = true;
      cpuKick(cpu.id);
      return true;
    }
    if (cpu.lwp.priority > level && (worst == null || cpu.lwp.priority > worst.lwp.priority)) worst = cpu;
  }
  if (worst == null || (worst.lwp.priority <= curCpu.lwp.priority && !needResched)) return false;
  worst.resched = true;
  cpuKick(worst.id);
  return true;
}

/** Have `lwp`, if it runs on another processor, come into the kernel. */
export function cpuInterrupt(lwp: Lwp): void {
  for (let i: i32 = 0; i < cpuCount; i++) {
    const cpu = cpus[i]!;
    if (cpu.lwp == lwp && cpu != curCpu) cpuKick(cpu.id);
  }
}

/** Call fn with the thread of every processor but the current that is not idle. True from it: the thread has run long enough. */
export function cpuTick(fn: (lwp: Lwp) => bool): void {
  for (let i: i32 = 0; i < cpuCount; i++) {
    const cpu = cpus[i]!;
    if (cpu == curCpu || isIdle(cpu) || !fn(cpu.lwp)) continue;
    cpu.resched = true;
    cpuKick(cpu.id);
  }
}
