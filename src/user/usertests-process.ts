// Cases about processes: fork, wait, exit, groups and sessions, many of them at a time, and what dies of what.

import { ECHILD, EINVAL, EPERM, ESRCH } from '../abi/errno.ts';
import { O_RDONLY, W_CONTINUED, WCONTINUED, WNOHANG, WUNTRACED } from '../abi/file.ts';
import { SIGBUS, SIGCHLD, SIGCONT, SIGFPE, SIG_IGN, SIGILL, SIGKILL, SIGSEGV, SIGSTOP, SIGSYS, SIGTERM, SIGTRAP } from '../abi/signal.ts';
import { Rusage, RUSAGE_CHILDREN, RUSAGE_SELF } from '../abi/time.ts';
import { _exit, close, fork, getegid, geteuid, getgid, getpgid, getpgrp, getpid, getppid, getrusage, getsid, getuid, kill, open, pipe, read, schedYield, setpgid, setsid,
  syscall8, wait4, write } from '../libc/sys.ts';
import { anon, check, checkChild, checkEqual, checkError, handle, inChild, KERNEL_ADDRESS, milliseconds, must, put, sharedMemory, sleepMs, spawn, statusOf,
  test } from './usertests-harness.ts';

let word!: FixedArray<i32, 2>;
let fds!: FixedArray<i32, 2>;
let usage!: Embed<Rusage>;
let area: usize = 0;
/** Memory of the program with a page in the middle that nobody else stores to. */
let bulk!: FixedArray<i32, 3072>;
const MIDDLE: i32 = 1536;

function forkCases(): void {
  test("fork-returns-twice", () => {
    area = sharedMemory(8);
    const pid = spawn(() => {
      store<i32>(area, getpid());
      return 0;
    });
    checkEqual("child's status", statusOf(pid), 0);
    checkEqual("the child's own id", load<i32>(area), pid);
    check("is not the parent's", pid != getpid());
  });
  test("fork-getppid", () => {
    area = getpid() as usize;
    checkChild("parent's id", () => getppid() == (area as i32) ? 0 : 1);
  });
  test("fork-registers", () => {
    let bad: u32 = 1;
    asm`push ebx; push esi; push edi
        mov ebx, 0x11111111
        mov esi, 0x22222222
        mov edi, 0x33333333
        push 0
        mov eax, 2
        int 0x80
        pop ecx
        jc wrong
        test edx, edx
        jz parent
        cmp ebx, 0x11111111
        jne dead
        cmp esi, 0x22222222
        jne dead
        cmp edi, 0x33333333
        jne dead
        push 7
        push 0
        mov eax, 1
        int 0x80
  dead: push 8
        push 0
        mov eax, 1
        int 0x80
parent: cmp ebx, 0x11111111
        jne wrong
        cmp esi, 0x22222222
        jne wrong
        cmp edi, 0x33333333
        jne wrong
        mov ecx, 0
        jmp done
 wrong: mov ecx, 1
  done: pop edi; pop esi; pop ebx
        mov ${bad}, ecx`;
    checkEqual("the parent's registers", bad as i32, 0);
    must("wait4", wait4(-1, addressof(word), 0, 0));
    checkEqual("the child's registers", word[0], 7 << 8);
  });
  test("fork-copies-memory", () => {
    bulk[MIDDLE] = 1;
    checkEqual("the child's store", inChild(() => {
      const before = bulk[MIDDLE];
      bulk[MIDDLE] = 5;
      return before * 10 + bulk[MIDDLE];
    }), 15 << 8);
    checkEqual("does not reach the parent", bulk[MIDDLE], 1);
  });
  test("fork-shares-position", () => {
    put("f", "abcdef");
    const fd = open("f", O_RDONLY, 0);
    area = anon(16);
    read(fd, area, 2);
    store<i32>(area, fd, 8);
    checkChild("child reads on", () => read(load<i32>(area, 8), area, 2) == 2 && load<u8>(area) == 99 ? 0 : 1);
    read(fd, area, 1);
    checkEqual("parent reads on from there", load<u8>(area) as i32, 101);
  });
  test("fork-of-fork", () => {
    checkEqual("generations", inChild(() => inChild(() => inChild(() => inChild(() => 3) >> 8) >> 8) >> 8), 3 << 8);
  });
  test("fork-forty", () => {
    let sum: i32 = 0;
    for (let i: i32 = 1; i <= 40; i++) {
      if (must("fork", fork()) == 0) _exit(i);
    }
    for (let i: i32 = 1; i <= 40; i++) {
      must("wait4", wait4(-1, addressof(word), 0, 0));
      sum += word[0] >> 8;
    }
    checkEqual("all statuses", sum, 820);
  });
  test("fork-until-refused", () => {
    // Somebody has to say no before memory or the process table is gone, and then everything must be as before.
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    let n: i32 = 0;
    for (; n < 1000; n++) {
      const pid = fork();
      if (pid < 0) break;
      if (pid == 0) {
        close(fds[1]);
        read(fds[0], addressof(word), 1);
        _exit(0);
      }
    }
    check("at least fifty processes", n >= 50);
    check("not a thousand", n < 1000);
    close(fds[1]);
    for (let i: i32 = 0; i < n; i++) must("wait4", wait4(-1, 0, 0, 0));
    checkEqual("and one more", inChild(() => 0), 0);
  });
  test("fork-exit-many-times", () => {
    for (let i: i32 = 0; i < 100; i++) checkEqual("status", inChild(() => 1), 1 << 8);
  });
}

