// Signals: BSD numbers, masks of four words, and the records that cross the user boundary with them.

export const SIGHUP: i32 = 1;
export const SIGINT: i32 = 2;
export const SIGQUIT: i32 = 3;
export const SIGILL: i32 = 4;
export const SIGTRAP: i32 = 5;
export const SIGABRT: i32 = 6;
export const SIGFPE: i32 = 8;
export const SIGKILL: i32 = 9;
export const SIGBUS: i32 = 10;
export const SIGSEGV: i32 = 11;
export const SIGSYS: i32 = 12;
export const SIGPIPE: i32 = 13;
export const SIGALRM: i32 = 14;
export const SIGTERM: i32 = 15;
export const SIGURG: i32 = 16;
export const SIGSTOP: i32 = 17;
export const SIGTSTP: i32 = 18;
export const SIGCONT: i32 = 19;
export const SIGCHLD: i32 = 20;
export const SIGTTIN: i32 = 21;
export const SIGTTOU: i32 = 22;
export const SIGIO: i32 = 23;
export const SIGWINCH: i32 = 28;
export const SIGINFO: i32 = 29;
export const SIGUSR1: i32 = 30;
export const SIGUSR2: i32 = 31;
export const NSIG: i32 = 64;

export const SIG_DFL: usize = 0;
export const SIG_IGN: usize = 1;

export const SA_ONSTACK: i32 = 1;
export const SA_RESTART: i32 = 2;
export const SA_RESETHAND: i32 = 4;
export const SA_NOCLDSTOP: i32 = 8;
export const SA_NODEFER: i32 = 0x10;
export const SA_NOCLDWAIT: i32 = 0x20;
export const SA_SIGINFO: i32 = 0x40;

export const SIG_BLOCK: i32 = 1;
export const SIG_UNBLOCK: i32 = 2;
export const SIG_SETMASK: i32 = 3;

export const SEGV_MAPERR: i32 = 1;
export const SEGV_ACCERR: i32 = 2;

/** Signal n is bit n-1. */
export class SigSet {
  w0: u32 = 0;
  w1: u32 = 0;
  w2: u32 = 0;
  w3: u32 = 0;
}

/** struct sigaction, 24 bytes. */
export class SigAction {
  handler: usize = 0;
  flags: i32 = 0;
  m0: u32 = 0;             // mask, as SigSet
  m1: u32 = 0;
  m2: u32 = 0;
  m3: u32 = 0;
}

/** struct siginfo, 64 bytes. For faults addr is the faulting address. */
export class SigInfo {
  signo: i32 = 0;
  errno: i32 = 0;
  code: i32 = 0;
  pid: i32 = 0;
  uid: i32 = 0;
  status: i32 = 0;
  addr: usize = 0;
  value: i32 = 0;
  band: i32 = 0;
  s0: i32 = 0; s1: i32 = 0; s2: i32 = 0; s3: i32 = 0; s4: i32 = 0; s5: i32 = 0; s6: i32 = 0;
}

// Offsets in the user context that sendsig writes and sigreturn reads.
export const UC_SIGMASK: u32 = 0;          // SigSet
export const UC_MCONTEXT: u32 = 16;        // struct mcontext, 672 bytes
export const MC_ONSTACK: u32 = 0;
export const MC_FRAME: u32 = 4;            // a TrapFrame
export const MC_LEN: u32 = 84;
export const MC_FPFORMAT: u32 = 88;
export const MC_OWNEDFP: u32 = 92;
export const MC_FPREGS: u32 = 96;          // 512 bytes, 16-byte aligned
export const MC_SIZE: u32 = 672;
export const UC_LINK: u32 = 688;
export const UC_STACK: u32 = 692;          // stack_t: sp, size, flags
export const UC_SIZE: u32 = 736;
export const FPFMT_NODEV: u32 = 0x10000;
export const FPFMT_387: u32 = 0x10001;
export const FPFMT_XMM: u32 = 0x10002;
export const FPOWNED_NONE: u32 = 0x20000;
export const FPOWNED_FPU: u32 = 0x20001;
export const FPOWNED_PCB: u32 = 0x20002;
