// Judges how a virtual kernel starts and ends. On the host kernel it starts virtual kernels, whose process 1 is this program
// again: that one reboots its kernel once, then waits to be told that it should end, and halts.

import { EPERM } from '../../src/abi/errno.ts';
import { CTL_KERN, KERN_PLATFORM, O_CREAT, O_EXLOCK, O_RDONLY, O_RDWR, RB_AUTOBOOT, RB_HALT, SEEK_END } from '../../src/abi/file.ts';
import { SIGTERM, SIGUSR2, SigAction } from '../../src/abi/signal.ts';
import { Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { flushAll, print } from '../../src/libc/stdio.ts';
import {
  _exit, close, closefrom, errno, execve, fork, kill, lseek, nanosleep, open, read, reboot, sigaction, sysctl,
} from '../../src/libc/sys.ts';
import { vectorOf, waitFor } from '../../src/libc/process.ts';
import { check, checkEqual, enableVkernel, verdict } from './harness.ts';

const MARK: string = "/rebooted";
const TOLD: string = "/told";

let words!: FixedArray<u32, 16>;

/** sysctl kern.platform is "vkernel". */
function isVirtual(): bool {
  words[0] = CTL_KERN as u32;
  words[1] = KERN_PLATFORM as u32;
  words[2] = 32;
  words[4] = 0;
  const at = addressof(words);
  sysctl(at, 2, at + 16, at + 8, 0, 0);
  return load<u8>(at, 16) == 118;
}

function pause(msec: i32): void {
  const time = new Timespec();
  time.sec = msec / 1000;
  time.nsec = msec % 1000 * 1000000;
  nanosleep(changetype<usize>(time), 0);
  free(time);
}

let told: i32 = 0;

function onTold(_signal: i32): void {
  told++;
}

/** Process 1 of the virtual kernel. In the end it is the real one, and has to know by itself what to do when told. */
function inside(): void {
  if (open(TOLD, O_RDWR, 0) >= 0) {
    checkEqual("47: without -U, /dev/mem is not to be written", open("/dev/mem", O_RDWR, 0) < 0 ? errno() : 0, EPERM);
    check("47: it can be read", open("/dev/mem", O_RDONLY, 0) >= 0);
    flushAll();
    closefrom(0);
    execve("/sbin/real", vectorOf(["init"]), vectorOf([]));
  }
  const mark = open(MARK, O_RDWR, 0);
  if (mark < 0) {
    close(open(MARK, O_RDWR | O_CREAT, 0x180));
    print("rebooting\n");
    flushAll();
    reboot(RB_AUTOBOOT);
  }
  const act = new SigAction();
  act.handler = codeof(onTold);
  sigaction(SIGUSR2, changetype<usize>(act), 0);
  print("waiting\n");
  flushAll();
  while (told == 0) pause(20);
  check("47: with -U, /dev/mem can be written", open("/dev/mem", O_RDWR, 0) >= 0);
  print("told\n");
  flushAll();
  close(open(TOLD, O_RDWR | O_CREAT, 0x180));
  reboot(RB_HALT);
}

function start(options: string[]): i32 {
  flushAll();
  const pid = fork();
  if (pid != 0) return pid;
  const args: string[] = ["/boot/vkernel"];
  for (const option of options) args.push(option);
  execve("/boot/vkernel", vectorOf(args), vectorOf([]));
  _exit(127);
  return 0;
}

function status(options: string[]): i32 {
  return waitFor(start(options)) >> 8;
}

/** The number in a file, -1 without one. */
function pidIn(path: string): i32 {
  const fd = open(path, O_RDONLY, 0);
  if (fd < 0) return -1;
  const n = read(fd, addressof(words), 16);
  close(fd);
  let value: i32 = 0;
  for (let i: i32 = 0; i < n - 1; i++) value = value * 10 + (load<u8>(addressof(words) + (i as u32)) as i32) - 48;
  return value;
}

function sizeOfFile(path: string): i32 {
  const fd = open(path, O_RDONLY, 0);
  const size = lseek(fd, 0, SEEK_END);
  close(fd);
  return size;
}

function main(args: string[]): i32 {
  if (isVirtual()) {
    inside();
    return 0;
  }
  checkEqual("47: vm.vkernel_enable is 0", status(["-r", "/vroot.img"]), 1);
  enableVkernel(1);
  checkEqual("47: -m 33m", status(["-m", "33m", "-r", "/vroot.img"]), 1);
  checkEqual("47: -m 16m", status(["-m", "16m", "-r", "/vroot.img"]), 1);
  checkEqual("47: no such disk", status(["-r", "/nothing"]), 1);
  checkEqual("47: -h", status(["-h"]), 0);
  checkEqual("47: an unknown option", status(["-x"]), 2);
  checkEqual("47: no disk", status(["-v"]), 2);
  checkEqual("47: a setting without a name", status(["-e", "exec", "-r", "/vroot.img"]), 2);
  checkEqual("47: no CPU", status(["-n", "0", "-r", "/vroot.img"]), 2);
  checkEqual("47: too many", status(["-n17", "-r", "/vroot.img"]), 2);
  checkEqual("47: an empty disk", status(["-r", "/dev/null"]), 1);
  const locked = open("/image", O_RDWR | O_CREAT | O_EXLOCK, 0x180);
  checkEqual("47: a locked image", status(["-i", "/image", "-m", "32m", "-r", "/vroot.img"]), 1);
  close(locked);
  const pid = start(["-Uv", "-m32m", "-n3", "-p", "/pid", "-i", "/image", "-e", "a=1:b='2:3'", "-r", "/vroot.img"]);
  pause(4000);
  check("46: it runs", kill(pid, 0) == 0);
  checkEqual("47: its disk is locked", status(["-r", "/vroot.img"]), 1);
  checkEqual("47: its pid file", status(["-p", "/pid", "-r", "/sbin/init"]), 1);
  checkEqual("47: which names it", pidIn("/pid"), pid);
  kill(pid, SIGTERM);
  checkEqual("46: halt after SIGTERM exits with status 0", waitFor(pid), 0);
  checkEqual("46: the pid file is gone", pidIn("/pid"), -1);
  checkEqual("46: -i's image stays", sizeOfFile("/image"), 0x2000000);
  const second = start(["-n", "2", "-i", "/image", "-r", "/vroot.img"]);
  pause(2000);
  kill(second, SIGTERM);
  checkEqual("46: init halts when told", waitFor(second), 0);
  return verdict("power");
}

setMain(main);
