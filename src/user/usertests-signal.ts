// Cases about signals: handlers and what they find, masks, pending signals, sigsuspend, restart, stops, the alternate stack,
// and interval timers.

import { EINTR, EINVAL, ESRCH } from '../abi/errno.ts';
import { WUNTRACED } from '../abi/file.ts';
import { TrapFrame } from '../abi/frames.ts';
import { MC_FRAME, NSIG, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTART, SA_SIGINFO, SEGV_ACCERR, SEGV_MAPERR, SIG_BLOCK, SIG_IGN, SIG_UNBLOCK,
  SIGALRM, SIGCHLD, SIGCONT, SIGFPE, SIGHUP, SIGILL, SIGINT, SIGIO, SIGKILL, SIGPIPE, SIGQUIT, SIGSEGV, SIGSTOP, SIGTERM, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU,
  SIGURG, SIGUSR1, SIGUSR2, SIGWINCH, SigAction, SigSet, UC_MCONTEXT, UC_SIGMASK } from '../abi/signal.ts';
import { ITIMER_REAL, Itimerval } from '../abi/time.ts';
import { close, getitimer, getpid, kill, nanosleep, pipe, read, setitimer, sigaction, sigaltstack, sigpending, sigprocmask, sigsuspend, wait4, write,
  _exit } from '../libc/sys.ts';
import { alarmAfter, anon, bit, catchFaults, check, checkChild, checkEqual, checkError, currentMask, handle, inChild, lastFaultAddress, lastFaultCode,
  LOW_ADDRESS, milliseconds, must, PAGE, peek, poke, setMask, sharedMemory, sleepMs, spawn, statusOf, test } from './usertests-harness.ts';

let caught: i32 = 0;
let caughtSignal: i32 = 0;
let caughtMask: u32 = 0;
let caughtStack: usize = 0;
let word!: FixedArray<i32, 2>;
let fds!: FixedArray<i32, 2>;
let set!: Embed<SigSet>;
let oldSet!: Embed<SigSet>;
let act!: Embed<SigAction>;
let timer!: Embed<Itimerval>;
let stack!: FixedArray<u32, 3>;
let area: usize = 0;

function count(sig: i32): void {
  let at: usize = 0;
  asm`mov ${at}, esp`;
  caught++;
  caughtSignal = sig;
  caughtMask = currentMask();
  caughtStack = at;
}

function raise(sig: i32): void {
  must("kill", kill(getpid(), sig));
}

