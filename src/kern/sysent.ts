// The system call table: the calls of processes, signals and time, and the lists of the other subsystems. Numbers and
// argument slots are those of abi/syscalls.ts.

import { Sys } from "../abi/syscalls.ts";
import { sysExecve } from "./exec.ts";
import { sysExit, sysWait4 } from "./exit.ts";
import { fileSyscallInit } from "./file_sysent.ts";
import { sysFork } from "./fork.ts";
import { sysGetpgid, sysGetpgrp, sysGetsid, sysSetpgid, sysSetsid } from "./jobs.ts";
import { sysExtexit, sysLwpCreate, sysLwpGettid } from "./lwp.ts";
import { sysSysarch } from "./ldt.ts";
import { sysReboot } from "./main.ts";
import { sysKill, sysLwpKill } from "./sigpost.ts";
import {
  sysSigaction, sysSigaltstack, sysSigpending, sysSigprocmask, sysSigreturn, sysSigsuspend,
} from "./signal.ts";
import { def } from "./syscall.ts";
import { sysGetpid, sysGetppid, sysSchedYield, sysSysctl, sysUname, sysZero } from "./sysctl.ts";
import {
  sysClockGettime, sysGetitimer, sysGetrusage, sysGettimeofday, sysNanosleep, sysSetitimer,
} from "./time.ts";
import { sysGetTlsArea, sysSetTlsArea } from "./tls.ts";
import { sysUmtxSleep, sysUmtxWakeup } from "./umtx.ts";
import { sysBreak, sysMadvise, sysMcontrol, sysMmap, sysMprotect, sysMsync, sysMunmap } from "./vm_syscalls.ts";
import {
  sysVmspaceCreate, sysVmspaceCtl, sysVmspaceDestroy, sysVmspaceMcontrol, sysVmspaceMmap, sysVmspaceMunmap, sysVmspacePread,
  sysVmspacePwrite,
} from "./vmspace.ts";

/** Fill the table. */
export function sysentInit(): void {
  def(Sys.exit, 1, sysExit);
  def(Sys.fork, 0, sysFork);
  def(Sys.wait4, 4, sysWait4);
  def(Sys.execve, 3, sysExecve);
  def(Sys.getpid, 0, sysGetpid);
  def(Sys.getppid, 0, sysGetppid);
  def(Sys.getpgrp, 0, sysGetpgrp);
  def(Sys.getuid, 0, sysZero);
  def(Sys.geteuid, 0, sysZero);
  def(Sys.getgid, 0, sysZero);
  def(Sys.getegid, 0, sysZero);
  def(Sys.setpgid, 2, sysSetpgid);
  def(Sys.setsid, 0, sysSetsid);
  def(Sys.getpgid, 1, sysGetpgid);
  def(Sys.getsid, 1, sysGetsid);
  def(Sys.sched_yield, 0, sysSchedYield);
  def(Sys.kill, 2, sysKill);
  def(Sys.sigaction, 3, sysSigaction);
  def(Sys.sigprocmask, 3, sysSigprocmask);
  def(Sys.sigpending, 1, sysSigpending);
  def(Sys.sigsuspend, 1, sysSigsuspend);
  def(Sys.sigaltstack, 2, sysSigaltstack);
  def(Sys.sigreturn, 1, sysSigreturn);
  def(Sys.gettimeofday, 2, sysGettimeofday);
  def(Sys.clock_gettime, 2, sysClockGettime);
  def(Sys.nanosleep, 2, sysNanosleep);
  def(Sys.setitimer, 3, sysSetitimer);
  def(Sys.getitimer, 2, sysGetitimer);
  def(Sys.getrusage, 2, sysGetrusage);
  def(Sys.umtx_sleep, 3, sysUmtxSleep);
  def(Sys.umtx_wakeup, 2, sysUmtxWakeup);
  def(Sys.set_tls_area, 3, sysSetTlsArea);
  def(Sys.get_tls_area, 3, sysGetTlsArea);
  def(Sys.sysctl, 6, sysSysctl);
  def(Sys.uname, 1, sysUname);
  def(Sys.reboot, 1, sysReboot);
  def(Sys.break_, 1, sysBreak);
  def(Sys.mmap, 8, sysMmap);
  def(Sys.munmap, 2, sysMunmap);
  def(Sys.mprotect, 3, sysMprotect);
  def(Sys.madvise, 3, sysMadvise);
  def(Sys.msync, 3, sysMsync);
  def(Sys.sysarch, 2, sysSysarch);
  def(Sys.mcontrol, 5, sysMcontrol);
  def(Sys.vmspace_create, 3, sysVmspaceCreate);
  def(Sys.vmspace_destroy, 1, sysVmspaceDestroy);
  def(Sys.vmspace_ctl, 4, sysVmspaceCtl);
  def(Sys.vmspace_mmap, 8, sysVmspaceMmap);
  def(Sys.vmspace_munmap, 3, sysVmspaceMunmap);
  def(Sys.vmspace_mcontrol, 6, sysVmspaceMcontrol);
  def(Sys.vmspace_pread, 6, sysVmspacePread);
  def(Sys.vmspace_pwrite, 6, sysVmspacePwrite);
  def(Sys.extexit, 3, sysExtexit);
  def(Sys.lwp_create, 1, sysLwpCreate);
  def(Sys.lwp_gettid, 0, sysLwpGettid);
  def(Sys.lwp_kill, 3, sysLwpKill);
  fileSyscallInit();
}
