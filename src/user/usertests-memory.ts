// Cases about memory: the heap, anonymous and file mappings, protections, copy-on-write, what madvise and msync do, and that
// memory which is given back can be used again.

import { EACCES, EBADF, EFAULT, EINVAL, ENODEV, ENOMEM } from '../abi/errno.ts';
import { CTL_HW, HW_USERMEM, O_RDONLY, O_RDWR, O_WRONLY, SEEK_SET } from '../abi/file.ts';
import { MADV_FREE, MADV_WILLNEED, MAP_ANON, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MAP_STACK, PROT_READ, VM_MAX_USER_ADDRESS } from '../abi/mman.ts';
import { SEGV_ACCERR, SEGV_MAPERR } from '../abi/signal.ts';
import { TlsInfo } from '../abi/time.ts';
import { brk, close, extpread, extpwrite, ftruncate, getTlsArea, lseek, madvise, mmap, mprotect, msync, munmap, open, pipe, read, setTlsArea,
  sysctl, syscall8, unlink, write, getpid } from '../libc/sys.ts';
import { ENOENT, ERANGE } from '../abi/errno.ts';
import { alarmAfter, anon, catchFaults, check, checkChild, checkEqual, checkError, checkText, fill, get, handle, inChild, isFilled, isZero, lastFaultCode,
  milliseconds, must, newFile, PAGE, peek, poke, put, RW, sharedMemory, sleepMs, spawn, statusOf, test } from './usertests-harness.ts';
import { SIGALRM, SA_RESTART } from '../abi/signal.ts';

/** Between the heap and the mappings, below the stack: never mapped here. */
const NOWHERE: usize = 0x70000000;
let area: usize = 0;
let other: usize = 0;
let fd: i32 = -1;
let fds!: FixedArray<i32, 2>;
let name!: FixedArray<i32, 2>;
let words!: FixedArray<u32, 4>;
let info!: Embed<TlsInfo>;
let point: f64 = 0.0;
/** Data of the program with a page in the middle that nobody else stores to. */
let bulk!: FixedArray<i32, 3072>;
const MIDDLE: i32 = 1536;

/** Pages that nobody uses. */
export function freePages(): i32 {
  name[0] = CTL_HW;
  name[1] = HW_USERMEM;
  words[0] = 4;
  words[1] = 0;
  sysctl(addressof(name), 2, addressof(words) + 4, addressof(words), 0, 0);
  return (words[1] / PAGE) as i32;
}

/** mmap's answer as the other calls give it: -1 with errno, or not. */
function map(at: usize, bytes: u32, prot: i32, flags: i32, file: i32, offset: u32): i32 {
  return mmap(at, bytes, prot, flags, file, offset) as i32;
}

function heapEnd(): usize {
  return (linkerSymbol("_end") + 0x1000000) & 0xfffff000;
}

function heapCases(): void {
  test("brk-grows", () => {
    const end = heapEnd();
    must("brk", brk(end));
    check("zero-filled", isZero(end - 2 * PAGE, 2 * PAGE));
    store<u8>(end - 1, 7);
    checkEqual("writable to the last byte", load<u8>(end - 1) as i32, 7);
  });
  test("brk-shrinks", () => {
    const end = heapEnd();
    brk(end);
    store<u8>(end - PAGE, 7);
    must("brk", brk(end - 4 * PAGE));
    catchFaults();
    checkEqual("gone", peek(end - PAGE), -1);
    must("again", brk(end));
    checkEqual("zero again", peek(end - PAGE), 0);
  });
  test("brk-errors", () => {
    checkError("below the program", brk(0x1000), EINVAL);
    checkError("too much", brk(0xb0000000), ENOMEM);
    checkEqual("the process goes on", inChild(() => 0), 0);
  });
  test("brk-of-child", () => {
    const end = heapEnd();
    brk(end);
    store<u8>(end - 1, 3);
    area = end;
    checkChild("has the heap", () => {
      const same = load<u8>(area - 1) == 3;
      brk(area - 4 * PAGE);
      return same ? 0 : 1;
    });
    checkEqual("and shrinks its own", load<u8>(end - 1) as i32, 3);
  });
}

