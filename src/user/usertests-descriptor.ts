// Cases about descriptors: dup, fcntl, limits, pipes, the terminal, and the calls that report on the system.

import { EAGAIN, EBADF, EFAULT, EINVAL, EMFILE, ENOENT, ENOMEM, ENOTTY, EPERM, EPIPE, ESPIPE } from '../abi/errno.ts';
import { CTL_HW, CTL_KERN, F_DUPFD, F_GETFD, F_GETFL, F_SETFD, F_SETFL, FD_CLOEXEC, HW_PHYSMEM, HW_SYSENTER, HW_USERMEM, KERN_OSTYPE, KERN_PROC, KInfoProc, LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN,
  O_APPEND, O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY, S_IFIFO, S_IFMT, SEEK_CUR, SEEK_SET, Stat, Termios, TIOCGETA, TIOCGWINSZ } from '../abi/file.ts';
import { SIG_IGN, SIGPIPE } from '../abi/signal.ts';
import { Sys } from '../abi/syscalls.ts';
import { CLOCK_REALTIME, Timespec, Timeval } from '../abi/time.ts';
import { stringAt } from '../libc/strings.ts';
import { _exit, clockGettime, close, closefrom, dup, dup2, fcntl, flock, fork, fstat, getpid, gettimeofday, ioctl, lseek, open, pipe, read, sysctl, uname, wait4,
  write } from '../libc/sys.ts';
import { anon, check, checkChild, checkEqual, checkError, checkText, fill, handle, inChild, isFilled, KERNEL_ADDRESS, milliseconds, must, newFile, put, sharedMemory,
  sleepMs, spawn, statusOf, test } from './usertests-harness.ts';

let fds!: FixedArray<i32, 2>;
let st!: Embed<Stat>;
let termios!: Embed<Termios>;
let name!: FixedArray<i32, 2>;
let length!: FixedArray<u32, 1>;
let word!: FixedArray<i32, 2>;
let time!: Embed<Timespec>;
let day!: Embed<Timeval>;
let area: usize = 0;
let fd: i32 = -1;

function makePipe(): void {
  must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
}

function isOpen(n: i32): bool {
  return fcntl(n, F_GETFD, 0) != -1;
}

