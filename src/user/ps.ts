// ps: the processes of this kernel with their state, processor times, resident pages and VM spaces.

import { CTL_KERN, KERN_PROC, KInfoProc } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { print } from '../libc/stdio.ts';
import { padLeft, padRight, stringAt, twoDigits } from '../libc/strings.ts';
import { malloc } from '../libc/rt.ts';
import { sysctl } from '../libc/sys.ts';

const ROOM: u32 = 65536;

function cpuTime(usec: u32): string {
  const hundredths = usec / 10000;
  return padLeft(`${hundredths / 6000}:${twoDigits(((hundredths / 100) % 60) as i32)}.${twoDigits((hundredths % 100) as i32)}`, 10);
}

function main(args: string[]): i32 {
  const name = malloc(8);
  store<i32>(name, CTL_KERN);
  store<i32>(name, KERN_PROC, 4);
  const buffer = malloc(ROOM);
  const length = malloc(4);
  store<u32>(length, ROOM);
  if (sysctl(name, 2, buffer, length, 0, 0) < 0) return fail(args[0]!, "sysctl");
  print("  PID  PPID ST    TIME      USER  PAGES SPACES COMMAND\n");
  const end = buffer + load<u32>(length);
  for (let at = buffer; at < end; at += sizeof<KInfoProc>()) {
    const p = changetype<KInfoProc>(at);
    print(padLeft(`${p.pid}`, 5) + padLeft(`${p.ppid}`, 6) + " " + padRight(String.fromCharCode(p.state), 2) + cpuTime(p.userUsec + p.sysUsec)
      + cpuTime(p.userUsec) + padLeft(`${p.pages}`, 7) + padLeft(`${p.spaces}`, 7) + " " + stringAt(at + offsetof<KInfoProc>("comm0")) + "\n");
  }
  return 0;
}

setMain(main);
