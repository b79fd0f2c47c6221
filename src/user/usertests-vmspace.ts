// Cases about VM spaces: names and limits, what vmspace_ctl accepts and forces, why a run ends and that it gives everything
// back, the memory of a space, and what fork, exec, signals, threads and death do. The programs that spaces run are a few bytes of i386 code.

import { EAGAIN, EBUSY, EEXIST, EFAULT, EINVAL, ENOENT, ENXIO, EOPNOTSUPP } from '../abi/errno.ts';
import { VM_VKERNEL_ENABLE, VM_VKERNEL_SPACES } from '../abi/file.ts';
import { LdtArguments, PGEX_FPFAULT, PGEX_P, PGEX_U, PGEX_W, ResumeWish, SEL_TLS0, SEL_UCODE, SEL_UDATA, T_BPTFLT, T_DIVIDE, T_DNA, T_PAGEFLT, T_PRIVINFLT, T_PROTFLT,
  T_SYSCALL80, T_TRCTRAP, TrapFrame, VMSPACE_CTL_RESUME, VMSPACE_CTL_RUN, VMSPACE_CTL_SETLDT } from '../abi/frames.ts';
import { MADV_INVAL, MADV_INVALV, MADV_SETMAP, MAP_ANON, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, PROT_READ, VPTE_A, VPTE_M, VPTE_PS, VPTE_V } from '../abi/mman.ts';
import { SIGALRM, SIGKILL } from '../abi/signal.ts';
import { Thread, threadCreate, threadJoin } from '../libc/thread.ts';
import { close, extpwrite, getpid, kill, vmspaceCreate, vmspaceCtl, vmspaceDestroy, vmspaceMcontrol, vmspaceMmap, vmspaceMunmap, vmspacePread,
  vmspacePwrite } from '../libc/sys.ts';
import { alarmAfter, anon, bit, check, checkChild, checkEqual, checkError, fill, handle, inChild, isFilled, isZero, KERNEL_ADDRESS, LOW_ADDRESS, newFile, PAGE, RW, setMask,
  sharedMemory, sleepMs, spawn, statusOf } from './usertests-harness.ts';
import { checkProgram, checkStop, CODE, DATA, DATA_PAGE, ext, frame, linear, makeImage, makeSpace, pageAt, prepareSpace, program, resetFrame, runSpace, setVm, setVpte,
  SPACE, SPAN, STACK, vkernelTest, vpte, VW } from './usertests-image.ts';
import { asked } from './usertests-exec.ts';
import { freePages } from './usertests-memory.ts';

/** Loads from DATA and calls, and stores to DATA and calls. */
const LOAD = "a100000200cd80";
const STORE = "a300000200cd80";
/** Loads from DATA again and again. */
const LOAD_ON = "a100000200ebf9";
const COUNT_ON = "41ebfd";
const CALL = "cd80";
const UNKNOWN: usize = 99;
const FREE_AT: usize = 0x50000000;

let area: usize = 0;
let caught: i32 = 0;
let words!: FixedArray<u32, 4>;
let ldtArgs!: Embed<LdtArguments>;
let wish!: Embed<ResumeWish>;

function count(_sig: i32): void {
  caught++;
}

function frameAt(): usize {
  return changetype<usize>(frame);
}

function extAt(): usize {
  return changetype<usize>(ext);
}

function mapAnon(prot: i32): void {
  checkEqual("vmspace_mmap", vmspaceMmap(SPACE, FREE_AT, 2 * PAGE, prot, MAP_FIXED | MAP_SHARED | MAP_ANON, -1, 0) as i32, FREE_AT as i32);
}

function forget(id: usize, page: u32): void {
  checkEqual("MADV_INVAL", vmspaceMcontrol(id, page * PAGE, PAGE, MADV_INVAL, 0), 0);
}

