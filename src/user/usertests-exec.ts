// Cases about execve: arguments, environment, limits and refusals, scripts, and what the new program inherits. The program that
// is executed is often usertests itself, which with the argument -x answers questions about the process (see helper).

import { E2BIG, EACCES, EFAULT, ENOENT, ENOEXEC, ENOTDIR } from '../abi/errno.ts';
import { F_GETFD, F_SETFD, FD_CLOEXEC, O_RDONLY, O_RDWR } from '../abi/file.ts';
import { SIG_IGN, SIGUSR1 } from '../abi/signal.ts';
import { vectorOf } from '../libc/process.ts';
import { malloc } from '../libc/rt.ts';
import { print } from '../libc/stdio.ts';
import { parseNumber, stringOf } from '../libc/strings.ts';
import { _exit, chdir, chmod, close, dup2, errno, execve, fcntl, fork, getpid, kill, mkdir, open, pipe, read, symlink, syscall8, vmspaceDestroy } from '../libc/sys.ts';
import { freePages } from './usertests-memory.ts';
import { anon, bit, check, checkEqual, checkError, checkText, currentMask, handle, inChild, KERNEL_ADDRESS, must, put, setMask, statusOf,
  test } from './usertests-harness.ts';

const SELF = "/bin/usertests";
let word!: FixedArray<i32, 2>;
let fds!: FixedArray<i32, 2>;
let area: usize = 0;

/** usertests -x QUESTION [N]: the answer on standard output or as exit code. */
export function helper(args: string[]): i32 {
  const number = args.length > 3 ? parseNumber(args[3]!, 0) : 0;
  if (args[2] == "open") return fcntl(number, F_GETFD, 0) == -1 ? 1 : 0;
  if (args[2] == "pid") print(`${getpid()}\n`);
  if (args[2] == "mask") print(`${currentMask() as i32}\n`);
  if (args[2] == "raise") kill(getpid(), number);
  if (args[2] == "vmspace") return vmspaceDestroy(number as usize) == 0 ? 0 : errno();
  return 0;
}

/** The wait status of usertests -x QUESTION N. */
export function asked(question: string, number: i32): i32 {
  const pid = must("fork", fork());
  if (pid == 0) {
    execve(SELF, vectorOf([SELF, "-x", question, `${number}`]), 0);
    _exit(99);
  }
  return statusOf(pid);
}

/** Runs a program with its output in a pipe; what it wrote. Its wait status is in word[0]. */
function outputOf(args: string[], env: string[]): string {
  const buffer = malloc(8192);
  must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
  const pid = must("fork", fork());
  if (pid == 0) {
    dup2(fds[1], 1);
    close(fds[0]);
    close(fds[1]);
    execve(args[0]!, vectorOf(args), vectorOf(env));
    _exit(99);
  }
  close(fds[1]);
  let used: i32 = 0;
  for (;;) {
    const n = read(fds[0], buffer + (used as usize), 8192 - (used as usize));
    if (n <= 0) break;
    used += n;
  }
  close(fds[0]);
  word[0] = statusOf(pid);
  return stringOf(buffer, used);
}

