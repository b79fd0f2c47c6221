// Register frames and trap numbers: what a trap pushes, what vmspace_ctl exchanges, what a signal context contains.

/** struct trapframe, 80 bytes: the order that the CPU, pushal and four segment pushes produce. */
export class TrapFrame {
  gs: u32 = 0;
  fs: u32 = 0;
  es: u32 = 0;
  ds: u32 = 0;
  edi: u32 = 0;
  esi: u32 = 0;
  ebp: u32 = 0;
  isp: u32 = 0;            // from vmspace_ctl(RUN): the processor cycles that the thread has spent inside, the real kernel's for it included
  ebx: u32 = 0;
  edx: u32 = 0;
  ecx: u32 = 0;
  eax: u32 = 0;
  xflags: u32 = 0;
  trapno: u32 = 0;
  err: u32 = 0;
  eip: u32 = 0;
  cs: u32 = 0;
  eflags: u32 = 0;
  esp: u32 = 0;
  ss: u32 = 0;
}
export const TRAPFRAME_SIZE: u32 = 80;

/** struct vextframe, 24 bytes: the three TLS descriptors as low and high words. */
export class VextFrame {
  tls0lo: u32 = 0;
  tls0hi: u32 = 0;
  tls1lo: u32 = 0;
  tls1hi: u32 = 0;
  tls2lo: u32 = 0;
  tls2hi: u32 = 0;
}
export const VEXTFRAME_SIZE: u32 = 24;

// Trap numbers (TrapFrame.trapno). 0: no trap, a signal ended a run.
export const T_PRIVINFLT: u32 = 1;     // #UD
export const T_BPTFLT: u32 = 3;
export const T_ARITHTRAP: u32 = 6;
export const T_ASTFLT: u32 = 7;
export const T_PROTFLT: u32 = 9;
export const T_TRCTRAP: u32 = 10;
export const T_PAGEFLT: u32 = 12;
export const T_ALIGNFLT: u32 = 14;
export const T_DIVIDE: u32 = 18;
export const T_NMI: u32 = 19;
export const T_OFLOW: u32 = 20;
export const T_BOUND: u32 = 21;
export const T_DNA: u32 = 22;          // #NM
export const T_DOUBLEFLT: u32 = 23;
export const T_FPOPFLT: u32 = 24;
export const T_TSSFLT: u32 = 25;
export const T_SEGNPFLT: u32 = 26;
export const T_STKFLT: u32 = 27;
export const T_MCHK: u32 = 28;
export const T_SYSCALL80: u32 = 0x80;

// Page fault bits (TrapFrame.xflags).
export const PGEX_P: u32 = 1;
export const PGEX_W: u32 = 2;
export const PGEX_U: u32 = 4;
/** Input to vmspace_ctl(RUN): report the next FPU instruction as T_DNA. */
export const PGEX_FPFAULT: u32 = 0x80;

// EFLAGS bits.
export const PSL_C: u32 = 1;
export const PSL_T: u32 = 0x100;
export const PSL_I: u32 = 0x200;
export const PSL_D: u32 = 0x400;
export const PSL_IOPL: u32 = 0x3000;
export const PSL_VM: u32 = 0x20000;
export const PSL_RF: u32 = 0x10000;
/** Bits a user may set in a frame: C PF AF Z N T D V NT RF AC ID. */
export const PSL_USERCHANGE: u32 = 0x00254dd5;

// Selectors that user code sees.
export const SEL_UCODE: u32 = 0x1f;
export const SEL_UDATA: u32 = 0x2f;
export const SEL_TLS0: u32 = 0x7b;
export const SEL_TLS1: u32 = 0x83;
export const SEL_TLS2: u32 = 0x8b;

export const VMSPACE_CTL_RUN: i32 = 1;
/** vmspace_ctl(id, SETLDT, LdtArguments*, 0): our own; DragonFly had no LDT for VM spaces. */
export const VMSPACE_CTL_SETLDT: i32 = 16;
/**
 * vmspace_ctl(id, RESUME, TrapFrame*, ResumeWish*): our own. As RUN, after what the wish asks for, in the order of its fields. EINVAL for
 * what it can't ask for; then nothing runs.
 */
export const VMSPACE_CTL_RESUME: i32 = 17;
export class ResumeWish {
  vframe: usize = 0;       // as RUN's
  ranges: usize = 0;       // start and length of each range of the space that is to be forgotten (MADV_INVAL)
  count: u32 = 0;          // so many, at most INVALV_MOST
  enter: u32 = 0;          // then look this address up and enter its page, as a fault there would: | PROT_READ or PROT_WRITE; 0: none
  entered: u32 = 0;        // out: low word of the time stamp counter when the call was taken up
  left: u32 = 0;           // out: and when the space was left
}

// sysarch: the local descriptor table.
export const I386_GET_LDT: i32 = 0;
export const I386_SET_LDT: i32 = 1;
/** Slots of a table, and the first that is not the kernel's. */
export const LDT_SLOTS: u32 = 512;
export const LDT_FIRST: u32 = 17;
export class LdtArguments {
  start: u32 = 0;
  descriptors: usize = 0;
  count: u32 = 0;
}