function nameCases(): void {
  vkernelTest("vmspace-disabled", () => {
    setVm(VM_VKERNEL_ENABLE, 0);
    checkError("create", vmspaceCreate(1, 0, 0), EOPNOTSUPP);
    checkError("destroy", vmspaceDestroy(1), EINVAL);
  });
  vkernelTest("vmspace-create", () => {
    checkEqual("a space", vmspaceCreate(SPACE, 0, 0), 0);
    checkEqual("id 0", vmspaceCreate(0, 0, 0), 0);
    checkEqual("any id", vmspaceCreate(0xfffffffc, 0, 0), 0);
    checkError("the same again", vmspaceCreate(SPACE, 0, 0), EEXIST);
  });
  vkernelTest("vmspace-destroy", () => {
    prepareSpace();
    checkEqual("destroyed", vmspaceDestroy(SPACE), 0);
    checkError("once", vmspaceDestroy(SPACE), ENOENT);
    program(CALL);
    checkError("nothing runs", runSpace(SPACE), ENOENT);
    makeSpace(SPACE);
    checkStop("another of that name", T_SYSCALL80);
  });
  vkernelTest("vmspace-bad-id", () => {
    checkError("without any space", vmspaceDestroy(UNKNOWN), EINVAL);
    checkError("nor a run", runSpace(UNKNOWN), EINVAL);
    prepareSpace();
    checkError("destroy", vmspaceDestroy(UNKNOWN), ENOENT);
    checkError("ctl", runSpace(UNKNOWN), ENOENT);
    checkError("ctl, whatever the command", vmspaceCtl(UNKNOWN, 2, 0, 0), ENOENT);
    checkError("mmap", vmspaceMmap(UNKNOWN, 0, PAGE, RW, MAP_SHARED | MAP_ANON, -1, 0) as i32, ENOENT);
    checkError("munmap", vmspaceMunmap(UNKNOWN, 0, PAGE), ENOENT);
    checkError("mcontrol", vmspaceMcontrol(UNKNOWN, 0, PAGE, MADV_INVAL, 0), ENOENT);
    checkError("pread", vmspacePread(UNKNOWN, linear, 1, 0), ENOENT);
    checkError("pwrite", vmspacePwrite(UNKNOWN, linear, 1, 0), ENOENT);
  });
  vkernelTest("vmspace-bad-command", () => {
    prepareSpace();
    checkError("2", vmspaceCtl(SPACE, 2, frameAt(), extAt()), EOPNOTSUPP);
  });
  vkernelTest("vmspace-limit", () => {
    const before = setVm(VM_VKERNEL_SPACES, 3);
    for (let id: usize = 1; id <= 3; id++) checkEqual("within", vmspaceCreate(id, 0, 0), 0);
    checkError("beyond", vmspaceCreate(4, 0, 0), EAGAIN);
    checkEqual("one less", vmspaceDestroy(2), 0);
    checkEqual("one more", vmspaceCreate(4, 0, 0), 0);
    setVm(VM_VKERNEL_SPACES, before);
    checkEqual("raised", vmspaceCreate(2, 0, 0), 0);
  });
  vkernelTest("vmspace-many", () => {
    makeImage();
    for (let n: u32 = 0; n < 100; n++) makeSpace(anyId(n));
    program(CALL);
    for (let n: u32 = 0; n < 100; n++) {
      resetFrame(frame);
      checkEqual("runs", runSpace(anyId(n)), 0);
    }
    for (let n: u32 = 0; n < 100; n++) checkEqual("destroyed", vmspaceDestroy(anyId(n)), 0);
  });
}

/** The n-th of a hundred ids without a pattern. */
function anyId(n: u32): usize {
  return (n * n * 2654435 + n) * PAGE;
}

