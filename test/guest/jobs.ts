// Judges job control: sessions and their terminal, the foreground group, what the background may do, orphaned groups, and
// what wait4 tells of stops and continuations.

import { EAGAIN, EIO, ENOTTY, EPERM, ESRCH } from '../../src/abi/errno.ts';
import {
  O_FNONBLOCKING, Termios, TIOCGETA, TIOCGPGRP, TIOCGSID, TIOCGWINSZ, TIOCNOTTY, TIOCSCTTY, TIOCSETA, TIOCSPGRP, TIOCSWINSZ, TOSTOP,
  W_CONTINUED, WCONTINUED, WNOHANG, WUNTRACED,
} from '../../src/abi/file.ts';
import {
  SIG_BLOCK, SIG_IGN, SIGCONT, SIGHUP, SIGKILL, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH, SigAction, SigSet,
} from '../../src/abi/signal.ts';
import { Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import {
  _exit, errno, extpread, fork, getpgid, getpid, getppid, getsid, ioctl, kill, nanosleep, pipe, read, setpgid, setsid, sigaction, sigprocmask,
  wait4, write,
} from '../../src/libc/sys.ts';
import { check, checkEqual, checkError, inChild, verdict } from './harness.ts';

let word!: FixedArray<i32, 2>;
let status!: FixedArray<i32, 1>;
let fds!: FixedArray<i32, 2>;
let byte!: FixedArray<u8, 4>;
let termios!: Embed<Termios>;
let set!: Embed<SigSet>;
let pause!: Embed<Timespec>;

function sleepMs(ms: i32): void {
  pause.sec = ms / 1000;
  pause.nsec = ms % 1000 * 1000000;
  nanosleep(addressof(pause), 0);
}

function waitStatus(pid: i32, options: i32): i32 {
  return wait4(pid, addressof(status), options, 0) == pid ? status[0] : -1;
}

function handle(sig: i32, handler: usize): void {
  const act = new SigAction();
  act.handler = handler;
  sigaction(sig, changetype<usize>(act), 0);
  free(act);
}

function terminal(request: u32): i32 {
  return ioctl(0, request, addressof(word));
}

function setForeground(pgid: i32): i32 {
  word[0] = pgid;
  return terminal(TIOCSPGRP);
}

function stoppedBy(sig: i32): i32 {
  return (sig << 8) | 0x7f;
}

/** A child in a group of its own, in the background. */
function job(body: () => i32): i32 {
  const pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    _exit(body());
  }
  setpgid(pid, pid);
  return pid;
}

/** Read without waiting: 0, or the error. */
function tryRead(): i32 {
  return extpread(0, addressof(byte), 1, O_FNONBLOCKING, -1) < 0 ? errno() : 0;
}

function testSession(): void {
  checkError("a terminal of no session", terminal(TIOCGPGRP), ENOTTY);
  checkEqual("setsid", inChild(() => setsid() == getpid() && getsid(0) == getpid() && getpgid(0) == getpid() ? 0 : 1), 0);
  checkEqual("not for a leader", inChild(() => {
    setsid();
    return setsid() < 0 ? errno() : 0;
  }), EPERM << 8);
  checkEqual("only a session leader takes a terminal", inChild(() => terminal(TIOCSCTTY) < 0 ? errno() : 0), EPERM << 8);
  checkError("nobody's group", getpgid(29999), ESRCH);
  const leader = fork();
  if (leader == 0) {
    setsid();
    _exit(session());
  }
  checkEqual("the session's verdict", waitStatus(leader, 0), 0);
}

/** The rest runs as a session leader whose parent is of another session, as a login shell does. */
function session(): i32 {
  checkEqual("take the terminal", terminal(TIOCSCTTY), 0);
  checkEqual("it is ours", terminal(TIOCGSID) + word[0], getpid());
  checkEqual("we are in front", terminal(TIOCGPGRP) + word[0], getpid());
  testForeground();
  testBackground();
  testGroups();
  testContinue();
  testOrphans();
  testWindow();
  return verdict("jobs, inside");
}

function testForeground(): void {
  checkError("no such group", setForeground(29999), EPERM);
  checkError("a group of another session", setForeground(1), EPERM);
  const child = job(tryRead);
  checkEqual("reading in the background stops", waitStatus(child, WUNTRACED), stoppedBy(SIGTTIN));
  checkEqual("put it in front", setForeground(child), 0);
  kill(-child, SIGCONT);
  checkEqual("now it may read", waitStatus(child, 0), EAGAIN << 8);
  // We are in the background ourselves; that can only be changed with SIGTTOU blocked or ignored.
  handle(SIGTTOU, SIG_IGN);
  checkEqual("come back", setForeground(getpid()), 0);
  handle(SIGTTOU, 0);
}