function waitCases(): void {
  test("wait-status-exit", () => {
    checkEqual("low byte of the argument", inChild(() => 0x1ff), 0xff00);
    checkEqual("zero", inChild(() => 0), 0);
  });
  test("wait-status-signal", () => {
    checkEqual("the signal", inChild(() => kill(getpid(), SIGTERM)), SIGTERM);
  });
  test("wait-no-children", () => {
    checkError("wait for any", wait4(-1, 0, 0, 0), ECHILD);
    checkError("wait for init", wait4(1, 0, 0, 0), ECHILD);
    checkError("wait for oneself", wait4(getpid(), 0, 0, 0), ECHILD);
  });
  test("wait-nohang", () => {
    const pid = spawn(() => {
      sleepMs(100);
      return 4;
    });
    checkEqual("before its end", wait4(pid, addressof(word), WNOHANG, 0), 0);
    sleepMs(200);
    checkEqual("after its end", wait4(pid, addressof(word), WNOHANG, 0), pid);
    checkEqual("status", word[0], 4 << 8);
    checkError("only once", wait4(pid, addressof(word), WNOHANG, 0), ECHILD);
  });
  test("wait-for-one-of-two", () => {
    const first = spawn(() => {
      sleepMs(50);
      return 1;
    });
    const second = spawn(() => 2);
    checkEqual("the slow one first", statusOf(first), 1 << 8);
    checkEqual("then the other", statusOf(second), 2 << 8);
  });
  test("wait-for-group", () => {
    const first = spawn(() => {
      sleepMs(30);
      return 1;
    });
    const second = spawn(() => {
      sleepMs(30);
      return 2;
    });
    setpgid(second, second);
    checkEqual("of that group", wait4(-second, addressof(word), 0, 0), second);
    checkError("nobody else is in it", wait4(-second, addressof(word), 0, 0), ECHILD);
    checkEqual("0: of our own group", wait4(0, addressof(word), 0, 0), first);
  });
  test("wait-untraced", () => {
    const pid = spawn(() => {
      for (;;) sleepMs(10);
      return 0;
    });
    kill(pid, SIGSTOP);
    checkEqual("stop is reported", wait4(pid, addressof(word), WUNTRACED, 0), pid);
    checkEqual("as a stop", word[0], (SIGSTOP << 8) | 0x7f);
    checkEqual("once", wait4(pid, addressof(word), WUNTRACED | WNOHANG, 0), 0);
    kill(pid, SIGCONT);
    kill(pid, SIGKILL);
    checkEqual("the end", statusOf(pid), SIGKILL);
  });
  test("wait-rusage", () => {
    const pid = spawn(() => {
      const until = milliseconds() + 60;
      while (milliseconds() < until) continue;
      return 0;
    });
    must("wait4", wait4(pid, 0, 0, addressof(usage)));
    const child = usage.utimeSec * 1000000 + usage.utimeUsec + usage.stimeSec * 1000000 + usage.stimeUsec;
    check("the child used processor time", child >= 40000 && child < 1000000);
    getrusage(RUSAGE_CHILDREN, addressof(usage));
    const children = usage.utimeSec * 1000000 + usage.utimeUsec + usage.stimeSec * 1000000 + usage.stimeUsec;
    check("and it is counted for its parent", children >= child);
  });
  test("wait-orphan", () => {
    // The grandchild outlives its parent and gets a new one.
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    const middle = spawn(() => {
      spawn(() => {
        sleepMs(50);
        word[0] = getppid();
        write(fds[1], addressof(word), 4);
        return 0;
      });
      return 0;
    });
    statusOf(middle);
    close(fds[1]);
    checkEqual("grandchild writes", read(fds[0], addressof(word), 4), 4);
    checkEqual("its parent is init", word[0], 1);
    checkError("it is no child of ours", wait4(-1, 0, 0, 0), ECHILD);
  });
  test("wait-ignored-sigchld", () => {
    handle(SIGCHLD, SIG_IGN, 0);
    spawn(() => 0);
    checkError("nothing is left to wait for", wait4(-1, 0, 0, 0), ECHILD);
  });
}