function handlerCases(): void {
  test("handler-runs", () => {
    handle(SIGUSR1, codeof(count), 0);
    raise(SIGUSR1);
    checkEqual("before kill returns", caught, 1);
    checkEqual("with its number", caughtSignal, SIGUSR1);
  });
  test("handler-masks-its-signal", () => {
    handle(SIGUSR1, codeof(count), 0);
    raise(SIGUSR1);
    checkEqual("meanwhile", (caughtMask & bit(SIGUSR1)) as i32, bit(SIGUSR1) as i32);
    checkEqual("not afterwards", currentMask() as i32, 0);
  });
  test("handler-mask", () => {
    act.handler = codeof(count);
    act.m0 = bit(SIGUSR2) | bit(SIGKILL);
    must("sigaction", sigaction(SIGUSR1, addressof(act), 0));
    raise(SIGUSR1);
    checkEqual("of the action, but for SIGKILL", caughtMask as i32, (bit(SIGUSR1) | bit(SIGUSR2)) as i32);
  });
  test("handler-nodefer", () => {
    handle(SIGUSR1, codeof(count), SA_NODEFER);
    raise(SIGUSR1);
    checkEqual("stays open", caughtMask as i32, 0);
  });
  test("handler-resethand", () => {
    checkEqual("the second one kills", inChild(() => {
      handle(SIGUSR2, codeof(count), SA_RESETHAND);
      raise(SIGUSR2);
      raise(SIGUSR2);
      return 0;
    }), SIGUSR2);
  });
  test("handler-nested", () => {
    handle(SIGUSR1, codeof(nested), 0);
    handle(SIGUSR2, codeof(count), 0);
    raise(SIGUSR1);
    checkEqual("both ran", caught, 11);
    checkEqual("mask is back", currentMask() as i32, 0);
  });
  test("handler-siginfo", () => {
    handle(SIGUSR1, codeof(withInfo), SA_SIGINFO);
    raise(SIGUSR1);
    checkEqual("number in siginfo", caughtSignal, SIGUSR1);
  });
  test("handler-changes-registers", () => {
    // ud2 is two bytes long: the handler steps over it and puts a number into eax.
    handle(SIGILL, codeof(overIllegal), SA_SIGINFO);
    let value: u32 = 0;
    asm`mov eax, 1
        ud2
        mov ${value}, eax`;
    checkEqual("through the saved context", value as i32, 4711);
  });
  test("handler-changes-mask", () => {
    handle(SIGUSR1, codeof(maskInContext), SA_SIGINFO);
    raise(SIGUSR1);
    checkEqual("sigreturn sets it", currentMask() as i32, bit(SIGHUP) as i32);
  });
  test("handler-fault-address", () => {
    catchFaults();
    checkEqual("load", peek(0x1234), -1);
    checkEqual("address", lastFaultAddress() as i32, 0x1234);
    checkEqual("not mapped", lastFaultCode(), SEGV_MAPERR);
    check("store to text", !poke(codeof(count), 1));
    checkEqual("its address", lastFaultAddress() as i32, codeof(count) as i32);
    checkEqual("not allowed", lastFaultCode(), SEGV_ACCERR);
  });
  test("handler-divide", () => {
    handle(SIGFPE, codeof(overDivide), SA_SIGINFO);
    asm`mov eax, 1
        mov edx, 0
        mov ecx, 0
        div ecx`;
    checkEqual("SIGFPE is caught", caught, 1);
  });
  test("handler-in-fault-on-full-stack", () => {
    checkEqual("no room for the frame ends the process", inChild(() => {
      handle(SIGTRAP, codeof(count), 0);
      asm`mov esp, 0x2000
          int3`;
      return 0;
    }), SIGILL);
  });
  test("handler-registers-survive", () => {
    handle(SIGALRM, codeof(count), SA_RESTART);
    alarmAfter(10, 10);
    let bad: u32 = 0;
    const until = milliseconds() + 150;
    while (milliseconds() < until) bad |= spin();
    alarmAfter(0, 0);
    check("the timer fired again and again", caught >= 5);
    checkEqual("registers", bad as i32, 0);
  });
  test("handler-flags-survive", () => {
    handle(SIGALRM, codeof(count), SA_RESTART);
    alarmAfter(10, 10);
    let carry: u32 = 0;
    asm`mov ecx, 3000000
        stc
  next: dec ecx
        jnz next
        sbb eax, eax
        mov ${carry}, eax`;
    alarmAfter(0, 0);
    checkEqual("carry", carry as i32, -1);
    check("the timer fired", caught > 0);
  });
  test("handler-direction-flag", () => {
    handle(SIGUSR1, codeof(direction), 0);
    asm`std`;
    raiseWithFlag();
    asm`cld`;
    checkEqual("is clear in the handler", caught, 1);
  });
  test("handler-errno", () => {
    handle(SIGUSR1, codeof(failing), 0);
    checkError("of the interrupted call", kill(29999, 0), ESRCH);
    raise(SIGUSR1);
    checkError("and of the next", kill(getpid(), 99), EINVAL);
  });
}

function raiseWithFlag(): void {
  asm`push 30
      push ${0}
      cld
      std
      push 0
      mov eax, 20
      int 0x80
      mov [esp+4], eax
      mov eax, 37
      int 0x80
      cld
      add esp, 12`;
}

function direction(_sig: i32): void {
  let flags: u32 = 0;
  asm`pushfd
      pop eax
      mov ${flags}, eax`;
  caught = (flags & 0x400) == 0 ? 1 : 2;
}

function failing(_sig: i32): void {
  kill(29999, 0);
}

function nested(_sig: i32): void {
  raise(SIGUSR2);
  caught += 10;
}