function anonymousCases(): void {
  test("mmap-anonymous", () => {
    area = anon(5 * PAGE);
    check("zero-filled", isZero(area, 5 * PAGE));
    fill(area, 5 * PAGE, 1);
    check("keeps what is stored", isFilled(area, 5 * PAGE, 1));
    other = anon(PAGE);
    check("another place", other >= area + 5 * PAGE || other + PAGE <= area);
    check("page-aligned", (area & 4095) == 0 && (other & 4095) == 0);
  });
  test("mmap-errors", () => {
    checkError("no length", map(0, 0, RW, MAP_ANON | MAP_PRIVATE, -1, 0), EINVAL);
    checkError("odd offset", map(0, PAGE, RW, MAP_PRIVATE, 0, 100), EINVAL);
    checkError("fixed at an odd place", map(0x10000100, PAGE, RW, MAP_ANON | MAP_FIXED, -1, 0), EINVAL);
    checkError("fixed in the kernel", map(0xc0000000, PAGE, RW, MAP_ANON | MAP_FIXED, -1, 0), EINVAL);
    checkError("fixed around the end", map(VM_MAX_USER_ADDRESS - PAGE, 2 * PAGE, RW, MAP_ANON | MAP_FIXED, -1, 0), EINVAL);
    checkError("bad descriptor", map(0, PAGE, RW, MAP_PRIVATE, 60, 0), EBADF);
    checkError("bad protection", map(0, PAGE, 0x77, MAP_ANON | MAP_PRIVATE, -1, 0), EINVAL);
    checkError("more than there is", map(0, 0xf0000000, RW, MAP_ANON | MAP_PRIVATE, -1, 0), ENOMEM);
  });
  test("mmap-fixed-replaces", () => {
    area = anon(3 * PAGE);
    fill(area, 3 * PAGE, 2);
    checkEqual("same place", map(area + PAGE, PAGE, RW, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0), (area + PAGE) as i32);
    check("new in the middle", isZero(area + PAGE, PAGE));
    check("old at both sides", load<u8>(area + 4) == 30 && load<u8>(area + 2 * PAGE + 4) != 0);
  });
  test("munmap-middle", () => {
    catchFaults();
    area = anon(3 * PAGE);
    fill(area, 3 * PAGE, 0);
    must("munmap", munmap(area + PAGE, PAGE));
    checkEqual("gone", peek(area + PAGE), -1);
    checkEqual("its last byte", peek(area + 2 * PAGE - 1), -1);
    check("before", peek(area + PAGE - 1) >= 0);
    other = peek(area + 2 * PAGE) as usize;
    check("behind", (other as i32) >= 0);
    checkChild("a child has both", () => peek(area) == 0 && peek(area + PAGE) == -1 && peek(area + 2 * PAGE) == (other as i32) ? 0 : 1);
    must("again is no error", munmap(area + PAGE, PAGE));
    checkError("in the kernel", munmap(0xc0000000, PAGE), EINVAL);
  });
  test("munmap-many-pieces", () => {
    catchFaults();
    area = anon(64 * PAGE);
    fill(area, 64 * PAGE, 0);
    for (let i: u32 = 0; i < 64; i += 2) must("munmap", munmap(area + i * PAGE, PAGE));
    for (let i: u32 = 0; i < 64; i++) check("every second page", (peek(area + i * PAGE) == -1) == (i % 2 == 0));
    must("all", munmap(area, 64 * PAGE));
    for (let i: u32 = 0; i < 64; i++) checkEqual("none", peek(area + i * PAGE), -1);
  });
  test("mmap-many", () => {
    // Three hundred mappings with a hole behind each.
    area = anon(600 * PAGE);
    for (let i: u32 = 0; i < 300; i++) {
      store<u32>(area + 2 * i * PAGE, i);
      must("munmap", munmap(area + (2 * i + 1) * PAGE, PAGE));
    }
    checkChild("a child has them all", () => {
      let same: u32 = 0;
      for (let i: u32 = 0; i < 300; i++) if (load<u32>(area + 2 * i * PAGE) == i) same++;
      return same == 300 ? 0 : 1;
    });
  });
  test("mmap-stack", () => {
    area = mmap(0, 16 * PAGE, RW, MAP_STACK | MAP_ANON | MAP_PRIVATE, -1, 0);
    must("mmap", area as i32);
    catchFaults();
    check("from the top down", poke(area + 16 * PAGE - 4, 1) && poke(area + 12 * PAGE, 1) && poke(area + 4, 1));
  });
  test("memory-comes-back", () => {
    const before = freePages();
    area = anon(200 * PAGE);
    memory.fill(area, 1, 200 * PAGE);
    check("is used", freePages() < before - 190);
    munmap(area, 200 * PAGE);
    check("is free again", freePages() > before - 10);
  });
  test("memory-of-the-dead", () => {
    inChild(() => 0);
    const before = freePages();
    for (let i: i32 = 0; i < 20; i++) {
      inChild(() => {
        memory.fill(anon(100 * PAGE), 1, 100 * PAGE);
        return 0;
      });
    }
    check("nothing is lost", freePages() > before - 16);
  });
  test("madvise-free", () => {
    area = anon(4 * PAGE);
    fill(area, 4 * PAGE, 1);
    must("MADV_FREE", madvise(area, 4 * PAGE, MADV_FREE));
    must("MADV_WILLNEED", madvise(area, 4 * PAGE, MADV_WILLNEED));
    fill(area, 4 * PAGE, 2);
    check("can be used again", isFilled(area, 4 * PAGE, 2));
    checkError("unknown", madvise(area, PAGE, 99), EINVAL);
  });
}

