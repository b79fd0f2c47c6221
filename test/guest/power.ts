// Judges how a virtual kernel starts and ends. On the host kernel it starts virtual kernels, whose process 1 is this program
// again: that one reboots its kernel once, then waits to be told that it should end, and halts.

import { CTL_KERN, KERN_PLATFORM, O_CREAT, O_RDWR, RB_AUTOBOOT, RB_HALT } from '../../src/abi/file.ts';
import { SIGTERM, SIGUSR2, SigAction } from '../../src/abi/signal.ts';
import { Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { flushAll, print } from '../../src/libc/stdio.ts';
import { _exit, close, execve, fork, kill, nanosleep, open, reboot, sigaction, sysctl } from '../../src/libc/sys.ts';
import { vectorOf, waitFor } from '../../src/libc/process.ts';
import { check, checkEqual, enableVkernel, verdict } from './harness.ts';

const MARK: string = "/rebooted";

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

/** Process 1 of the virtual kernel. */
function inside(): void {
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
  print("told\n");
  flushAll();
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
  const pid = start(["-m", "32m", "-r", "/vroot.img"]);
  pause(4000);
  check("46: it runs", kill(pid, 0) == 0);
  kill(pid, SIGTERM);
  checkEqual("46: halt after SIGTERM exits with status 0", waitFor(pid), 0);
  return verdict("power");
}

setMain(main);