function withInfo(_sig: i32, info: usize): void {
  caughtSignal = load<i32>(info);
}

function frameOf(context: usize): TrapFrame {
  return changetype<TrapFrame>(context + UC_MCONTEXT + MC_FRAME);
}

function overIllegal(_sig: i32, _info: usize, context: usize): void {
  frameOf(context).eip += 2;
  frameOf(context).eax = 4711;
}

function overDivide(_sig: i32, _info: usize, context: usize): void {
  caught++;
  frameOf(context).eip += 2;
}

function maskInContext(_sig: i32, _info: usize, context: usize): void {
  store<u32>(context + UC_SIGMASK, bit(SIGHUP));
}

/** 0 unless a register changed by itself. */
function spin(): u32 {
  let bad: u32 = 0;
  asm`push ebx; push esi; push edi
      mov ebx, 0x11111111
      mov esi, 0x22222222
      mov edi, 0x33333333
      mov edx, 0x44444444
      mov ecx, 20000
next: dec ecx
      jnz next
      mov eax, 1
      cmp ebx, 0x11111111
      jne done
      cmp esi, 0x22222222
      jne done
      cmp edi, 0x33333333
      jne done
      cmp edx, 0x44444444
      jne done
      mov eax, 0
done: pop edi; pop esi; pop ebx
      mov ${bad}, eax`;
  return bad;
}

