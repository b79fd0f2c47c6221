// Judges VM-space objects: creation and names, what RUN accepts and forces, why it returns, that it gives everything back,
// and what fork, signals and kill do to a thread inside.
//
// Each test writes a few bytes of i386 code into the image, whose page 16 the space shows at CODE, and runs them.

import { EAGAIN, EBUSY, EEXIST, EFAULT, EINVAL, ENOENT, ENXIO, EOPNOTSUPP } from '../../src/abi/errno.ts';
import { I386_GET_LDT, I386_SET_LDT, LdtArguments, VMSPACE_CTL_SETLDT, PGEX_P, PGEX_FPFAULT, PGEX_U, PGEX_W, SEL_TLS0, SEL_UCODE, SEL_UDATA, T_BPTFLT, T_DIVIDE, T_DNA, T_PAGEFLT, T_PRIVINFLT, T_PROTFLT,
  T_SYSCALL80, T_TRCTRAP, TrapFrame, VextFrame } from '../../src/abi/frames.ts';
import { MADV_INVAL, MADV_SETMAP, MAP_ANON, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, VPTE_A, VPTE_M, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { SIGALRM, SIGKILL, SIG_BLOCK, SIG_UNBLOCK, SigAction, SigSet } from '../../src/abi/signal.ts';
import { Itimerval, Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { _exit, errno, fork, getpid, kill, mmap, nanosleep, setErrno, setitimer, sigaction, sigprocmask, sysarch, vmspaceCreate, vmspaceCtl, vmspaceDestroy,
  vmspaceMcontrol, vmspaceMmap, vmspaceMunmap } from '../../src/libc/sys.ts';
import { malloc } from '../../src/libc/rt.ts';
import { waitFor } from '../../src/libc/process.ts';
import { catchFaults, check, checkEqual, checkError, enableVkernel, freeMemory, inChild, limitSpaces, mapFile, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const IMAGE: u32 = 0x400000;
const SPAN: u32 = 0x400000;
const VW: u32 = VPTE_V | VPTE_RW;
const SPACE: usize = 0x1234;        // id of the space under test
const CODE: u32 = 0x10000;          // va in the space: page 16
const DATA: u32 = 0x20000;          // page 32
const STACK: u32 = 0x31000;         // end of page 48

let image: i32 = -1;
let linear: usize = 0;
let frame!: Embed<TrapFrame>;
let ext!: Embed<VextFrame>;

function setVpte(slot: u32, value: u32): void {
  store<u32>(linear + PAGE + slot * 4, value);
}

/** Map the image's tree at 0 of space `id`: directory in page 0, table in page 1. */
function makeSpace(id: usize): i32 {
  if (vmspaceCreate(id, 0, 0) != 0) return -1;
  if (vmspaceMmap(id, 0, SPAN, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0) != 0) return -1;
  return vmspaceMcontrol(id, 0, SPAN, MADV_SETMAP, 0 | VW);
}

/** Put code, written as hexadecimal bytes, at CODE and reset the registers to its beginning. */
function program(bytes: string): void {
  let at = linear + 16 * PAGE;
  for (let i: i32 = 0; i + 1 < bytes.length; i += 2) {
    store<u8>(at, (digit(bytes.charCodeAt(i)) * 16 + digit(bytes.charCodeAt(i + 1))) as u8);
    at++;
  }
  memory.fill(changetype<usize>(frame), 0, 80);
  frame.eip = CODE;
  frame.esp = STACK;
}

function digit(c: i32): i32 {
  return c < 58 ? c - 48 : c - 87;
}

function run(): i32 {
  return vmspaceCtl(SPACE, 1, changetype<usize>(frame), changetype<usize>(ext));
}

function checkExit(name: string, trapno: u32): void {
  checkEqual(name + ": RUN returns", run(), 0);
  checkEqual(name + ": trapno", frame.trapno as i32, trapno as i32);
}

function names(): void {
  checkError("3: destroy before the first create", vmspaceDestroy(1), EINVAL);
  checkEqual("2: create", makeSpace(SPACE), 0);
  checkError("2: same id", vmspaceCreate(SPACE, 0, 0), EEXIST);
  checkError("2: destroy of an unknown id", vmspaceDestroy(2), ENOENT);
  checkEqual("3: id 0", vmspaceCreate(0, 0, 0), 0);
  checkError("3: unknown command", vmspaceCtl(0, 2, 0, 0), EOPNOTSUPP);
  checkError("3: unknown id first", vmspaceCtl(77, 2, 0, 0), ENOENT);
  checkEqual("3: destroy id 0", vmspaceDestroy(0), 0);
  checkError("3: gone", vmspaceDestroy(0), ENOENT);
}

function badPointers(): void {
  program("cd80");
  checkError("21: tframe unmapped", vmspaceCtl(SPACE, 1, 0x100, changetype<usize>(ext)), EFAULT);
  checkError("21: tframe in the kernel", vmspaceCtl(SPACE, 1, 0xc0100000, changetype<usize>(ext)), EFAULT);
  checkError("21: tframe in the kernel, vframe 0", vmspaceCtl(SPACE, 1, 0xc0100000, 0), EFAULT);
  checkError("21: tframe across the end of user space", vmspaceCtl(SPACE, 1, 0xbfbfffc0, changetype<usize>(ext)), EFAULT);
  checkError("21: vframe in the kernel", vmspaceCtl(SPACE, 1, changetype<usize>(frame), 0xc0100000), EFAULT);
  checkError("21: vframe unmapped", vmspaceCtl(SPACE, 1, changetype<usize>(frame), 0x100), EFAULT);
  ext.tls0hi = 0x00408300;
  checkError("22: DPL 0", run(), ENXIO);
  ext.tls0hi = 0x0040fb00;
  checkError("22: code segment", run(), ENXIO);
  ext.tls0hi = 0;
  checkExit("22: empty descriptors", T_SYSCALL80);
  program("cd80cd80");
  checkExit("21: before", T_SYSCALL80);
  checkError("21: what ran before does not go on", vmspaceCtl(SPACE, 1, 0xc0100000, 0), EFAULT);
}

function syscallExit(): void {
  program("b814000000bb07000000cd80ebfe");      // mov eax,20; mov ebx,7; int 0x80; jmp $
  frame.esi = 0xabcd;
  checkExit("25", T_SYSCALL80);
  checkEqual("25: eax is the number still", frame.eax as i32, 20);
  checkEqual("25: err", frame.err as i32, 2);
  checkEqual("25: eip after the instruction", frame.eip as i32, CODE as i32 + 12);
  check("25: registers", frame.ebx == 7 && frame.esi == 0xabcd && frame.esp == STACK);
  check("23: selectors", frame.cs == SEL_UCODE && frame.ds == SEL_UDATA && frame.es == SEL_UDATA && frame.ss == SEL_UDATA);
  program("cd80");
  frame.eflags = 0xffffffff ^ 0x100;                // all but TF
  checkExit("23: all flags", T_SYSCALL80);
  checkEqual("23: IOPL 0, VM 0, IF 1", (frame.eflags & 0x23202) as i32, 0x202);
  checkEqual("23: DF and carry kept", (frame.eflags & 0x401) as i32, 0x401);
}

/** RUN by hand, with marks in every register that must survive. */
function registersSurvive(): void {
  program("b8ffffffff89c389c189c289c689c789c5cd80");
  const frameAt = changetype<usize>(frame);
  const extAt = changetype<usize>(ext);
  let ok: u32 = 0;
  asm`push ebx
      push esi
      push edi
      push ebp
      push ${extAt}
      push ${frameAt}
      push 1
      push 0x1234
      push 0
      mov ebx, 0x11111111
      mov esi, 0x22222222
      mov edi, 0x33333333
      mov edx, 0x44444444
      mov ebp, esp
      mov eax, 488
      int 0x80
      jc bad
      cmp eax, 0
      jne bad
      cmp ebx, 0x11111111
      jne bad
      cmp esi, 0x22222222
      jne bad
      cmp edi, 0x33333333
      jne bad
      cmp edx, 0x44444444
      jne bad
      cmp ebp, esp
      jne bad
      mov eax, 1
      jmp out
bad:  mov eax, 0
out:  lea esp, [esp+20]
      pop ebp
      pop edi
      pop esi
      pop ebx
      mov ${ok}, eax`;
  checkEqual("26: eax 0, CF 0, every other register as before", ok as i32, 1);
  check("26: the space had its own", frame.ebx == 0xffffffff && frame.ebp == 0xffffffff && frame.edi == 0xffffffff);
}

function tls(): void {
  // Descriptor with base DATA, limit 4 GiB, as a copy of what set_tls_area makes.
  store<u32>(linear + 32 * PAGE, 0x5eed);
  ext.tls0lo = ((DATA & 0xffff) << 16) | 0xffff;
  ext.tls0hi = ((DATA >> 16) & 0xff) | 0x00cff300 | (DATA & 0xff000000);
  program("65a100000000cd80");                  // mov eax, gs:[0]; int 0x80
  frame.gs = SEL_TLS0;
  const lowBefore = ext.tls0lo;
  checkExit("27", T_SYSCALL80);
  checkEqual("27: %gs reads the space's TLS", frame.eax as i32, 0x5eed);
  check("27: gs kept", frame.gs == SEL_TLS0);
  setErrno(31);
  checkEqual("27: our own %gs works", errno(), 31);
  check("26: vframe is not written", ext.tls0lo == lowBefore);
  ext.tls0lo = 0;
  ext.tls0hi = 0;
  checkExit("27: cleared descriptor", T_PROTFLT);
  program("cd80");
  frame.gs = 0xffff;
  checkExit("24: garbage gs", T_PROTFLT);
  checkEqual("24: err", frame.err as i32, 0);
  program("cd80");
  frame.fs = 0x10;
  checkExit("24: kernel selector in fs", T_SYSCALL80);
  checkEqual("24: was cleared on the way to ring 3", frame.fs as i32, 0);
  program("cd80");
  checkExit("24: harmless again", T_SYSCALL80);
}

const SLOT: u32 = 20;
const SELECTOR: u32 = 0xa7;           // of that slot: LDT, RPL 3
let descriptor!: FixedArray<u32, 4>;
let ldtArgs!: Embed<LdtArguments>;

/** Put a descriptor into slot SLOT of a table: of ours, or with an id of that of a space. */
function setSlot(id: usize, ours: bool, low: u32, high: u32): i32 {
  descriptor[0] = low;
  descriptor[1] = high;
  ldtArgs.start = SLOT;
  ldtArgs.descriptors = addressof(descriptor);
  ldtArgs.count = 1;
  return ours ? sysarch(I386_SET_LDT, changetype<usize>(ldtArgs)) : vmspaceCtl(id, VMSPACE_CTL_SETLDT, changetype<usize>(ldtArgs), 0);
}

/** Word 0 of the segment that the selector names for us. */
function throughFs(selector: u32): u32 {
  let value: u32 = 0;
  asm`push fs
      mov eax, ${selector}
      mov fs, ax
      mov eax, fs:[0]
      pop fs
      mov ${value}, eax`;
  return value;
}

/** A space's LDT is its own, and ours is ours. */
function ldt(): void {
  const low: u32 = ((DATA & 0xffff) << 16) | 0xffff;
  const high: u32 = ((DATA >> 16) & 0xff) | 0x00cff300;
  const mine = malloc(16);
  store<u32>(mine, 0x0111);
  const mineHigh: u32 = ((mine >> 16) & 0xff) | 0x00cff300 | (mine & 0xff000000);
  program("65a100000000cd80");                  // mov eax, gs:[0]; int 0x80
  frame.gs = SELECTOR;
  checkExit("LDT: slot beyond the kernel's table", T_PROTFLT);
  checkError("LDT: call gate", setSlot(SPACE, false, 0x00080000, 0xc010ec00), EINVAL);
  checkError("LDT: TSS", setSlot(SPACE, false, low, 0x0000e900), EINVAL);
  checkError("LDT: DPL 0", setSlot(SPACE, false, low, high & ~(0x6000 as u32)), EINVAL);
  ldtArgs.start = 5;
  checkError("LDT: the kernel's slots", vmspaceCtl(SPACE, VMSPACE_CTL_SETLDT, changetype<usize>(ldtArgs), 0), EINVAL);
  checkError("LDT: bad pointer", vmspaceCtl(SPACE, VMSPACE_CTL_SETLDT, 0x100, 0), EFAULT);
  checkError("LDT: unknown space", setSlot(99, false, low, high), ENOENT);
  checkEqual("LDT: set", setSlot(SPACE, false, low, high), 0);
  frame.eip = CODE;
  checkExit("LDT: the space uses it", T_SYSCALL80);
  checkEqual("LDT: and reads through it", frame.eax as i32, 0x5eed);
  checkEqual("LDT: our own slot", setSlot(0, true, ((mine & 0xffff) << 16) | 0xffff, mineHigh), SLOT as i32);
  checkEqual("LDT: is another", throughFs(SELECTOR) as i32, 0x0111);
  frame.eip = CODE;
  checkExit("LDT: the space still has its own", T_SYSCALL80);
  checkEqual("LDT: with its own base", frame.eax as i32, 0x5eed);
  checkEqual("LDT: a child has ours", inChild(() => throughFs(SELECTOR) == 0x0111 ? 0 : 1), 0);
  checkEqual("LDT: read back", sysarch(I386_GET_LDT, changetype<usize>(ldtArgs)), 1);
  checkEqual("LDT: as it was set", descriptor[1] as i32, mineHigh as i32);
  ldtArgs.count = 0;
  checkEqual("LDT: taken away", vmspaceCtl(SPACE, VMSPACE_CTL_SETLDT, changetype<usize>(ldtArgs), 0), 0);
  frame.eip = CODE;
  checkExit("LDT: nothing is left of it", T_PROTFLT);
  checkEqual("LDT: but of ours", throughFs(SELECTOR) as i32, 0x0111);
  frame.gs = 0;
}

function pageFaults(): void {
  setVpte(33, 0);
  program("a100100200cd80");                    // mov eax, [0x21000]
  checkExit("28", T_PAGEFLT);
  checkEqual("29: err is the address", frame.err as i32, 0x21000);
  checkEqual("29: flags of a read", frame.xflags as i32, PGEX_U as i32);
  checkEqual("eip at the instruction", frame.eip as i32, CODE as i32);
  program("a300100200cd80");                    // mov [0x21000], eax
  checkExit("14: store", T_PAGEFLT);
  checkEqual("29: flags of a write", frame.xflags as i32, (PGEX_U | PGEX_W) as i32);
  setVpte(33, 33 * PAGE | VW);
  checkExit("retried after the VPTE became valid", T_SYSCALL80);
  checkEqual("12: A and M", (load<u32>(linear + PAGE + 33 * 4) & 0x60) as i32, (VPTE_A | VPTE_M) as i32);
  setVpte(33, 33 * PAGE | VPTE_V);
  vmspaceMcontrol(SPACE, 33 * PAGE, PAGE, MADV_INVAL, 0);
  program("8b0d00100200a300100200cd80");        // mov ecx, [0x21000]; mov [0x21000], eax
  checkExit("store to a read-only page", T_PAGEFLT);
  checkEqual("flags", frame.xflags as i32, (PGEX_P | PGEX_U | PGEX_W) as i32);
  program("a1000010c0cd80");                    // mov eax, [0xc0100000]
  checkExit("kernel address", T_PAGEFLT);
  check("kernel address in err", frame.err == 0xc0100000);
  const mine = mmap(0x28000000, PAGE, RW, MAP_SHARED | MAP_ANON | MAP_FIXED, -1, 0);
  store<i32>(mine, 1);
  program("a100000028cd80");                    // mov eax, [0x28000000]
  checkExit("28: an address of ours", T_PAGEFLT);
  setVpte(34, 0x7000000 | VW);
  program("a100200200cd80");
  checkExit("15: frame beyond the image", T_PAGEFLT);
  setVpte(34, 0);
}

function traps(): void {
  program("f4");
  checkExit("37: hlt", T_PROTFLT);
  program("0f0b");
  checkExit("37: ud2", T_PRIVINFLT);
  program("31c9f7f1");
  checkExit("37: divide", T_DIVIDE);
  program("cc");
  checkExit("36: int3", T_BPTFLT);
  checkEqual("36: eip", frame.eip as i32, CODE as i32 + 1);
  program("9090cd80");
  frame.eflags = 0x100;
  checkExit("36: single step", T_TRCTRAP);
  checkEqual("36: one instruction", frame.eip as i32, CODE as i32 + 1);
  checkEqual("36: TF cleared", (frame.eflags & 0x100) as i32, 0);
  program("d9e8cd80");                          // fld1
  frame.xflags = PGEX_FPFAULT;
  checkExit("33: FPU fault asked for", T_DNA);
  checkEqual("33: eip at the instruction", frame.eip as i32, CODE as i32);
  frame.xflags = 0;
  checkExit("34: not asked for", T_SYSCALL80);
}

let alarms: i32 = 0;

function onAlarm(_signal: i32): void {
  alarms++;
}

function setAlarm(usec: i32): void {
  const timer = new Itimerval();
  timer.valueUsec = usec;
  setitimer(0, changetype<usize>(timer), 0);
  free(timer);
}

function signals(): void {
  const act = new SigAction();
  act.handler = codeof(onAlarm);
  sigaction(SIGALRM, changetype<usize>(act), 0);
  program("41ebfd");                            // inc ecx; jmp back
  setAlarm(50000);
  checkExit("30: signal while spinning", 0);
  checkEqual("30: handler ran", alarms, 1);
  check("30: eip in the loop", frame.eip == CODE || frame.eip == CODE + 1);
  const count = frame.ecx;
  check("30: it ran", count > 0);
  setAlarm(30000);
  checkExit("30: rerun", 0);
  check("30: and went on from there", frame.ecx > count && alarms == 2);
  const set = new SigSet();
  set.w0 = 1 << (SIGALRM - 1);
  sigprocmask(SIG_BLOCK, changetype<usize>(set), 0);
  kill(getpid(), SIGALRM);
  program("b900001000e2fecd80");                // mov ecx, 1M; loop $; int 0x80
  checkExit("31: blocked signal", T_SYSCALL80);
  checkEqual("31: handler did not run", alarms, 2);
  sigprocmask(SIG_UNBLOCK, changetype<usize>(set), 0);
  checkEqual("31: it ran when unblocked", alarms, 3);
}

function pause(msec: i32): void {
  const time = new Timespec();
  time.nsec = msec * 1000000;
  nanosleep(changetype<usize>(time), 0);
  free(time);
}

/** A second process shares the spaces: it spins inside while the parent tries to destroy, then changes a VPTE. */
function twoProcesses(): void {
  setVpte(35, 35 * PAGE | VW);
  program("a100300200ebf9");                    // mov eax, [0x23000]; jmp back
  const pid = fork();
  if (pid == 0) {
    if (run() != 0 || frame.trapno != T_PAGEFLT || frame.err != 0x23000) _exit(1);
    _exit(0);
  }
  pause(60);
  checkError("4: destroy while a thread is inside", vmspaceDestroy(SPACE), EBUSY);
  setVpte(35, 0);
  checkEqual("42: INVAL from outside", vmspaceMcontrol(SPACE, 35 * PAGE, PAGE, MADV_INVAL, 0), 0);
  checkEqual("42: the thread inside faulted at once", waitFor(pid), 0);
  program("cd80");
  checkExit("39: the spaces outlive the child", T_SYSCALL80);
}

function killInside(): void {
  program("ebfe");
  const pid = fork();
  if (pid == 0) {
    run();
    _exit(9);
  }
  pause(50);
  checkError("40: busy", vmspaceDestroy(SPACE), EBUSY);
  kill(pid, SIGKILL);
  checkEqual("40: killed inside", waitFor(pid), SIGKILL);
  checkEqual("4: destroyed after it left", vmspaceDestroy(SPACE), 0);
}

function childOwns(): i32 {
  if (makeSpace(1) != 0 || makeSpace(2) != 0) return 1;
  return vmspaceMunmap(1, 0, SPAN) != 0 ? 2 : 0;
}

/** Spaces die with the last process that shares them: twenty owners leave no page behind. */
function ownersDie(): void {
  inChild(childOwns);
  const before = freeMemory();
  for (let i: i32 = 0; i < 20; i++) {
    if (inChild(childOwns) != 0) check("39: a new owner starts without spaces", false);
  }
  check("39: no page is lost", freeMemory() + 8 * PAGE > before);
}

/** vm.vkernel_spaces holds for each process, and counts what there is now. */
function limited(): void {
  limitSpaces(3);
  checkEqual("limit: first", vmspaceCreate(1, 0, 0), 0);
  checkEqual("limit: second", vmspaceCreate(2, 0, 0), 0);
  checkEqual("limit: third", vmspaceCreate(3, 0, 0), 0);
  checkError("limit: fourth", vmspaceCreate(4, 0, 0), EAGAIN);
  checkError("limit: an id twice is the nearer fault", vmspaceCreate(3, 0, 0), EEXIST);
  checkEqual("limit: destroy one", vmspaceDestroy(2), 0);
  checkEqual("limit: and there is room", vmspaceCreate(4, 0, 0), 0);
  limitSpaces(8192);
  checkEqual("limit: raised", vmspaceCreate(2, 0, 0), 0);
  for (let id: usize = 1; id <= 4; id++) vmspaceDestroy(id);
}

/** While we share them, a child's spaces are ours. */
function shared(): void {
  checkEqual("39: child makes spaces", inChild(childOwns), 0);
  checkError("39: which we share", makeSpace(1), EEXIST);
  checkEqual("39: and may destroy", vmspaceDestroy(1), 0);
  checkEqual("39: both", vmspaceDestroy(2), 0);
}

function spaceCalls(): void {
  checkError("munmap in an unknown space", vmspaceMunmap(99, 0, PAGE), ENOENT);
  checkError("mcontrol: behaviour", vmspaceMcontrol(SPACE, 0, PAGE, 12, 0), EINVAL);
  const at = vmspaceMmap(SPACE, 0x50000000, PAGE, RW, MAP_FIXED | MAP_SHARED | MAP_ANON, -1, 0);
  checkEqual("anonymous memory in a space", at as i32, 0x50000000);
  program("c705000000502a000000a100000050cd80"); // mov dword [0x50000000], 42; mov eax, [0x50000000]
  checkExit("ordinary memory in a space", T_SYSCALL80);
  checkEqual("its contents", frame.eax as i32, 42);
  checkEqual("munmap", vmspaceMunmap(SPACE, 0x50000000, PAGE), 0);
  program("a100000050cd80");
  checkExit("after munmap", T_PAGEFLT);
}

function main(args: string[]): i32 {
  catchFaults();
  enableVkernel(1);
  image = scratchFile(IMAGE);
  linear = mapFile(image, IMAGE);
  store<u32>(linear, PAGE | VW);
  setVpte(16, 16 * PAGE | VW);
  setVpte(32, 32 * PAGE | VW);
  setVpte(48, 48 * PAGE | VW);
  ownersDie();
  names();
  badPointers();
  syscallExit();
  registersSurvive();
  tls();
  ldt();
  pageFaults();
  traps();
  spaceCalls();
  signals();
  twoProcesses();
  killInside();
  limited();
  shared();
  return verdict("vmspace");
}

setMain(main);