function copyCases(): void {
  test("cow-both-ways", () => {
    area = anon(2 * PAGE);
    store<i32>(area, 111);
    store<i32>(area + PAGE, 222);
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    const pid = spawn(() => {
      read(fds[0], area + 64, 1);
      const kept = load<i32>(area) == 111;
      store<i32>(area + PAGE, 9);
      return kept ? 0 : 1;
    });
    store<i32>(area, 1);
    write(fds[1], area, 1);
    checkEqual("the child keeps the old page", statusOf(pid), 0);
    checkEqual("the parent its own", load<i32>(area + PAGE), 222);
  });
  test("cow-generations", () => {
    area = anon(PAGE);
    store<i32>(area, 1);
    checkChild("grandchildren", () => {
      store<i32>(area, 2);
      const status = inChild(() => {
        const seen = load<i32>(area);
        store<i32>(area, 3);
        return seen == 2 ? 0 : 1;
      });
      return status == 0 && load<i32>(area) == 2 ? 0 : 1;
    });
    checkEqual("parent", load<i32>(area), 1);
  });
  test("cow-by-system-call", () => {
    // The kernel's own stores break copy-on-write, too.
    area = anon(PAGE);
    store<i32>(area, 5);
    put("f", "ABCD");
    checkChild("read into a shared page", () => read(open("f", O_RDONLY, 0), area, 4) == 4 && load<u8>(area) == 65 ? 0 : 1);
    checkEqual("the parent's page", load<i32>(area), 5);
  });
  test("cow-many-pages", () => {
    area = anon(100 * PAGE);
    fill(area, 100 * PAGE, 4);
    for (let i: i32 = 0; i < 5; i++) {
      checkChild("a child that writes all", () => {
        const before = isFilled(area, 100 * PAGE, 4);
        fill(area, 100 * PAGE, 5);
        return before && isFilled(area, 100 * PAGE, 5) ? 0 : 1;
      });
    }
    check("the parent's", isFilled(area, 100 * PAGE, 4));
  });
  test("shared-anonymous", () => {
    area = sharedMemory(2 * PAGE);
    store<i32>(area, 66);
    checkChild("the child sees", () => {
      store<i32>(area + PAGE, 77);
      return load<i32>(area) == 66 ? 0 : 1;
    });
    checkEqual("the parent sees", load<i32>(area + PAGE), 77);
  });
  test("cow-of-data-segment", () => {
    bulk[MIDDLE] = 1;
    checkEqual("a program's own data", inChild(() => {
      bulk[MIDDLE] = 12345;
      const status = inChild(() => {
        const same = bulk[MIDDLE] == 12345;
        bulk[MIDDLE] = 54321;
        return same ? 0 : 1;
      });
      return status == 0 && bulk[MIDDLE] == 12345 ? 0 : 1;
    }), 0);
    checkEqual("in the parent as it was", bulk[MIDDLE], 1);
  });
}