function maskCases(): void {
  test("mask-holds-back", () => {
    handle(SIGUSR1, codeof(count), 0);
    setMask(bit(SIGUSR1));
    raise(SIGUSR1);
    raise(SIGUSR1);
    checkEqual("while masked", caught, 0);
    setMask(0);
    checkEqual("delivered once", caught, 1);
  });
  test("mask-block-unblock", () => {
    set.w0 = bit(SIGUSR1);
    sigprocmask(SIG_BLOCK, addressof(set), 0);
    set.w0 = bit(SIGUSR2);
    sigprocmask(SIG_BLOCK, addressof(set), addressof(oldSet));
    checkEqual("old mask", oldSet.w0 as i32, bit(SIGUSR1) as i32);
    checkEqual("both", currentMask() as i32, (bit(SIGUSR1) | bit(SIGUSR2)) as i32);
    set.w0 = bit(SIGUSR1);
    sigprocmask(SIG_UNBLOCK, addressof(set), 0);
    checkEqual("one", currentMask() as i32, bit(SIGUSR2) as i32);
    checkError("no such way", sigprocmask(9, addressof(set), 0), EINVAL);
  });
  test("mask-not-kill-stop", () => {
    setMask(0xffffffff);
    checkEqual("these stay open", (currentMask() & (bit(SIGKILL) | bit(SIGSTOP))) as i32, 0);
    checkEqual("and kill", inChild(() => {
      raise(SIGKILL);
      return 0;
    }), SIGKILL);
  });
  test("mask-inherited", () => {
    setMask(bit(SIGUSR1));
    checkChild("by fork", () => currentMask() == bit(SIGUSR1) ? 0 : 1);
  });
  test("pending", () => {
    setMask(bit(SIGUSR1) | bit(SIGUSR2));
    raise(SIGUSR2);
    must("sigpending", sigpending(addressof(set)));
    checkEqual("what is pending", set.w0 as i32, bit(SIGUSR2) as i32);
    checkChild("a child starts without", () => {
      sigpending(addressof(set));
      return set.w0 == 0 ? 0 : 1;
    });
    handle(SIGUSR2, SIG_IGN, 0);
    sigpending(addressof(set));
    checkEqual("ignoring it drops it", set.w0 as i32, 0);
  });
  test("high-signal", () => {
    act.handler = codeof(count);
    must("sigaction", sigaction(40, addressof(act), 0));
    raise(40);
    checkEqual("number 40", caughtSignal, 40);
    must("sigaction", sigaction(NSIG, addressof(act), 0));
    raise(NSIG);
    checkEqual("the last", caughtSignal, NSIG);
  });
  test("suspend", () => {
    handle(SIGUSR1, codeof(count), 0);
    setMask(bit(SIGUSR1));
    word[0] = getpid();
    const pid = spawn(() => {
      kill(word[0], SIGUSR1);
      return 0;
    });
    statusOf(pid);
    checkEqual("masked until then", caught, 0);
    set.w0 = 0;
    checkError("sigsuspend", sigsuspend(addressof(set)), EINTR);
    checkEqual("handler ran", caught, 1);
    checkEqual("the old mask is back", currentMask() as i32, bit(SIGUSR1) as i32);
  });
  test("ignored-by-default", () => {
    checkChild("CHLD URG CONT IO WINCH", () => {
      raise(SIGCHLD);
      raise(SIGURG);
      raise(SIGCONT);
      raise(SIGIO);
      raise(SIGWINCH);
      return 0;
    });
  });
  test("kills-by-default", () => {
    checkEqual("HUP", inChild(() => kill(getpid(), SIGHUP)), SIGHUP);
    checkEqual("INT", inChild(() => kill(getpid(), SIGINT)), SIGINT);
    checkEqual("QUIT", inChild(() => kill(getpid(), SIGQUIT)), SIGQUIT);
    checkEqual("PIPE", inChild(() => kill(getpid(), SIGPIPE)), SIGPIPE);
    checkEqual("ALRM", inChild(() => kill(getpid(), SIGALRM)), SIGALRM);
    checkEqual("USR1", inChild(() => kill(getpid(), SIGUSR1)), SIGUSR1);
    checkEqual("64", inChild(() => kill(getpid(), NSIG)), NSIG);
  });
  test("ignore", () => {
    handle(SIGTERM, SIG_IGN, 0);
    raise(SIGTERM);
    checkChild("inherited by fork", () => {
      raise(SIGTERM);
      return 0;
    });
    checkEqual("but not SIGSEGV of a fault", inChild(() => {
      handle(SIGSEGV, SIG_IGN, 0);
      return load<u8>(LOW_ADDRESS) as i32;
    }), SIGSEGV);
    checkEqual("nor when masked", inChild(() => {
      catchFaults();
      setMask(bit(SIGSEGV));
      return load<u8>(LOW_ADDRESS) as i32;
    }), SIGSEGV);
  });
  test("sigaction-old", () => {
    act.handler = codeof(count);
    act.flags = SA_RESTART;
    act.m0 = bit(SIGHUP);
    sigaction(SIGUSR1, addressof(act), 0);
    act.handler = 0;
    act.flags = 0;
    act.m0 = 0;
    sigaction(SIGUSR1, 0, addressof(act));
    check("handler, flags and mask come back", act.handler == codeof(count) && act.flags == SA_RESTART && act.m0 == bit(SIGHUP));
  });
  test("sigaction-errors", () => {
    act.handler = codeof(count);
    checkError("SIGKILL", sigaction(SIGKILL, addressof(act), 0), EINVAL);
    checkError("SIGSTOP", sigaction(SIGSTOP, addressof(act), 0), EINVAL);
    checkError("0", sigaction(0, addressof(act), 0), EINVAL);
    checkError("65", sigaction(65, addressof(act), 0), EINVAL);
    checkEqual("asking about SIGKILL is fine", sigaction(SIGKILL, 0, addressof(act)), 0);
  });
  test("kill-errors", () => {
    checkError("nobody", kill(29999, SIGTERM), ESRCH);
    checkError("65", kill(getpid(), 65), EINVAL);
    checkError("-1", kill(getpid(), -1), EINVAL);
    checkEqual("0 only asks", kill(getpid(), 0), 0);
    const pid = spawn(() => 0);
    sleepMs(50);
    checkError("a zombie", kill(pid, SIGTERM), ESRCH);
    statusOf(pid);
  });
}

