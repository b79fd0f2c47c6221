// The kernel's main: its list of initialisations, the first two processes, and the end.

import { EINVAL } from "../abi/errno.ts";
import { RB_AUTOBOOT, RB_CODE_SHIFT, RB_HALT } from "../abi/file.ts";
import { SIGKILL, SIGSTOP } from "../abi/signal.ts";
import { bootArgs, platformName } from "machine/boot.ts";
import { cpusStart } from "machine/cpu.ts";
import { fastCallInit } from "machine/fastcall.ts";
import { intrEnable } from "machine/intr.ts";
import { cpuHalt, cpuReboot } from "machine/reset.ts";
import { HZ } from "./callout.ts";
import { cpuTimeBegin } from "./cputime.ts";
import { kernExec } from "./exec.ts";
import { fdCreate } from "./file.ts";
import { kprint } from "./kprintf.ts";
import { fsLock, fsUnlock } from "./lock.ts";
import { panic } from "./panic.ts";
import { allProcs, curLwp, Lwp, lwpSetStack, pfind, procAlloc, procSetName, PS_ZOMBIE, setCurLwp } from "./proc.ts";
import { setRunQueue, tsleep } from "./sched.ts";
import { psignal } from "./sigpost.ts";
import { OSRELEASE, OSTYPE } from "./sysctl.ts";
import { sysentInit } from "./sysent.ts";
import { startThread } from "./thread.ts";
import { timeInit } from "./time.ts";
import { tuningInit } from "./tuning.ts";
import { ttyInit } from "./tty.ts";
import { vfsMountRoot, vfsSync, vfsUnmount } from "./vfs.ts";
import { totalPageCount } from "./vm_page.ts";

const INIT: string = "/sbin/init";
const SYNC_SECONDS: i32 = 30;

/** Called by the platform when memory, console and clock work, on the stack at `stack`, with interrupts off. */
export function kernMain(stack: usize): void {
  procZero(stack);      // this thread is process 0
  tuningInit();         // which improvements are on
  fastCallInit();       // the quick way in
  ttyInit();            // the terminal
  intrEnable();         // there is a thread to interrupt
  banner();
  timeInit();           // processor time
  sysentInit();         // system calls
  vfsMountRoot();       // the root file system
  startInit();          // process 1
  cpusStart();          // the other processors
  syncForever();        // which process 0 does from here on
}

function procZero(stack: usize): void {
  const p = procAlloc(null);
  p.system = true;
  procSetName(p, "kernel");
  lwpSetStack(p.lwps!, stack);
  setCurLwp(p.lwps!);
  curLwp.cycleStamp = cpuTimeBegin();
}

function banner(): void {
  const megabytes = (totalPageCount() + 128) >>> 8;
  kprint(`${OSTYPE} ${OSRELEASE} (${platformName()} kernel), ${megabytes} MiB memory\n`);
}

function startInit(): void {
  const p = procAlloc(curLwp.proc);
  p.pgid = 1;
  p.sid = 1;
  p.fd = fdCreate();
  startThread(p.lwps!, initMain);
  setRunQueue(p.lwps!);
}

/** Process 1: becomes /sbin/init, with the words of the kernel's command line after the first as arguments. */
function initMain(): void {
  const args: string[] = [INIT];
  const line = bootArgs();
  let at = nextWord(line, 0);
  at = nextBlank(line, at);
  for (;;) {
    at = nextWord(line, at);
    if (at == line.length) break;
    const end = nextBlank(line, at);
    args.push(line.substring(at, end));
    at = end;
  }
  const error = kernExec(curLwp, INIT, args);
  if (error != 0) panic(`cannot execute ${INIT}, error ${error}`);
}

function nextWord(line: string, at: i32): i32 {
  while (at < line.length && line.charCodeAt(at) == 32) at++;
  return at;
}

function nextBlank(line: string, at: i32): i32 {
  while (at < line.length && line.charCodeAt(at) != 32) at++;
  return at;
}

/** What has changed is written now and then, so that a power cut takes little away. */
function syncForever(): void {
  for (;;) {
    tsleep(changetype<usize>(curLwp), 0, "syncer", SYNC_SECONDS * HZ);
    fsLock();
    vfsSync();
    fsUnlock();
  }
}

/** reboot(howto): end every process, write everything back, and stop or start again. */
export function sysReboot(lwp: Lwp, a: Ptr<u32>): i32 {
  const how = (a[0] & 0xffff) as i32;
  if (how != RB_AUTOBOOT && how != RB_HALT) return EINVAL;
  killAll(lwp);
  fsLock();
  vfsUnmount();
  if (how == RB_HALT) cpuHalt((a[0] >>> (RB_CODE_SHIFT as u32)) as i32);
  cpuReboot();
  return 0;
}

const PATIENCE: i32 = 200;  // ticks that processes have to die

/** Init stops, so that it starts nothing new; everyone but it and the caller dies. */
function killAll(lwp: Lwp): void {
  if (lwp.proc.pid != 1) psignal(pfind(1)!, SIGSTOP);
  for (let tries: i32 = 0; tries < PATIENCE; tries++) {
    let alive: i32 = 0;
    for (let p = allProcs(); p != null; p = p.next) {
      if (p.system || p.pid == 1 || p == lwp.proc || p.state == PS_ZOMBIE) continue;
      psignal(p, SIGKILL);
      alive++;
    }
    if (alive == 0) return;
    tsleep(changetype<usize>(lwp) + 2, 0, "reboot", 1);
  }
}