function nothing(_sig: i32): void {}

function groupCases(): void {
  test("ids-are-root", () => checkEqual("uid, euid, gid, egid", getuid() + geteuid() + getgid() + getegid(), 0));
  test("pgrp-of-child", () => {
    area = getpgrp() as usize;
    checkChild("inherited", () => getpgrp() == (area as i32) ? 0 : 1);
  });
  test("setpgid", () => {
    checkChild("own group", () => setpgid(0, 0) == 0 && getpgrp() == getpid() ? 0 : 1);
    checkError("no such process", setpgid(29999, 0), ESRCH);
    checkError("not our child", setpgid(1, 0), ESRCH);
    checkError("negative group", setpgid(0, -5), EINVAL);
  });
  test("setsid", () => {
    checkError("of a group's leader", setsid(), EPERM);
    checkChild("of another", () => setsid() == getpid() && getpgrp() == getpid() ? 0 : 1);
    checkChild("then no other group", () => {
      setsid();
      return setpgid(0, getppid()) == -1 ? 0 : 1;
    });
  });
  test("getpgid-getsid", () => {
    checkEqual("own group", getpgid(0), getpgrp());
    checkEqual("by its id", getpgid(getpid()), getpgrp());
    checkEqual("session of a child", getsid(spawn(() => sleepMs(50))), getsid(0));
    checkError("nobody's group", getpgid(29999), ESRCH);
    checkError("nobody's session", getsid(29999), ESRCH);
    checkError("a group that is not there", setpgid(0, 29999), EPERM);
  });
  test("wait-continued", () => {
    const pid = spawn(() => {
      for (;;) sleepMs(10);
      return 0;
    });
    kill(pid, SIGSTOP);
    wait4(pid, addressof(word), WUNTRACED, 0);
    kill(pid, SIGCONT);
    checkEqual("is reported", wait4(pid, addressof(word), WCONTINUED, 0), pid);
    checkEqual("as that", word[0], W_CONTINUED);
    checkEqual("once", wait4(pid, addressof(word), WCONTINUED | WNOHANG, 0), 0);
    kill(pid, SIGKILL);
    statusOf(pid);
  });
  test("orphaned-group", () => {
    // A stopped job whose parent dies gets SIGHUP, then SIGCONT: it ends instead of staying for ever.
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    const shell = spawn(() => {
      setsid();
      const job = spawn(() => {
        for (;;) sleepMs(10);
        return 0;
      });
      setpgid(job, job);
      kill(job, SIGSTOP);
      wait4(job, 0, WUNTRACED, 0);
      return 0;
    });
    statusOf(shell);
    close(fds[1]);
    checkEqual("the last writer is gone", read(fds[0], addressof(word), 1), 0);
  });
  test("kill-group", () => {
    const first = spawn(() => {
      setpgid(0, 0);
      for (;;) sleepMs(20);
      return 0;
    });
    setpgid(first, first);
    const second = spawn(() => {
      for (;;) sleepMs(20);
      return 0;
    });
    setpgid(second, first);
    must("kill", kill(-first, SIGTERM));
    checkEqual("leader", statusOf(first), SIGTERM);
    checkEqual("member", statusOf(second), SIGTERM);
    checkError("nobody is left", kill(-first, 0), ESRCH);
  });
  test("sched-yield", () => {
    area = sharedMemory(8);
    const pid = spawn(() => {
      for (let i: i32 = 0; i < 100; i++) {
        store<i32>(area, i);
        schedYield();
      }
      return 0;
    });
    checkEqual("yields", schedYield(), 0);
    checkEqual("everybody goes on", statusOf(pid), 0);
  });
  test("preemption", () => {
    area = sharedMemory(8);
    const pid = spawn(() => {
      for (;;) store<i32>(area, load<i32>(area) + 1);
      return 0;
    });
    const until = milliseconds() + 200;
    while (milliseconds() < until) continue;
    kill(pid, SIGKILL);
    statusOf(pid);
    check("two loops share the processor", load<i32>(area) > 1000);
  });
  test("rusage-self", () => {
    getrusage(RUSAGE_SELF, addressof(usage));
    const before = usage.utimeSec * 1000000 + usage.utimeUsec + usage.stimeSec * 1000000 + usage.stimeUsec;
    const until = milliseconds() + 100;
    while (milliseconds() < until) continue;
    getrusage(RUSAGE_SELF, addressof(usage));
    const used = usage.utimeSec * 1000000 + usage.utimeUsec + usage.stimeSec * 1000000 + usage.stimeUsec - before;
    check("about a hundred milliseconds", used > 70000 && used < 130000);
    checkError("nobody", getrusage(7, addressof(usage)), EINVAL);
  });
}