function interruptionCases(): void {
  test("eintr-sleep", () => {
    handle(SIGALRM, codeof(count), 0);
    const start = milliseconds();
    alarmAfter(50, 0);
    checkError("nanosleep", sleepMs(5000), EINTR);
    check("soon", milliseconds() - start < 1000);
  });
  test("eintr-sleep-remainder", () => {
    handle(SIGALRM, codeof(count), 0);
    alarmAfter(50, 0);
    word[0] = 3;
    word[1] = 0;
    checkError("nanosleep", nanosleep(addressof(word), addressof(word)), EINTR);
    check("what is left", word[0] == 2 && word[1] > 500000000);
  });
  test("eintr-pipe-read", () => {
    handle(SIGALRM, codeof(count), 0);
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    alarmAfter(30, 0);
    checkError("read", read(fds[0], addressof(word), 1), EINTR);
  });
  test("eintr-wait", () => {
    handle(SIGALRM, codeof(count), 0);
    spawn(() => sleepMs(3000));
    alarmAfter(30, 0);
    checkError("wait4", wait4(-1, 0, 0, 0), EINTR);
  });
  test("restart-pipe-read", () => {
    handle(SIGALRM, codeof(writeByte), SA_RESTART);
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    alarmAfter(30, 0);
    checkEqual("the read goes on", read(fds[0], addressof(word), 1), 1);
  });
  test("restart-wait", () => {
    handle(SIGALRM, codeof(count), SA_RESTART);
    const pid = spawn(() => {
      sleepMs(150);
      return 6;
    });
    alarmAfter(30, 30);
    checkEqual("wait goes on", statusOf(pid), 6 << 8);
    check("the timer fired", caught >= 2);
  });
  test("stop-and-continue", () => {
    area = sharedMemory(8);
    const pid = spawn(() => {
      for (;;) store<i32>(area, load<i32>(area) + 1);
      return 0;
    });
    sleepMs(30);
    kill(pid, SIGSTOP);
    wait4(pid, addressof(word), WUNTRACED, 0);
    const before = load<i32>(area);
    sleepMs(60);
    checkEqual("stopped", load<i32>(area), before);
    kill(pid, SIGCONT);
    sleepMs(60);
    check("continued", load<i32>(area) > before);
    kill(pid, SIGSTOP);
    kill(pid, SIGKILL);
    checkEqual("SIGKILL ends the stopped", statusOf(pid), SIGKILL);
  });
  test("stop-signals", () => {
    checkStop(SIGTSTP);
    checkStop(SIGTTIN);
    checkStop(SIGTTOU);
  });
  test("stop-continue-handler", () => {
    const pid = spawn(() => {
      handle(SIGCONT, codeof(count), 0);
      raise(SIGSTOP);
      return caught;
    });
    wait4(pid, addressof(word), WUNTRACED, 0);
    kill(pid, SIGCONT);
    checkEqual("the handler ran", statusOf(pid), 1 << 8);
  });
  test("sigchld", () => {
    handle(SIGCHLD, codeof(count), 0);
    const pid = spawn(() => 0);
    while (caught == 0) sleepMs(10);
    checkEqual("for the end of a child", statusOf(pid), 0);
    checkEqual("once", caught, 1);
  });
  test("sigpipe", () => {
    checkEqual("kills", inChild(() => {
      pipe(changetype<Ptr<i32>>(addressof(fds)));
      close(fds[0]);
      write(fds[1], addressof(word), 1);
      return 0;
    }), SIGPIPE);
  });
}

function checkStop(sig: i32): void {
  const pid = spawn(() => {
    for (;;) sleepMs(10);
    return 0;
  });
  kill(pid, sig);
  checkEqual("stops", wait4(pid, addressof(word), WUNTRACED, 0), pid);
  checkEqual("status", word[0], (sig << 8) | 0x7f);
  kill(pid, SIGKILL);
  statusOf(pid);
}

function writeByte(_sig: i32): void {
  write(fds[1], addressof(word), 1);
}