function descriptorTable(): void {
  test("fd-lowest-free", () => {
    put("f", "");
    const a = open("f", O_RDONLY, 0);
    const b = open("f", O_RDONLY, 0);
    checkEqual("next", b, a + 1);
    close(a);
    checkEqual("the gap", open("f", O_RDONLY, 0), a);
  });
  test("fd-closed", () => {
    checkError("close", close(40), EBADF);
    checkError("read", read(40, anon(8), 1), EBADF);
    checkError("negative", close(-1), EBADF);
    checkError("large", close(100000), EBADF);
    checkError("fstat", fstat(40, addressof(st)), EBADF);
    checkError("dup", dup(40), EBADF);
    checkError("lseek", lseek(40, 0, SEEK_CUR), EBADF);
  });
  test("fd-limit", () => {
    put("f", "");
    let n: i32 = 0;
    while (n < 200 && open("f", O_RDONLY, 0) >= 0) n++;
    checkError("too many", open("f", O_RDONLY, 0), EMFILE);
    check("a good number", n >= 50 && n < 200);
    checkError("dup", dup(0), EMFILE);
    checkError("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))), EMFILE);
    close(10);
    checkError("one is not enough for a pipe", pipe(changetype<Ptr<i32>>(addressof(fds))), EMFILE);
    checkEqual("and it is free again", dup(0), 10);
  });
  test("dup", () => {
    put("f", "0123456789");
    fd = open("f", O_RDONLY, 0);
    const second = must("dup", dup(fd));
    lseek(second, 4, SEEK_SET);
    checkEqual("one position", lseek(fd, 0, SEEK_CUR), 4);
    close(fd);
    checkEqual("outlives the first", read(second, anon(8), 2), 2);
  });
  test("dup2", () => {
    put("f", "abc");
    put("g", "xyz");
    fd = open("f", O_RDONLY, 0);
    checkEqual("to a free one", dup2(fd, 30), 30);
    const other = open("g", O_RDONLY, 0);
    checkEqual("over an open one", dup2(other, 30), 30);
    area = anon(8);
    read(30, area, 1);
    checkEqual("the new file", load<u8>(area) as i32, 120);
    checkEqual("to itself", dup2(fd, fd), fd);
    checkError("from a closed one", dup2(50, 31), EBADF);
    checkError("too large", dup2(fd, 100000), EBADF);
    checkError("negative", dup2(fd, -1), EBADF);
    check("30 is still open", isOpen(30));
  });
  test("dup2-keeps-when-it-fails", () => {
    fd = newFile("f");
    checkError("dup2", dup2(55, fd), EBADF);
    check("target stays open", isOpen(fd));
  });
  test("fcntl-dupfd", () => {
    checkEqual("from 20 up", fcntl(0, F_DUPFD, 20), 20);
    checkEqual("the next", fcntl(0, F_DUPFD, 20), 21);
    checkError("negative", fcntl(0, F_DUPFD, -1), EINVAL);
    checkError("too large", fcntl(0, F_DUPFD, 100000), EINVAL);
  });
  test("fcntl-cloexec", () => {
    put("f", "");
    fd = open("f", O_RDONLY, 0);
    checkEqual("not at first", fcntl(fd, F_GETFD, 0), 0);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    checkEqual("set", fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
    checkEqual("not of its copy", fcntl(dup(fd), F_GETFD, 0), 0);
    checkEqual("by open", fcntl(open("f", O_RDONLY | O_CLOEXEC, 0), F_GETFD, 0), FD_CLOEXEC);
  });
  test("fcntl-flags", () => {
    fd = newFile("f");
    checkEqual("of open", fcntl(fd, F_GETFL, 0), O_RDWR);
    fcntl(fd, F_SETFL, O_APPEND | O_WRONLY);
    checkEqual("O_APPEND is added, the access stays", fcntl(fd, F_GETFL, 0), O_RDWR | O_APPEND);
    checkEqual("of its copy too", fcntl(dup(fd), F_GETFL, 0), O_RDWR | O_APPEND);
    area = anon(16);
    write(fd, area, 5);
    lseek(fd, 0, SEEK_SET);
    write(fd, area, 5);
    fstat(fd, addressof(st));
    checkEqual("and it works", st.size as i32, 10);
    checkError("unknown command", fcntl(fd, 99, 0), EINVAL);
  });
  test("closefrom", () => {
    dup2(0, 20);
    dup2(0, 30);
    must("closefrom", closefrom(21));
    check("from there on", isOpen(20) && !isOpen(30));
    check("not below", isOpen(0));
  });
  test("flock-exclusive", () => {
    put("f", "");
    const a = open("f", O_RDWR, 0);
    fd = open("f", O_RDWR, 0);
    must("first", flock(a, LOCK_EX));
    checkError("second", flock(fd, LOCK_EX | LOCK_NB), EAGAIN);
    checkError("shared", flock(fd, LOCK_SH | LOCK_NB), EAGAIN);
    must("of its copy it is the same lock", flock(dup(a), LOCK_EX | LOCK_NB));
    must("unlock", flock(a, LOCK_UN));
    must("now", flock(fd, LOCK_EX | LOCK_NB));
  });
  test("flock-shared", () => {
    put("f", "");
    const a = open("f", O_RDWR, 0);
    fd = open("f", O_RDWR, 0);
    must("one", flock(a, LOCK_SH));
    must("two", flock(fd, LOCK_SH | LOCK_NB));
    checkError("exclusive", flock(fd, LOCK_EX | LOCK_NB), EAGAIN);
    close(a);
    must("after the other is closed", flock(fd, LOCK_EX | LOCK_NB));
    checkError("of a closed one", flock(60, LOCK_SH), EBADF);
    checkError("no such operation", flock(fd, 77), EINVAL);
  });
  test("flock-waits", () => {
    put("f", "");
    fd = open("f", O_RDWR, 0);
    flock(fd, LOCK_EX);
    area = sharedMemory(8);
    const pid = spawn(() => {
      flock(open("f", O_RDWR, 0), LOCK_EX);
      return load<i32>(area);
    });
    sleepMs(50);
    store<i32>(area, 6);
    flock(fd, LOCK_UN);
    checkEqual("until it is free", statusOf(pid), 6 << 8);
  });
  test("flock-ends-with-process", () => {
    put("f", "");
    inChild(() => flock(open("f", O_RDWR, 0), LOCK_EX));
    must("free again", flock(open("f", O_RDWR, 0), LOCK_EX | LOCK_NB));
  });
  test("fd-inherited", () => {
    put("f", "abc");
    fd = open("f", O_RDONLY, 0);
    checkChild("child closes its own", () => close(fd));
    check("ours stays", isOpen(fd));
  });
}

function pipeCases(): void {
  test("pipe-bytes", () => {
    makePipe();
    area = anon(8192);
    fill(area, 4000, 9);
    checkEqual("write", write(fds[1], area, 4000), 4000);
    checkEqual("read less", read(fds[0], area + 4096, 1000), 1000);
    checkEqual("read the rest", read(fds[0], area + 5096, 4000), 3000);
    check("in order", isFilled(area + 4096, 4000, 9));
  });
  test("pipe-end-of-file", () => {
    makePipe();
    write(fds[1], anon(8), 3);
    close(fds[1]);
    checkEqual("what is there", read(fds[0], anon(8), 8), 3);
    checkEqual("then the end", read(fds[0], anon(8), 8), 0);
  });
  test("pipe-no-reader", () => {
    handle(SIGPIPE, SIG_IGN, 0);
    makePipe();
    close(fds[0]);
    checkError("write", write(fds[1], anon(8), 1), EPIPE);
  });
  test("pipe-wrong-end", () => {
    makePipe();
    checkError("read the writing end", read(fds[1], anon(8), 1), EBADF);
    checkError("write the reading end", write(fds[0], anon(8), 1), EBADF);
    checkError("lseek", lseek(fds[0], 0, SEEK_CUR), ESPIPE);
    fstat(fds[0], addressof(st));
    checkEqual("fstat", ((st.mode as u32) & S_IFMT) as i32, S_IFIFO as i32);
  });
  test("pipe-nonblock", () => {
    makePipe();
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    area = anon(65536);
    checkError("nothing to read", read(fds[0], area, 1), EAGAIN);
    const n = write(fds[1], area, 65536);
    check("as much as fits", n >= 512 && n < 65536);
    checkError("full", write(fds[1], area, 1), EAGAIN);
    checkEqual("and out again", read(fds[0], area, 65536), n);
  });
  test("pipe-blocks-writer", () => {
    makePipe();
    area = sharedMemory(8);
    const pid = spawn(() => {
      close(fds[0]);
      const big = anon(65536);
      const n = write(fds[1], big, 65536);
      store<i32>(area, n);
      return 0;
    });
    close(fds[1]);
    sleepMs(50);
    checkEqual("not yet done", load<i32>(area), 0);
    const buffer = anon(8192);
    let total: i32 = 0;
    for (;;) {
      const n = read(fds[0], buffer, 8192);
      if (n <= 0) break;
      total += n;
    }
    statusOf(pid);
    checkEqual("everything came", total, 65536);
    checkEqual("and was written", load<i32>(area), 65536);
  });
  test("pipe-atomic-writes", () => {
    makePipe();
    for (let i: i32 = 0; i < 4; i++) {
      if (fork() != 0) continue;
      area = anon(512);
      memory.fill(area, (65 + i) as u8, 512);
      for (let k: i32 = 0; k < 40; k++) write(fds[1], area, 100);
      _exit(0);
    }
    close(fds[1]);
    area = anon(20000);
    let total: usize = 0;
    for (;;) {
      const n = read(fds[0], area + total, 20000 - total);
      if (n <= 0) break;
      total += n as usize;
    }
    checkEqual("bytes", total as i32, 16000);
    for (let i: usize = 0; i < 16000; i += 100) check("records are whole", load<u8>(area + i) == load<u8>(area + i + 99));
    for (let i: i32 = 0; i < 4; i++) wait4(-1, 0, 0, 0);
  });
  test("pipe-relay", () => {
    // A byte through ten processes.
    let input: i32 = -1;
    makePipe();
    const first = fds[1];
    input = fds[0];
    for (let i: i32 = 0; i < 10; i++) {
      makePipe();
      if (fork() == 0) {
        area = anon(8);
        read(input, area, 1);
        store<u8>(area, (load<u8>(area) + 1) as u8);
        write(fds[1], area, 1);
        _exit(0);
      }
      close(input);
      close(fds[1]);
      input = fds[0];
    }
    area = anon(8);
    store<u8>(area, 5);
    sleepMs(50);                    // all of them wait
    write(first, area, 1);
    checkEqual("arrives", read(input, area, 1), 1);
    checkEqual("changed ten times", load<u8>(area) as i32, 15);
    for (let i: i32 = 0; i < 10; i++) wait4(-1, 0, 0, 0);
  });
}

/** A system call of one argument by SYSENTER: its result, or its errno negated. */
function sysenter(nr: u32, argument: u32): u32 {
  let result: u32 = 0;
  asm`push ${argument}
      push 0
      mov eax, ${nr}
      mov ecx, esp
      call here
here: pop edx
      lea edx, [edx+6]
      sysenter
      jnb good
      neg eax
good: add esp, 8
      mov ${result}, eax`;
  return result;
}

/** sysctl of two words into `to`: its result; the length is in length[0]. */
function query(top: i32, leaf: i32, to: usize, bytes: u32): i32 {
  name[0] = top;
  name[1] = leaf;
  length[0] = bytes;
  return sysctl(addressof(name), 2, to, addressof(length), 0, 0);
}

function reportCases(): void {
  test("tty-not-a-file", () => {
    put("f", "");
    checkError("TIOCGETA of a file", ioctl(open("f", O_RDWR, 0), TIOCGETA, addressof(termios)), ENOTTY);
    makePipe();
    checkError("of a pipe", ioctl(fds[0], TIOCGETA, addressof(termios)), ENOTTY);
  });
  test("tty-console", () => {
    fd = must("open", open("/dev/console", O_RDWR, 0));
    must("TIOCGETA", ioctl(fd, TIOCGETA, addressof(termios)));
    check("speed", termios.ospeed > 0);
    must("TIOCGWINSZ", ioctl(fd, TIOCGWINSZ, addressof(word)));
    check("a window", (word[0] & 0xffff) > 0 && (word[0] >> 16) > 0);
    checkError("unknown request", ioctl(fd, 0x40047401, addressof(word)), ENOTTY);
  });
  test("time-moves-on", () => {
    let last: i32 = milliseconds();
    for (let i: i32 = 0; i < 200; i++) {
      const now = milliseconds();
      check("never back", now >= last);
      last = now;
    }
    clockGettime(CLOCK_REALTIME, addressof(time));
    gettimeofday(addressof(day));
    check("two clocks of the day agree", day.sec - time.sec <= 1 && day.sec >= time.sec);
    check("it is after 2000", day.sec > 946684800);
    checkError("no such clock", clockGettime(77, addressof(time)), EINVAL);
  });
  test("sleep-long-enough", () => {
    const start = milliseconds();
    sleepMs(120);
    const slept = milliseconds() - start;
    check("not too short", slept >= 120);
    check("nor much too long", slept < 250);
  });
  test("sleeps-overlap", () => {
    const start = milliseconds();
    for (let i: i32 = 0; i < 5; i++) spawn(() => sleepMs(100));
    for (let i: i32 = 0; i < 5; i++) wait4(-1, 0, 0, 0);
    check("five at a time take as long as one", milliseconds() - start < 400);
  });
  test("uname", () => {
    area = anon(160);
    must("uname", uname(area));
    checkText("system", stringAt(area), "Damselfly");
    checkText("machine", stringAt(area + 128), "i386");
  });
  test("sysctl-strings", () => {
    area = anon(64);
    must("ostype", query(CTL_KERN, KERN_OSTYPE, area, 64));
    checkText("ostype", stringAt(area), "Damselfly");
    checkEqual("its length", length[0] as i32, 10);
    must("only the length", query(CTL_KERN, KERN_OSTYPE, 0, 0));
    checkEqual("length", length[0] as i32, 10);
    checkError("no room", query(CTL_KERN, KERN_OSTYPE, area, 4), ENOMEM);
  });
  test("sysctl-memory", () => {
    area = anon(8);
    must("physmem", query(CTL_HW, HW_PHYSMEM, area, 4));
    must("usermem", query(CTL_HW, HW_USERMEM, area + 4, 4));
    check("some is used, some is free", load<u32>(area) > load<u32>(area, 4) && load<u32>(area, 4) > 1048576);
  });
  test("sysenter", () => {
    area = anon(8);
    must("hw.sysenter", query(CTL_HW, HW_SYSENTER, area, 4));
    const offered = load<u32>(area) == 1;                // else it would kill
    const pid: u32 = getpid() as u32;
    for (let i: i32 = 0; i < 100 && offered; i++) {
      checkEqual("result", sysenter(Sys.getpid as u32, 0) as i32, pid as i32);
      checkEqual("error", sysenter(Sys.close as u32, 99) as i32, -EBADF);
      checkEqual("address", sysenter(Sys.chdir as u32, KERNEL_ADDRESS) as i32, -EFAULT);
    }
  });
  test("sysctl-errors", () => {
    area = anon(8);
    checkError("unknown", query(CTL_KERN, 9999, area, 8), ENOENT);
    checkError("unknown top", query(99, 1, area, 8), ENOENT);
    checkError("short name", sysctl(addressof(name), 1, 0, 0, 0, 0), EINVAL);
    name[0] = CTL_KERN;
    name[1] = KERN_OSTYPE;
    checkError("not to be set", sysctl(addressof(name), 2, 0, 0, area, 4), EPERM);
  });
  test("sysctl-processes", () => {
    area = anon(65536);
    must("kern.proc", query(CTL_KERN, KERN_PROC, area, 65536));
    let mine = false;
    for (let at: usize = 0; at < length[0]; at += sizeof<KInfoProc>()) {
      const p = changetype<KInfoProc>(area + at);
      if (p.pid != getpid()) continue;
      mine = true;
      checkText("its name", stringAt(changetype<usize>(p) + offsetof<KInfoProc>("comm0")), "usertests");
      checkEqual("its group", p.pgid, getpid());
      check("its pages", p.pages > 0);
    }
    check("this process is there", mine);
  });
}

export function descriptorCases(): void {
  descriptorTable();
  pipeCases();
  reportCases();
}