function runCases(): void {
  vkernelTest("vmspace-run", () => {
    prepareSpace();
    program("b814000000cd80ebfe");                  // mov eax, 20 (getpid); int 0x80; jmp $
    checkStop("its system call", T_SYSCALL80);
    checkEqual("is not done", frame.eax as i32, 20);
    checkEqual("error code", frame.err as i32, 2);
    checkEqual("behind it", frame.eip as i32, (CODE + 7) as i32);
    checkEqual("stack", frame.esp as i32, STACK as i32);
  });
  vkernelTest("vmspace-bad-pointers", () => {
    prepareSpace();
    program(CALL);
    checkError("registers near zero", vmspaceCtl(SPACE, VMSPACE_CTL_RUN, LOW_ADDRESS, extAt()), EFAULT);
    checkError("registers in the kernel", vmspaceCtl(SPACE, VMSPACE_CTL_RUN, KERNEL_ADDRESS, extAt()), EFAULT);
    checkError("registers across the end", vmspaceCtl(SPACE, VMSPACE_CTL_RUN, 0xbfbfffc0, extAt()), EFAULT);
    checkError("descriptors in the kernel", vmspaceCtl(SPACE, VMSPACE_CTL_RUN, frameAt(), KERNEL_ADDRESS), EFAULT);
    checkError("descriptors near zero", vmspaceCtl(SPACE, VMSPACE_CTL_RUN, frameAt(), LOW_ADDRESS), EFAULT);
    checkError("a local table", vmspaceCtl(SPACE, VMSPACE_CTL_SETLDT, LOW_ADDRESS, 0), EFAULT);
    checkError("a wish", vmspaceCtl(SPACE, VMSPACE_CTL_RESUME, frameAt(), LOW_ADDRESS), EFAULT);
    checkError("ranges", vmspaceMcontrol(SPACE, LOW_ADDRESS, 1, MADV_INVALV, 0), EFAULT);
    checkStop("and it runs", T_SYSCALL80);
    checkEqual("and nobody is inside", vmspaceDestroy(SPACE), 0);
  });
  vkernelTest("vmspace-owner-registers", () => {
    prepareSpace();
    program("b8ffffffff89c389c189c289c689c789c5cd80");   // everything -1
    checkEqual("as before", runByHand() as i32, 1);
    check("the space had its own", frame.ebx == 0xffffffff && frame.ebp == 0xffffffff && frame.edi == 0xffffffff);
  });
  vkernelTest("vmspace-registers", () => {
    prepareSpace();
    program("01d801c801d001e801f001f8cd80");             // add eax: ebx ecx edx ebp esi edi
    frame.eax = 1;
    frame.ebx = 0x20;
    frame.ecx = 0x300;
    frame.edx = 0x4000;
    frame.ebp = 0x50000;
    frame.esi = 0x600000;
    frame.edi = 0x7000000;
    checkStop("sum", T_SYSCALL80);
    checkEqual("of what was given", frame.eax as i32, 0x7654321);
    check("and all come back", frame.ebx == 0x20 && frame.ecx == 0x300 && frame.edx == 0x4000 && frame.ebp == 0x50000 && frame.esi == 0x600000 && frame.edi == 0x7000000);
  });
  vkernelTest("vmspace-forced-state", () => {
    prepareSpace();
    program(CALL);
    frame.eflags = 0xfffffeff;                           // all but TF
    frame.cs = 8;
    frame.ss = 16;
    checkStop("kernel selectors and all flags", T_SYSCALL80);
    check("selectors", frame.cs == SEL_UCODE && frame.ds == SEL_UDATA && frame.es == SEL_UDATA && frame.ss == SEL_UDATA);
    checkEqual("privileged flags", (frame.eflags & 0x23202) as i32, 0x202);
    checkEqual("the others", (frame.eflags & 0x401) as i32, 0x401);
  });
  vkernelTest("vmspace-bad-selector", () => {
    prepareSpace();
    program(CALL);
    frame.gs = 0xffff;
    checkStop("garbage", T_PROTFLT);
    checkProgram("none", CALL, T_SYSCALL80);
  });
  vkernelTest("vmspace-tls", () => {
    prepareSpace();
    store<u32>(pageAt(DATA_PAGE), 0x5eed);
    ext.tls0lo = ((DATA & 0xffff) << 16) | 0xffff;
    ext.tls0hi = (DATA >>> 16) | 0x00cff300;
    program("65a100000000cd80");                         // mov eax, gs:[0]; int 0x80
    frame.gs = SEL_TLS0;
    checkStop("its word", T_SYSCALL80);
    checkEqual("at its base", frame.eax as i32, 0x5eed);
    checkError("and our errno is ours", vmspaceDestroy(UNKNOWN), ENOENT);
    ext.tls0hi = (DATA >>> 16) | 0x00cf9300;
    checkError("of ring 0", runSpace(SPACE), ENXIO);
    ext.tls0hi = (DATA >>> 16) | 0x00cffb00;
    checkError("code", runSpace(SPACE), ENXIO);
  });
  vkernelTest("vmspace-ldt", () => {
    prepareSpace();
    store<u32>(pageAt(DATA_PAGE), 0x5eed);
    program("65a100000000cd80");
    frame.gs = 0xa7;                                     // slot 20
    checkStop("beyond the kernel's", T_PROTFLT);
    checkEqual("set", setSlot(0x00cff300), 0);
    frame.eip = CODE;
    checkStop("its own", T_SYSCALL80);
    checkEqual("at its base", frame.eax as i32, 0x5eed);
    checkError("a gate", setSlot(0x0000ec00), EINVAL);
    ldtArgs.count = 0;
    checkEqual("taken away", vmspaceCtl(SPACE, VMSPACE_CTL_SETLDT, changetype<usize>(ldtArgs), 0), 0);
    frame.eip = CODE;
    checkStop("gone", T_PROTFLT);
  });
  vkernelTest("vmspace-fpu", () => {
    prepareSpace();
    asm`fninit
        fldpi`;
    program("d9e8db1d00000200cd80");                     // fld1; fistp dword [DATA]; int 0x80
    frame.xflags = PGEX_FPFAULT;
    checkStop("it wants the FPU", T_DNA);
    checkEqual("at that instruction", frame.eip as i32, CODE as i32);
    frame.xflags = 0;
    checkStop("it may have it", T_SYSCALL80);
    checkEqual("its number", load<i32>(pageAt(DATA_PAGE)), 1);
  });
  vkernelTest("vmspace-traps", () => {
    prepareSpace();
    checkProgram("hlt", "f4", T_PROTFLT);
    checkProgram("ud2", "0f0b", T_PRIVINFLT);
    checkProgram("division by zero", "31c9f7f1", T_DIVIDE);
    checkProgram("int3", "cc", T_BPTFLT);
    checkProgram("another gate", "cd21", T_PROTFLT);
  });
  vkernelTest("vmspace-single-step", () => {
    prepareSpace();
    program("9090cd80");
    frame.eflags = 0x100;
    checkStop("one instruction", T_TRCTRAP);
    checkEqual("behind it", frame.eip as i32, (CODE + 1) as i32);
    checkEqual("TF is clear", (frame.eflags & 0x100) as i32, 0);
    checkStop("the rest", T_SYSCALL80);
  });
  vkernelTest("vmspace-resume", () => {
    prepareSpace();
    checkProgram("there", LOAD, T_SYSCALL80);
    setVpte(DATA_PAGE, 0);
    words[0] = DATA;
    words[1] = PAGE;
    wish.vframe = extAt();
    wish.ranges = addressof(words);
    wish.count = 1;
    resetFrame(frame);
    checkEqual("a wish to forget", resume(), 0);
    checkEqual("forgotten", frame.trapno as i32, T_PAGEFLT as i32);
    setVpte(DATA_PAGE, DATA_PAGE * PAGE | VW);
    wish.count = 0;
    wish.enter = DATA | PROT_READ;
    checkEqual("a wish to enter", resume(), 0);
    checkEqual("entered", frame.trapno as i32, T_SYSCALL80 as i32);
    wish.enter = KERNEL_ADDRESS | PROT_READ;
    checkError("not in the kernel", resume(), EINVAL);
  });
}