function alternateCases(): void {
  test("altstack-used", () => {
    area = anon(4 * PAGE);
    stack[0] = area;
    stack[1] = 4 * PAGE;
    stack[2] = 0;
    must("sigaltstack", sigaltstack(addressof(stack), 0));
    handle(SIGUSR1, codeof(count), SA_ONSTACK);
    raise(SIGUSR1);
    check("the handler's stack", caughtStack > area && caughtStack < area + 4 * PAGE);
    handle(SIGUSR1, codeof(count), 0);
    raise(SIGUSR1);
    check("not without SA_ONSTACK", caughtStack > area + 4 * PAGE || caughtStack < area);
  });
  test("altstack-state", () => {
    sigaltstack(0, addressof(stack));
    checkEqual("at first disabled", stack[2] as i32, 4);
    area = anon(4 * PAGE);
    stack[0] = area;
    stack[1] = 4 * PAGE;
    stack[2] = 0;
    sigaltstack(addressof(stack), 0);
    stack[0] = 0;
    sigaltstack(0, addressof(stack));
    check("what was set", stack[0] == area && stack[1] == 4 * PAGE && stack[2] == 0);
    handle(SIGUSR1, codeof(askStack), SA_ONSTACK);
    raise(SIGUSR1);
    checkEqual("in use", stack[2] as i32, 1);
    checkEqual("not to be changed meanwhile", caught, EINVAL);
    stack[2] = 4;
    sigaltstack(addressof(stack), 0);
    handle(SIGUSR1, codeof(count), SA_ONSTACK);
    raise(SIGUSR1);
    check("disabled again", caughtStack > area + 4 * PAGE || caughtStack < area);
  });
  test("altstack-after-overflow", () => {
    checkEqual("a handler for the stack's end", inChild(() => {
      area = anon(4 * PAGE);
      stack[0] = area;
      stack[1] = 4 * PAGE;
      stack[2] = 0;
      sigaltstack(addressof(stack), 0);
      handle(SIGSEGV, codeof(leave), SA_ONSTACK);
      asm`mov esp, 0x3000
          push eax`;
      return 0;
    }), 23 << 8);
  });
}

function askStack(_sig: i32): void {
  sigaltstack(0, addressof(stack));
  word[0] = 0;
  caught = sigaltstack(addressof(stack), 0) == -1 ? EINVAL : 0;
}

function leave(_sig: i32): void {
  _exit(23);
}

function timerCases(): void {
  test("itimer-once", () => {
    handle(SIGALRM, codeof(count), 0);
    alarmAfter(40, 0);
    sleepMs(1000);
    sleepMs(100);
    checkEqual("one signal", caught, 1);
  });
  test("itimer-repeats", () => {
    handle(SIGALRM, codeof(count), SA_RESTART);
    alarmAfter(20, 20);
    const until = milliseconds() + 210;
    while (milliseconds() < until) continue;
    alarmAfter(0, 0);
    check("about ten signals", caught >= 8 && caught <= 11);
  });
  test("itimer-value", () => {
    handle(SIGALRM, codeof(count), 0);
    alarmAfter(5000, 7000);
    must("getitimer", getitimer(ITIMER_REAL, addressof(timer)));
    check("time left", timer.valueSec == 4 || (timer.valueSec == 5 && timer.valueUsec <= 20000));
    checkEqual("interval", timer.intervalSec, 7);
    timer.valueSec = 0;
    timer.valueUsec = 0;
    must("setitimer", setitimer(ITIMER_REAL, addressof(timer), addressof(timer)));
    check("old value", timer.valueSec >= 4);
    getitimer(ITIMER_REAL, addressof(timer));
    checkEqual("stopped", timer.valueSec + timer.valueUsec, 0);
  });
  test("itimer-not-inherited", () => {
    handle(SIGALRM, codeof(count), SA_RESTART);
    alarmAfter(30, 0);
    checkChild("by fork", () => {
      sleepMs(100);
      return caught;
    });
  });
  test("itimer-errors", () => {
    timer.valueUsec = 1000000;
    checkError("a million microseconds", setitimer(ITIMER_REAL, addressof(timer), 0), EINVAL);
    timer.valueUsec = 0;
    timer.valueSec = -1;
    checkError("negative", setitimer(ITIMER_REAL, addressof(timer), 0), EINVAL);
    checkError("no such timer", setitimer(5, addressof(timer), 0), EINVAL);
    checkError("no such timer to ask", getitimer(5, addressof(timer)), EINVAL);
  });
}

export function signalCases(): void {
  handlerCases();
  maskCases();
  interruptionCases();
  alternateCases();
  timerCases();
}