export function execCases(): void {
  test("exec-arguments", () => {
    checkText("arguments", outputOf(["/bin/echo", "one", "", "two words", "\\"], []), "one  two words \\\n");
    checkEqual("status", word[0], 0);
  });
  test("exec-environment", () => {
    checkText("environment", outputOf(["/bin/sh", "-c", "echo $A:$B:"], ["A=1", "B=two words", "PATH=/bin"]), "1:two words:\n");
  });
  test("exec-errors", () => {
    put("plain", "not a program");
    put("broken", "\x7fELF and then nothing");
    put("script-loop", "#!script-loop\n");
    chmod("broken", 0x1ed);
    chmod("script-loop", 0x1ed);
    mkdir("dir", 0x1ed);
    symlink("self", "self");
    checkError("missing", execve("missing", 0, 0), ENOENT);
    checkError("missing directory", execve("missing/x", 0, 0), ENOENT);
    checkError("below a file", execve("plain/x", 0, 0), ENOTDIR);
    checkError("not executable", execve("plain", 0, 0), EACCES);
    checkError("directory", execve("dir", 0, 0), EACCES);
    checkError("not a program", execve("broken", 0, 0), ENOEXEC);
    check("script of itself", execve("script-loop", 0, 0) == -1);
    checkError("empty name", execve("", 0, 0), ENOENT);
  });
  test("exec-bad-pointers", () => {
    checkError("path", syscall8(59, KERNEL_ADDRESS, 0, 0, 0, 0, 0, 0, 0), EFAULT);
    checkError("argv", execve("/bin/echo", KERNEL_ADDRESS, 0), EFAULT);
    area = anon(16);
    store<usize>(area, 0x10);
    checkError("argv[0]", execve("/bin/echo", area, 0), EFAULT);
    checkError("envp", execve("/bin/echo", 0, 0xbffffffc), EFAULT);
    checkEqual("the process goes on", inChild(() => 0), 0);
  });
  test("exec-argument-limit", () => {
    const long = malloc(80008);
    store<i32>(long, 70000);
    memory.fill(long + 4, 120, 70000);
    store<u8>(long + 70004, 0);
    const args: string[] = ["/bin/echo", changetype<string>(long)];
    checkError("one argument of 70,000 bytes", execve("/bin/echo", vectorOf(args), 0), E2BIG);
    store<i32>(long, 60000);
    store<u8>(long + 60004, 0);
    word[0] = 0;
    const pid = must("fork", fork());
    if (pid == 0) {
      dup2(open("/dev/null", O_RDWR, 0), 1);
      execve("/bin/echo", vectorOf(args), 0);
      _exit(9);
    }
    checkEqual("one of 60,000 is fine", statusOf(pid), 0);
    const many: string[] = ["/bin/echo"];
    for (let i: i32 = 0; i < 5000; i++) many.push("");
    const other = must("fork", fork());
    if (other == 0) {
      execve(SELF, vectorOf(many), 0);
      _exit(errno());
    }
    checkEqual("five thousand arguments", statusOf(other), E2BIG << 8);
  });
  test("exec-script", () => {
    put("script", "#! /bin/echo  an argument \nnot read\n");
    chmod("script", 0x1ed);
    checkText("interpreter, argument, path, arguments", outputOf(["./script", "x", "y"], []), "an argument ./script x y\n");
    put("script", "#!/bin/sh\necho from $0 a script\nexit 6\n");
    checkText("shell", outputOf(["./script"], ["PATH=/bin"]).substring(0, 4), "from");
    checkEqual("status", word[0], 6 << 8);
  });
  test("exec-closes-marked", () => {
    put("f", "text");
    const kept = open("f", O_RDONLY, 0);
    const gone = open("f", O_RDONLY, 0);
    fcntl(gone, F_SETFD, FD_CLOEXEC);
    checkEqual("the unmarked one is open", asked("open", kept), 0);
    checkEqual("the marked one is not", asked("open", gone), 1 << 8);
    checkEqual("here it is", fcntl(gone, F_GETFD, 0), FD_CLOEXEC);
  });
  test("exec-keeps-mask", () => {
    setMask(bit(SIGUSR1));
    checkText("mask", outputOf([SELF, "-x", "mask"], []), `${bit(SIGUSR1) as i32}\n`);
    checkEqual("holds a signal back", asked("raise", SIGUSR1), 0);
  });
  test("exec-keeps-pid", () => {
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    const pid = must("fork", fork());
    if (pid == 0) {
      dup2(fds[1], 1);
      execve(SELF, vectorOf([SELF, "-x", "pid"]), 0);
      _exit(99);
    }
    close(fds[1]);
    const buffer = malloc(32);
    const n = read(fds[0], buffer, 32);
    checkText("process id", stringOf(buffer, n), `${pid}\n`);
    statusOf(pid);
  });
  test("exec-keeps-directory", () => {
    mkdir("sub", 0x1ff);
    put("sub/here", "yes");
    chdir("sub");
    checkText("relative name", outputOf(["/bin/cat", "here"], []), "yes");
  });
  test("exec-resets-handlers", () => {
    handle(SIGUSR1, codeof(nothing), 0);
    checkEqual("default action again", asked("raise", SIGUSR1), SIGUSR1);
    handle(SIGUSR1, SIG_IGN, 0);
    checkEqual("ignored stays ignored", asked("raise", SIGUSR1), 0);
  });
  test("exec-drops-memory", () => {
    for (let i: i32 = 0; i < 20; i++) {
      checkText("large process becomes a small one", outputOf(["/bin/echo", `${i}`], []), `${i}\n`);
      memory.fill(anon(65536), 1, 65536);
    }
    const before = freePages();
    for (let i: i32 = 0; i < 20; i++) outputOf(["/bin/echo", `${i}`], []);
    check("nothing is lost", freePages() > before - 40);
  });
}

function nothing(_sig: i32): void {}