function resume(): i32 {
  return vmspaceCtl(SPACE, VMSPACE_CTL_RESUME, frameAt(), changetype<usize>(wish));
}

/** A descriptor of DATA into slot 20 of SPACE's table. */
function setSlot(high: u32): i32 {
  words[0] = ((DATA & 0xffff) << 16) | 0xffff;
  words[1] = (DATA >>> 16) | high;
  ldtArgs.start = 20;
  ldtArgs.descriptors = addressof(words);
  ldtArgs.count = 1;
  return vmspaceCtl(SPACE, VMSPACE_CTL_SETLDT, changetype<usize>(ldtArgs), 0);
}

/** RUN with marks in every register that must survive; 1 when all have, eax is 0 and the carry clear. */
function runByHand(): u32 {
  const frameAddress = frameAt();
  const extAddress = extAt();
  let ok: u32 = 0;
  asm`push ebx
      push esi
      push edi
      push ebp
      push ${extAddress}
      push ${frameAddress}
      push 1
      push ${SPACE}
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
  return ok;
}

function memoryOfSpaces(): void {
  vkernelTest("vmspace-page-fault", () => {
    prepareSpace();
    setVpte(DATA_PAGE, 0);
    checkProgram("a load", LOAD, T_PAGEFLT);
    checkEqual("address", frame.err as i32, DATA as i32);
    checkEqual("of a read", frame.xflags as i32, PGEX_U as i32);
    checkEqual("at the instruction", frame.eip as i32, CODE as i32);
    checkProgram("a store", STORE, T_PAGEFLT);
    checkEqual("of a write", frame.xflags as i32, (PGEX_U | PGEX_W) as i32);
    setVpte(DATA_PAGE, DATA_PAGE * PAGE | VW);
    checkStop("the same again, there now", T_SYSCALL80);
    setVpte(DATA_PAGE, DATA_PAGE * PAGE | VPTE_V);
    forget(SPACE, DATA_PAGE);
    checkProgram("read-only, a load", LOAD, T_SYSCALL80);
    checkProgram("a store", STORE, T_PAGEFLT);
    checkEqual("of a page that is there", frame.xflags as i32, (PGEX_P | PGEX_U | PGEX_W) as i32);
  });
  vkernelTest("vmspace-accessed-modified", () => {
    prepareSpace();
    checkProgram("a load", LOAD, T_SYSCALL80);
    checkEqual("sets A", (vpte(DATA_PAGE) & 0x60) as i32, VPTE_A as i32);
    checkProgram("a store", STORE, T_SYSCALL80);
    checkEqual("sets M", (vpte(DATA_PAGE) & 0x60) as i32, (VPTE_A | VPTE_M) as i32);
  });
  vkernelTest("vmspace-isolation", () => {
    prepareSpace();
    area = anon(PAGE);
    store<u32>(area, 0x5ec7e7);
    program("8b00cd80");                                 // mov eax, [eax]; int 0x80
    frame.eax = area;
    checkStop("its owner's memory", T_PAGEFLT);
    checkEqual("address", frame.err as i32, area as i32);
    resetFrame(frame);
    frame.eax = KERNEL_ADDRESS;
    checkStop("the kernel's", T_PAGEFLT);
    checkEqual("address", frame.err as i32, KERNEL_ADDRESS as i32);
  });
  vkernelTest("vmspace-mmap", () => {
    prepareSpace();
    mapAnon(RW);
    checkProgram("memory of its own", "c705000000502a000000a100000050cd80", T_SYSCALL80);   // mov dword [FREE_AT], 42; mov eax, [FREE_AT]
    checkEqual("keeps what is stored", frame.eax as i32, 42);
    checkError("over the end", vmspaceMmap(SPACE, 0xbfbff000, 2 * PAGE, RW, MAP_FIXED | MAP_SHARED | MAP_ANON, -1, 0) as i32, EINVAL);
    checkError("read-only tree", vmspaceMmap(SPACE, 0x60000000, PAGE, PROT_READ, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE | MAP_ANON, -1, 0) as i32, EINVAL);
  });
  vkernelTest("vmspace-mmap-file", () => {
    prepareSpace();
    const fd = newFile("f");
    words[0] = 0x600df11e;
    extpwrite(fd, addressof(words), 4, 0, 0);
    checkEqual("mapped", vmspaceMmap(SPACE, FREE_AT, PAGE, RW, MAP_FIXED | MAP_SHARED, fd, 0) as i32, FREE_AT as i32);
    close(fd);
    checkProgram("loads from it", "a100000050cd80", T_SYSCALL80);
    checkEqual("its word", frame.eax as i32, 0x600df11e);
  });
  vkernelTest("vmspace-munmap", () => {
    prepareSpace();
    mapAnon(RW);
    checkProgram("there", "a100000050cd80", T_SYSCALL80);
    checkEqual("munmap", vmspaceMunmap(SPACE, FREE_AT, PAGE), 0);
    checkProgram("gone", "a100000050cd80", T_PAGEFLT);
    checkProgram("its neighbour", "a100100050cd80", T_SYSCALL80);
    checkError("in the kernel", vmspaceMunmap(SPACE, 0xc0000000, PAGE), EINVAL);
  });
  vkernelTest("vmspace-inval", () => {
    prepareSpace();
    checkProgram("there", LOAD, T_SYSCALL80);
    setVpte(DATA_PAGE, 0);
    forget(SPACE, DATA_PAGE);
    checkProgram("gone", LOAD, T_PAGEFLT);
    checkError("no such behaviour", vmspaceMcontrol(SPACE, DATA, PAGE, 12, 0), EINVAL);
  });
  vkernelTest("vmspace-inval-ranges", () => {
    prepareSpace();
    checkProgram("there", STORE, T_SYSCALL80);
    setVpte(DATA_PAGE, 0);
    words[0] = STACK;
    words[1] = PAGE;
    words[2] = DATA;
    words[3] = PAGE;
    checkEqual("two ranges", vmspaceMcontrol(SPACE, addressof(words), 2, MADV_INVALV, 0), 0);
    checkProgram("gone", LOAD, T_PAGEFLT);
    checkError("too many", vmspaceMcontrol(SPACE, addressof(words), 17, MADV_INVALV, 0), EINVAL);
  });
  vkernelTest("vmspace-setmap", () => {
    prepareSpace();
    store<u32>(pageAt(DATA_PAGE), 1);
    store<u32>(pageAt(DATA_PAGE + 1), 2);
    checkProgram("by the tree", LOAD, T_SYSCALL80);
    checkEqual("its page", frame.eax as i32, 1);
    memory.copy(pageAt(17), pageAt(16), PAGE);
    checkEqual("another root", vmspaceMcontrol(SPACE, 0, SPAN, MADV_SETMAP, VPTE_PS | VW | PAGE), 0);
    resetFrame(frame);
    checkStop("by the root", T_SYSCALL80);
    checkEqual("another page", frame.eax as i32, 2);
  });
  vkernelTest("vmspace-pread", () => {
    prepareSpace();
    fill(pageAt(DATA_PAGE), PAGE, 3);
    setVpte(DATA_PAGE + 1, (DATA_PAGE + 1) * PAGE | VW);
    area = anon(2 * PAGE);
    checkEqual("across two pages", vmspacePread(SPACE, area, PAGE + 100, DATA), (PAGE + 100) as i32);
    check("the bytes", isFilled(area, PAGE, 3) && isZero(area + PAGE, 100));
    checkError("where nothing is", vmspacePread(SPACE, area, 4, DATA + 5 * PAGE), EFAULT);
    checkError("to the kernel", vmspacePread(SPACE, KERNEL_ADDRESS, 4, DATA), EFAULT);
    checkError("beyond user space", vmspacePread(SPACE, area, 4, 0xc0000000), EINVAL);
  });
  vkernelTest("vmspace-pwrite", () => {
    prepareSpace();
    area = anon(PAGE);
    fill(area, PAGE, 5);
    checkEqual("a page", vmspacePwrite(SPACE, area, PAGE, DATA), PAGE as i32);
    check("the bytes", isFilled(pageAt(DATA_PAGE), PAGE, 5));
    checkEqual("sets M", (vpte(DATA_PAGE) & 0x60) as i32, (VPTE_A | VPTE_M) as i32);
    mapAnon(PROT_READ);
    checkError("read-only memory", vmspacePwrite(SPACE, area, 4, FREE_AT), EFAULT);
    checkError("from the kernel", vmspacePwrite(SPACE, KERNEL_ADDRESS, 4, DATA), EFAULT);
  });
  vkernelTest("vmspace-two-spaces-same-page", () => {
    prepareSpace();
    makeSpace(2);
    program(STORE);
    frame.eax = 77;
    checkStop("one stores", T_SYSCALL80);
    program(LOAD);
    checkEqual("the other", runSpace(2), 0);
    checkEqual("sees it", frame.eax as i32, 77);
    checkEqual("one goes", vmspaceDestroy(SPACE), 0);
    resetFrame(frame);
    checkEqual("the other", runSpace(2), 0);
    checkEqual("still sees it", frame.eax as i32, 77);
  });
}

function spinInside(): i32 {
  program(LOAD_ON);
  return runSpace(SPACE) == 0 && frame.trapno == T_PAGEFLT ? 0 : 1;
}

/** A thread with registers of its own: runs a space until it has counted down and calls; 0 if these are its registers then. */
function runAlone(what: usize): usize {
  const mine = new TrapFrame();
  resetFrame(mine);
  mine.ecx = (what >>> 16) * 1000;
  mine.esi = what;
  if (vmspaceCtl(what & 0xffff, VMSPACE_CTL_RUN, changetype<usize>(mine), extAt()) != 0 || mine.trapno != T_SYSCALL80) return 1;
  return mine.ecx == 0 && mine.esi == what ? 0 : 2;
}

/** Such a thread in space `id`, which counts so many thousands. */
function start(id: usize, thousands: u32): Thread {
  const thread = threadCreate(runAlone, id | (thousands << 16));
  check("threadCreate", thread != null);
  return thread!;
}

function processCasesOfSpaces(): void {
  vkernelTest("vmspace-busy", () => {
    prepareSpace();
    const pid = spawn(spinInside);
    sleepMs(30);
    checkError("somebody is inside", vmspaceDestroy(SPACE), EBUSY);
    setVpte(DATA_PAGE, 0);
    forget(SPACE, DATA_PAGE);
    checkEqual("out by a fault", statusOf(pid), 0);
    checkEqual("nobody is", vmspaceDestroy(SPACE), 0);
  });
  vkernelTest("vmspace-fork-shares", () => {
    prepareSpace();
    program(CALL);
    checkChild("a child's are ours", () => vmspaceCreate(2, 0, 0) == 0 && runSpace(SPACE) == 0 ? 0 : 1);
    checkError("all of them", vmspaceCreate(2, 0, 0), EEXIST);
    checkStop("and outlive it", T_SYSCALL80);
  });
  vkernelTest("vmspace-exec-has-none", () => {
    prepareSpace();
    checkEqual("EINVAL", asked("vmspace", SPACE as i32), EINVAL << 8);
    program(CALL);
    checkStop("ours is still there", T_SYSCALL80);
  });
  vkernelTest("vmspace-exit-frees", () => {
    inChild(ownsMuch);
    const before = freePages();
    for (let i: i32 = 0; i < 5; i++) checkChild("a child with spaces", ownsMuch);
    check("nothing is lost", freePages() > before - 16);
  });
  vkernelTest("vmspace-killed-inside", () => {
    prepareSpace();
    const pid = spawn(spinInside);
    sleepMs(30);
    kill(pid, SIGKILL);
    checkEqual("dead", statusOf(pid), SIGKILL);
    checkEqual("nobody is inside", vmspaceDestroy(SPACE), 0);
  });
  vkernelTest("vmspace-signal", () => {
    prepareSpace();
    handle(SIGALRM, codeof(count), 0);
    program(COUNT_ON);
    alarmAfter(30, 0);
    checkStop("a signal ends the run", 0);
    checkEqual("the handler ran", caught, 1);
    const before = frame.ecx;
    check("in the loop", before > 0 && (frame.eip == CODE || frame.eip == CODE + 1));
    alarmAfter(30, 0);
    checkStop("again", 0);
    check("it went on", frame.ecx > before);
  });
  vkernelTest("vmspace-signal-masked", () => {
    prepareSpace();
    handle(SIGALRM, codeof(count), 0);
    setMask(bit(SIGALRM));
    kill(getpid(), SIGALRM);
    checkProgram("a masked signal", "b900000100e2fecd80", T_SYSCALL80);   // mov ecx, 65536; loop $
    checkEqual("ends no run", caught, 0);
    setMask(0);
    checkEqual("and comes later", caught, 1);
  });
  vkernelTest("vmspace-preemption", () => {
    prepareSpace();
    area = sharedMemory(8);
    const pid = spawn(() => {
      for (;;) store<i32>(area, load<i32>(area) + 1);
      return 0;
    });
    checkProgram("a long run", "b900008000e2fecd80", T_SYSCALL80);        // mov ecx, 8 Mi; loop $
    kill(pid, SIGKILL);
    statusOf(pid);
    check("others ran, and it was not ended", load<i32>(area) > 1000);
  });
  vkernelTest("vmspace-threads", () => {
    prepareSpace();
    makeSpace(2);
    program("e2fecd80");                                  // loop $; int 0x80
    const first = start(SPACE, 6000);                     // longer than a turn
    const second = start(2, 300);
    const third = start(SPACE, 200);
    checkEqual("one in a space", threadJoin(first) as i32, 0);
    checkEqual("one in another", threadJoin(second) as i32, 0);
    checkEqual("two in the same", threadJoin(third) as i32, 0);
  });
}

/** Two spaces and a hundred pages of memory in them. */
function ownsMuch(): i32 {
  makeImage();
  makeSpace(1);
  makeSpace(2);
  area = anon(PAGE);
  for (let i: u32 = 0; i < 50; i++) {
    if (vmspaceMmap(1, FREE_AT + i * PAGE, PAGE, RW, MAP_FIXED | MAP_SHARED | MAP_ANON, -1, 0) != FREE_AT + i * PAGE) return 1;
    if (vmspacePwrite(1, area, 4, FREE_AT + i * PAGE) != 4) return 2;
  }
  return 0;
}

export function vmspaceCases(): void {
  nameCases();
  runCases();
  memoryOfSpaces();
  processCasesOfSpaces();
}