function testBackground(): void {
  ioctl(0, TIOCGETA, addressof(termios));
  checkEqual("SIGTTIN ignored: EIO", waitStatus(job(() => {
    handle(SIGTTIN, SIG_IGN);
    return tryRead();
  }), 0), EIO << 8);
  checkEqual("writing is allowed", waitStatus(job(() => write(1, addressof(byte), 0)), 0), 0);
  let child = job(() => ioctl(0, TIOCSETA, addressof(termios)));
  checkEqual("settings are not", waitStatus(child, WUNTRACED), stoppedBy(SIGTTOU));
  kill(child, SIGKILL);
  checkEqual("killed while stopped", waitStatus(child, 0), SIGKILL);
  checkEqual("with SIGTTOU blocked they are", waitStatus(job(() => {
    set.w0 = 1 << (SIGTTOU - 1);
    sigprocmask(SIG_BLOCK, addressof(set), 0);
    return ioctl(0, TIOCSETA, addressof(termios));
  }), 0), 0);
  termios.lflag |= TOSTOP;
  ioctl(0, TIOCSETA, addressof(termios));
  child = job(() => write(1, addressof(byte), 0));
  checkEqual("TOSTOP: nor is writing", waitStatus(child, WUNTRACED), stoppedBy(SIGTTOU));
  termios.lflag &= ~TOSTOP;
  ioctl(0, TIOCSETA, addressof(termios));
  kill(child, SIGCONT);
  checkEqual("until TOSTOP goes", waitStatus(child, 0), 0);
}

function testGroups(): void {
  const child = job(() => {
    sleepMs(2000);
    return 0;
  });
  checkEqual("its group", getpgid(child), child);
  checkEqual("its session", getsid(child), getpid());
  checkError("into a group that is not", setpgid(child, 29999), EPERM);
  checkError("into a group of another session", setpgid(child, 1), EPERM);
  checkEqual("into ours", setpgid(child, getpid()), 0);
  checkError("a session leader stays", setpgid(0, child), EPERM);
  checkError("not our child", setpgid(getppid(), 0), ESRCH);
  kill(child, SIGKILL);
  waitStatus(child, 0);
}

function testContinue(): void {
  const child = job(() => {
    kill(getpid(), SIGTSTP);
    return 5;
  });
  checkEqual("stopped", waitStatus(child, WUNTRACED), stoppedBy(SIGTSTP));
  checkEqual("told once", wait4(child, 0, WUNTRACED | WNOHANG, 0), 0);
  kill(child, SIGCONT);
  checkEqual("continued", waitStatus(child, WCONTINUED), W_CONTINUED);
  checkEqual("ended", waitStatus(child, WCONTINUED), 5 << 8);
}

/** In a child whose parent has just ended: the group has no tie to the session any more. */
function orphan(body: () => i32): i32 {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  const middle = fork();
  if (middle == 0) {
    setpgid(0, 0);
    const leaf = fork();
    if (leaf == 0) {
      byte[0] = body() as u8;
      write(fds[1], addressof(byte), 1);
      _exit(0);
    }
    sleepMs(50);
    _exit(0);
  }
  waitStatus(middle, 0);
  read(fds[0], addressof(byte), 1);
  return byte[0] as i32;
}

let hangups: i32 = 0;

function count(sig: i32): void {
  hangups++;
}

function testOrphans(): void {
  checkEqual("an orphan is not stopped from the terminal", orphan(() => {
    sleepMs(100);
    kill(getpid(), SIGTSTP);
    return 6;
  }), 6);
  checkEqual("it reads EIO", orphan(() => {
    sleepMs(100);
    return tryRead();
  }), EIO);
  checkEqual("one that is stopped when it becomes one gets SIGHUP", orphan(() => {
    handle(SIGHUP, codeof(count));
    kill(getpid(), SIGTSTP);
    return hangups;
  }), 1);
}

function testWindow(): void {
  terminal(TIOCGWINSZ);
  check("80 columns", word[0] >>> 16 == 80);
  handle(SIGWINCH, codeof(count));
  hangups = 0;
  terminal(TIOCSWINSZ);
  checkEqual("the same window is no news", hangups, 0);
  word[0] = 50 | (132 << 16);
  terminal(TIOCSWINSZ);
  checkEqual("SIGWINCH", hangups, 1);
  word[0] = 0;
  terminal(TIOCGWINSZ);
  checkEqual("rows and columns", word[0], 50 | (132 << 16));
  word[0] = 24 | (80 << 16);
  terminal(TIOCSWINSZ);
}

/** A session leader ends, and its foreground job hears of it. */
function testHangup(): void {
  const leader = fork();
  if (leader == 0) {
    setsid();
    terminal(TIOCSCTTY);
    const child = job(() => {
      sleepMs(3000);
      return 0;
    });
    setForeground(child);
    _exit(child & 127);
  }
  const low = waitStatus(leader, 0) >> 8;
  const ended = wait4(-1, addressof(status), 0, 0);
  checkEqual("the job of a leader that ended", ended & 127, low);
  checkEqual("was hung up", status[0], SIGHUP);
  checkEqual("the terminal is free again, and can be given back", inChild(() => {
    setsid();
    handle(SIGHUP, codeof(count));
    hangups = 0;
    if (terminal(TIOCSCTTY) != 0 || terminal(TIOCNOTTY) != 0) return 1;
    return hangups == 1 && terminal(TIOCNOTTY) < 0 ? 0 : 2;
  }), 0);
}

function main(args: string[]): i32 {
  testSession();
  testHangup();
  return verdict("jobs");
}

setMain(main);