function fileMapCases(): void {
  test("mmap-file-shared", () => {
    fd = newFile("f");
    ftruncate(fd, 3 * PAGE);
    area = mmap(0, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    store<i32>(area + PAGE, 1234);
    other = anon(PAGE);
    extpread(fd, other, 4, 0, PAGE as i64);
    checkEqual("read sees a store", load<i32>(other), 1234);
    store<i32>(other, 4321);
    extpwrite(fd, other, 4, 0, (2 * PAGE) as i64);
    checkEqual("the mapping sees a write", load<i32>(area + 2 * PAGE), 4321);
    checkChild("a child's store", () => {
      store<i32>(area, 99);
      return 0;
    });
    checkEqual("is seen", load<i32>(area), 99);
  });
  test("mmap-file-private", () => {
    put("f", "original");
    fd = open("f", O_RDONLY, 0);
    area = mmap(0, PAGE, RW, MAP_PRIVATE, fd, 0);
    store<u8>(area, 88);
    checkEqual("stored", load<u8>(area) as i32, 88);
    checkText("not in the file", get("f"), "original");
    checkChild("nor in a child", () => {
      store<u8>(area, 89);
      return 0;
    });
    checkEqual("as it was", load<u8>(area) as i32, 88);
  });
  test("mmap-file-offset", () => {
    fd = newFile("f");
    other = anon(PAGE);
    for (let i: u32 = 0; i < 4; i++) {
      memory.fill(other, (65 + i) as u8, PAGE);
      write(fd, other, PAGE);
    }
    area = mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
    checkEqual("third page", load<u8>(area) as i32, 67);
    check("a whole page of it", load<u8>(area + PAGE - 1) == 67);
  });
  test("mmap-file-end", () => {
    catchFaults();
    put("f", "12345");
    fd = open("f", O_RDWR, 0);
    area = mmap(0, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    checkEqual("zeros behind the end in its page", peek(area + 5), 0);
    check("stores there are not the file's", poke(area + 10, 7));
    checkText("size stays", get("f"), "12345");
    checkEqual("a page behind the end", peek(area + PAGE), -1);
  });
  test("mmap-file-grows", () => {
    catchFaults();
    put("f", "x");
    fd = open("f", O_RDWR, 0);
    area = mmap(0, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    checkEqual("at first", peek(area + PAGE), -1);
    ftruncate(fd, 2 * PAGE);
    checkEqual("then", peek(area + PAGE), 0);
    check("writable", poke(area + PAGE, 5));
    ftruncate(fd, 1);
    checkEqual("and no more", peek(area + PAGE), -1);
  });
  test("mmap-outlives-descriptor", () => {
    put("f", "still");
    fd = open("f", O_RDWR, 0);
    area = mmap(0, PAGE, RW, MAP_SHARED, fd, 0);
    close(fd);
    unlink("f");
    checkEqual("contents", load<u8>(area) as i32, 115);
    store<u8>(area, 83);
    checkEqual("stores", load<u8>(area) as i32, 83);
  });
  test("mmap-file-persists", () => {
    fd = newFile("f");
    ftruncate(fd, 2 * PAGE);
    area = mmap(0, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    store<i32>(area + PAGE, 31337);
    must("msync", msync(area, 2 * PAGE, 0));
    munmap(area, 2 * PAGE);
    close(fd);
    fd = open("f", O_RDONLY, 0);
    lseek(fd, PAGE as i32, SEEK_SET);
    other = anon(8);
    read(fd, other, 4);
    checkEqual("after munmap", load<i32>(other), 31337);
    checkError("msync of nothing", msync(NOWHERE, PAGE, 0), ENOMEM);
  });
  test("mmap-file-access", () => {
    put("f", "text");
    fd = open("f", O_RDONLY, 0);
    checkError("shared for writing, read-only descriptor", map(0, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
    area = mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    checkError("mprotect can't add it", mprotect(area, PAGE, RW), EACCES);
    fd = open("f", O_WRONLY, 0);
    checkError("write-only descriptor", map(0, PAGE, PROT_READ, MAP_SHARED, fd, 0), EACCES);
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    checkError("a pipe", map(0, PAGE, PROT_READ, MAP_SHARED, fds[0], 0), ENODEV);
    checkError("a directory", map(0, PAGE, PROT_READ, MAP_SHARED, open(".", O_RDONLY, 0), 0), EINVAL);
  });
  test("mmap-dev-zero", () => {
    area = mmap(0, PAGE, RW, MAP_PRIVATE, open("/dev/zero", O_RDWR, 0), 0);
    check("zeros", isZero(area, PAGE));
    store<u8>(area, 1);
    checkError("/dev/null", map(0, PAGE, RW, MAP_PRIVATE, open("/dev/null", O_RDWR, 0), 0), ENODEV);
  });
  test("mmap-write-from-mapping", () => {
    // A system call whose buffer is a page of the file that it writes.
    fd = newFile("f");
    ftruncate(fd, 4 * PAGE);
    area = mmap(0, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    fill(area, PAGE, 6);
    checkEqual("write", extpwrite(fd, area, PAGE, 0, (2 * PAGE) as i64), PAGE as i32);
    check("copied", isFilled(area + 2 * PAGE, PAGE, 6));
    checkEqual("read", extpread(fd, area + 3 * PAGE, PAGE, 0, 0), PAGE as i32);
    check("copied", isFilled(area + 3 * PAGE, PAGE, 6));
    checkEqual("write from a page that is not there yet", extpwrite(fd, area + PAGE, PAGE, 0, (3 * PAGE) as i64), PAGE as i32);
    check("zeros", isZero(area + 3 * PAGE, PAGE));
  });
}

function protectionCases(): void {
  test("mprotect-read-only", () => {
    catchFaults();
    area = anon(3 * PAGE);
    fill(area, 3 * PAGE, 0);
    must("mprotect", mprotect(area + PAGE, PAGE, PROT_READ));
    check("store fails", !poke(area + PAGE, 1));
    checkEqual("with the right code", lastFaultCode(), SEGV_ACCERR);
    check("load works", peek(area + PAGE) >= 0);
    check("neighbours", poke(area + PAGE - 1, 1) && poke(area + 2 * PAGE, 1));
    must("back", mprotect(area + PAGE, PAGE, RW));
    check("store works", poke(area + PAGE, 1));
  });
  test("mprotect-none", () => {
    catchFaults();
    area = anon(PAGE);
    store<u8>(area, 5);
    must("mprotect", mprotect(area, PAGE, 0));
    checkEqual("load fails", peek(area), -1);
    mprotect(area, PAGE, PROT_READ);
    checkEqual("contents are kept", peek(area), 5);
  });
  test("mprotect-child", () => {
    catchFaults();
    area = anon(PAGE);
    store<u8>(area, 5);
    mprotect(area, PAGE, PROT_READ);
    checkChild("inherited", () => poke(area, 1) ? 1 : 0);
    mprotect(area, PAGE, RW);
    checkChild("copy-on-write afterwards", () => poke(area, 1) ? 0 : 1);
    checkEqual("parent's page", peek(area), 5);
  });
  test("mprotect-system-call", () => {
    area = anon(PAGE);
    store<u8>(area, 5);
    mprotect(area, PAGE, PROT_READ);
    put("f", "x");
    checkError("the kernel respects it", read(open("f", O_RDONLY, 0), area, 1), EFAULT);
    checkError("bad protection", mprotect(area, PAGE, 0x70), EINVAL);
  });
  test("fault-codes", () => {
    catchFaults();
    checkEqual("nothing there", peek(NOWHERE), -1);
    checkEqual("code", lastFaultCode(), SEGV_MAPERR);
    checkEqual("kernel", peek(0xc0000000), -1);
    checkEqual("last page of the user part", peek(VM_MAX_USER_ADDRESS), -1);
  });
  test("read-across-pages", () => {
    area = anon(3 * PAGE);
    fill(area, 3 * PAGE, 8);
    other = area + PAGE - 2;
    checkChild("an unaligned word", () => load<u32>(other) == wordOfBytes(other) ? 0 : 1);
    checkChild("stored", () => {
      store<u32>(other, 0x01020304);
      return load<u8>(other) == 4 && load<u8>(other + 3) == 1 ? 0 : 1;
    });
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    checkEqual("written", write(fds[1], other, 4), 4);
    checkChild("read to where only the parent's pages are", () => {
      const before = wordOfBytes(other);
      return read(fds[0], other + PAGE, 4) == 4 && wordOfBytes(other + PAGE) == before ? 0 : 1;
    });
    check("the parent's", isFilled(area, 3 * PAGE, 8));
  });
}

function wordOfBytes(at: usize): u32 {
  let value: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) value |= (load<u8>(at + i) as u32) << (8 * i);
  return value;
}

function contextCases(): void {
  test("fpu-two-processes", () => {
    const pid = spawn(() => fpuKeeps(1.5));
    const mine = fpuKeeps(2.5);
    checkEqual("the other's", statusOf(pid), 0);
    checkEqual("this one's", mine, 0);
  });
  test("fpu-handler", () => {
    handle(SIGALRM, codeof(usesFpu), SA_RESTART);
    alarmAfter(10, 10);
    const kept = fpuKeeps(3.5);
    alarmAfter(0, 0);
    checkEqual("a handler's registers are its own", kept, 0);
  });
  test("fpu-fork", () => {
    point = 4.25;
    const at = addressof(point);
    asm`mov eax, ${at}
        fld qword ptr [eax]`;
    const pid = spawn(() => {
      const to = addressof(point);
      point = 0.0;
      asm`mov eax, ${to}
          fstp qword ptr [eax]`;
      return point == 4.25 ? 0 : 1;
    });
    asm`fstp st(0)`;
    checkEqual("the child has them", statusOf(pid), 0);
  });
  test("fpu-control-word", () => {
    words[0] = 0;
    const at = addressof(words);
    asm`mov eax, ${at}
        fnstcw word ptr [eax]`;
    checkEqual("at first", words[0] as i32, 0x127f);
    words[0] = 0x0f7f;
    asm`mov eax, ${at}
        fldcw word ptr [eax]`;
    sleepMs(30);
    asm`mov eax, ${at}
        fnstcw word ptr [eax]`;
    checkEqual("kept over a sleep", words[0] as i32, 0x0f7f);
  });
  test("fpu-many", () => {
    for (let i: i32 = 0; i < 6; i++) spawn(() => fpuKeeps((getpid() as f64) + 0.5));
    for (let i: i32 = 0; i < 6; i++) checkEqual("everybody's", waitAny(), 0);
  });
  test("tls", () => {
    words[0] = 0x12345678;
    info.base = addressof(words);
    info.size = 16;
    checkEqual("selector of slot 1", setTlsArea(1, addressof(info), 8), 0x83);
    checkEqual("the word at its base", tlsWord() as i32, 0x12345678);
    sleepMs(20);
    checkEqual("after a sleep", tlsWord() as i32, 0x12345678);
    checkChild("a child has it", () => tlsWord() == 0x12345678 ? 0 : 1);
    info.base = 0;
    must("get", getTlsArea(1, addressof(info), 8));
    checkEqual("base", info.base as i32, addressof(words) as i32);
    checkEqual("size", info.size, 16);
  });
  test("tls-errors", () => {
    checkError("slot 3", setTlsArea(3, addressof(info), 8), ERANGE);
    checkError("empty slot", getTlsArea(2, addressof(info), 8), ENOENT);
    checkError("bad pointer", setTlsArea(1, 0xc0100000, 8), EFAULT);
    info.size = -5;
    checkError("bad size", setTlsArea(1, addressof(info), 8), EINVAL);
  });
  test("tls-of-each", () => {
    // Two processes, the same slot, different bases; %fs must follow every switch.
    for (let i: u32 = 0; i < 4; i++) words[i] = 100 + i;
    const pid = spawn(() => tlsKeeps(1));
    const mine = tlsKeeps(2);
    checkEqual("the other's", statusOf(pid), 0);
    checkEqual("this one's", mine, 0);
  });
  test("tls-limit", () => {
    words[0] = 1;
    info.base = addressof(words);
    info.size = 3;
    setTlsArea(1, addressof(info), 8);
    check("beyond it is a fault", inChild(() => {
      asm`mov eax, 0x83
          mov fs, ax
          mov eax, fs:[64]`;
      return 0;
    }) != 0);
  });
}

function waitAny(): i32 {
  words[3] = 77;
  syscall8(7, 0xffffffff, addressof(words) + 12, 0, 0, 0, 0, 0, 0);
  return words[3] as i32;
}

function tlsWord(): u32 {
  let value: u32 = 0;
  asm`mov eax, 0x83
      mov fs, ax
      mov eax, fs:[0]
      mov ${value}, eax`;
  return value;
}

function tlsKeeps(index: u32): i32 {
  info.base = addressof(words) + index * 4;
  info.size = 4;
  setTlsArea(1, addressof(info), 8);
  let value: u32 = 0;
  asm`mov eax, 0x83
      mov fs, ax`;
  const until = milliseconds() + 100;
  while (milliseconds() < until) {
    asm`mov eax, fs:[0]
        mov ${value}, eax`;
    if (value != 100 + index) return 1;
  }
  return 0;
}

function fpuKeeps(value: f64): i32 {
  point = value;
  const at = addressof(point);
  asm`fninit
      mov eax, ${at}
      fld qword ptr [eax]`;
  const until = milliseconds() + 120;
  while (milliseconds() < until) continue;
  point = 0.0;
  asm`mov eax, ${at}
      fstp qword ptr [eax]`;
  return point == value ? 0 : 1;
}

function usesFpu(_sig: i32): void {
  words[0] = 7;
  const at = addressof(words);
  asm`mov eax, ${at}
      fninit
      fldpi
      fldpi
      fldpi
      fistp dword ptr [eax]`;
}

export function memoryCases(): void {
  heapCases();
  anonymousCases();
  copyCases();
  fileMapCases();
  protectionCases();
  contextCases();
}
