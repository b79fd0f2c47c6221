// init: process 1 of both kernels. On the host kernel it starts the virtual kernel unless the boot arguments say
// `native`; then, or on the virtual kernel at once, it runs `exec=COMMAND` of the boot arguments and halts with its exit code, or keeps a
// shell on the console. It also reaps orphans.

import { CTL_HW, CTL_KERN, CTL_VM, HW_PHYSMEM, KERN_BOOTARGS, KERN_PLATFORM, O_RDWR, RB_AUTOBOOT, RB_CODE_SHIFT, RB_HALT, TIOCSCTTY, VM_VKERNEL_ENABLE } from '../abi/file.ts';
import { SigAction, SIGINT, SIGUSR1, SIGUSR2 } from '../abi/signal.ts';
import { setenv, setMain } from '../libc/crt.ts';
import { execvp, exitStatus, fail } from '../libc/process.ts';
import { flush, print } from '../libc/stdio.ts';
import { splitWords, stringAt } from '../libc/strings.ts';
import { malloc } from '../libc/rt.ts';
import { _exit, chdir, dup2, fork, ioctl, open, reboot, setsid, sigaction, sync, sysctl, wait4 } from '../libc/sys.ts';

const HOME = "/usr/src";

function sysctlString(leaf: i32): string {
  const name = malloc(8);
  store<i32>(name, CTL_KERN);
  store<i32>(name, leaf, 4);
  const buffer = malloc(2048);
  const length = malloc(4);
  store<u32>(length, 2047);
  store<u8>(buffer, 0);
  if (sysctl(name, 2, buffer, length, 0, 0) < 0) fail("init", "sysctl");
  return stringAt(buffer);
}

function openConsole(): void {
  const fd = open("/dev/console", O_RDWR, 0);
  if (fd != 0 && fd > 0) dup2(fd, 0);
  dup2(0, 1);
  dup2(0, 2);
}

/** Runs a program and reaps everything until it ends; its exit status. */
function run(args: string[]): i32 {
  flush();
  const pid = fork();
  if (pid < 0) {
    fail("init", "fork");
    return 1;
  }
  if (pid == 0) {
    setsid();
    ioctl(0, TIOCSCTTY, 0);
    execvp(args);
    fail("init", args[0]!);
    _exit(127);
  }
  const status = malloc(4);
  for (;;) {
    const ended = wait4(-1, status, 0, 0);
    if (ended == pid) return exitStatus(load<i32>(status));
  }
}

function halt(code: i32): void {
  sync();
  reboot(RB_HALT | ((code & 255) << RB_CODE_SHIFT));
  fail("init", "reboot");
}

/** The command after `exec=`, or null. */
function commandOf(bootArgs: string): string | null {
  const at = bootArgs.indexOf("exec=");
  return at < 0 ? null : bootArgs.substring(at + 5);
}

function isNative(bootArgs: string): bool {
  const at = bootArgs.indexOf("exec=");
  for (const word of splitWords(at < 0 ? bootArgs : bootArgs.substring(0, at))) if (word == "native") return true;
  return false;
}

/** sysctl vm.vkernel_enable=1 */
function enableVirtualKernels(): void {
  const name = malloc(8);
  store<i32>(name, CTL_VM);
  store<i32>(name, VM_VKERNEL_ENABLE, 4);
  const value = malloc(4);
  store<i32>(value, 1);
  if (sysctl(name, 2, 0, 0, value, 4) < 0) fail("init", "vm.vkernel_enable");
}

/** Half of the machine's memory, in whole MiB that a virtual kernel accepts. */
function virtualMemory(): u32 {
  const name = malloc(8);
  store<i32>(name, CTL_HW);
  store<i32>(name, HW_PHYSMEM, 4);
  const value = malloc(4);
  const length = malloc(4);
  store<u32>(length, 4);
  if (sysctl(name, 2, value, length, 0, 0) < 0) fail("init", "hw.physmem");
  const half = (load<u32>(value) + 0x200000) >>> 21;
  return half < 32 ? 32 : half & 0xfffffffc;
}

/** The virtual kernel's arguments: a size of memory, our own boot words off=... and ncpu=..., and the command. */
function virtualKernelArgs(bootArgs: string, command: string | null): string[] {
  const args: string[] = ["/boot/vkernel", "-m", `${virtualMemory()}m`, "-r", "/vroot.img"];
  const at = bootArgs.indexOf("exec=");
  for (const word of splitWords(at < 0 ? bootArgs : bootArgs.substring(0, at))) {
    if (word.startsWith("ncpu=")) {
      args.push("-n");
      args.push(word.substring(5));
    }
    if (!word.startsWith("off=")) continue;
    args.push("-e");
    args.push(word);
  }
  if (command != null) {
    args.push("-e");
    args.push("exec=" + command);
  }
  return args;
}

/** What others send to process 1: SIGUSR1 and SIGUSR2 halt, as SIGTERM to a virtual kernel does in the end; SIGINT starts again. */
function onSignal(signal: i32): void {
  if (signal != SIGINT) halt(0);
  sync();
  reboot(RB_AUTOBOOT);
}

function catchSignals(): void {
  const action = new SigAction();
  action.handler = codeof(onSignal);
  for (const signal of [SIGUSR1, SIGUSR2, SIGINT]) sigaction(signal, changetype<usize>(action), 0);
}

function main(args: string[]): i32 {
  openConsole();
  catchSignals();
  const platform = sysctlString(KERN_PLATFORM);
  const bootArgs = sysctlString(KERN_BOOTARGS);
  const command = commandOf(bootArgs);
  setenv("PATH", "/bin:/sbin");
  setenv("HOME", HOME);
  setenv("PS1", platform + "# ");
  if (chdir(HOME) < 0) fail("init", HOME);
  const nested = platform == "host" && !isNative(bootArgs);
  if (nested) {
    enableVirtualKernels();
    const status = run(virtualKernelArgs(bootArgs, command));
    if (command != null) halt(status);
    if (status != 0) print(`init: the virtual kernel ended with status ${status}\n`);
  } else if (command != null) {
    halt(run(["/bin/sh", "-c", command]));
  }
  for (;;) run(["/bin/sh"]);
}

setMain(main);