function deathCases(): void {
  test("death-null-pointer", () => checkEqual("status", inChild(() => load<u8>(0) as i32), SIGSEGV));
  test("death-kernel-memory", () => {
    checkEqual("read", inChild(() => load<u8>(KERNEL_ADDRESS) as i32), SIGSEGV);
    checkEqual("write", inChild(() => {
      store<u8>(KERNEL_ADDRESS, 1);
      return 0;
    }), SIGSEGV);
    checkEqual("last byte", inChild(() => load<u8>(0xffffffff) as i32), SIGSEGV);
  });
  test("death-write-to-text", () => checkEqual("status", inChild(() => {
    store<u8>(codeof(nothing), 1);
    return 0;
  }), SIGSEGV));
  test("death-undefined-opcode", () => checkEqual("status", inChild(() => {
    asm`ud2`;
    return 0;
  }), SIGILL));
  test("death-breakpoint", () => checkEqual("status", inChild(() => {
    asm`int3`;
    return 0;
  }), SIGTRAP));
  test("death-divide", () => {
    checkEqual("by zero", inChild(() => {
      asm`xor edx, edx
          mov eax, 1
          xor ecx, ecx
          div ecx`;
      return 0;
    }), SIGFPE);
    checkEqual("overflow", inChild(() => {
      asm`mov edx, 5
          mov eax, 0
          mov ecx, 5
          div ecx`;
      return 0;
    }), SIGFPE);
  });
  test("death-privileged", () => {
    checkEqual("cli", inChild(() => {
      asm`cli`;
      return 0;
    }), SIGBUS);
    checkEqual("hlt", inChild(() => {
      asm`hlt`;
      return 0;
    }), SIGBUS);
    checkEqual("out", inChild(() => {
      asm`mov dx, 0xf4
          out dx, al`;
      return 0;
    }), SIGBUS);
    checkEqual("mov from cr3", inChild(() => {
      asm`mov eax, cr3`;
      return 0;
    }), SIGBUS);
  });
  test("death-bad-selector", () => checkEqual("status", inChild(() => {
    asm`mov eax, 0xfff3
        mov fs, ax`;
    return 0;
  }), SIGBUS));
  test("death-bad-call", () => {
    checkEqual("unused number", inChild(() => {
      syscall8(549, 0, 0, 0, 0, 0, 0, 0, 0);
      return 0;
    }), SIGSYS);
    checkEqual("number beyond the table", inChild(() => {
      syscall8(-1, 0, 0, 0, 0, 0, 0, 0, 0);
      return 0;
    }), SIGSYS);
  });
  test("death-other-gate", () => {
    checkEqual("int 0x21", inChild(() => {
      asm`int 0x21`;
      return 0;
    }), SIGBUS);
  });
  test("death-stack-overflow", () => checkEqual("status", inChild(() => deeper(1)), SIGSEGV));
  test("stack-grows", () => checkEqual("a megabyte of stack", inChild(() => {
    asm`mov eax, esp
        mov ecx, 256
  next: sub eax, 4096
        mov dword ptr [eax], ecx
        dec ecx
        jnz next`;
    return 0;
  }), 0));
}

function deeper(n: i32): i32 {
  return n == 0 ? 0 : deeper(n + 1) + 1;
}

export function processCases(): void {
  forkCases();
  waitCases();
  groupCases();
  deathCases();
}
