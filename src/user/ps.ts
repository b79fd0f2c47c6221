// ps: the processes of this kernel, all of them, with their state, processor times, resident pages and VM spaces; so the letters of other
// systems that ask for more of that (ps aux, ps -ef) change nothing. With -s each VM space
// of a virtual kernel has a line below its owner: its name (the owner's word for it), how often it was run, and its time.

import { KInfoProc, KInfoVmspace } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint, print } from '../libc/stdio.ts';
import { hexadecimal, padLeft, padRight } from '../libc/strings.ts';
import { commandName, cpuTime, readProcesses, readSpaces, waitName } from './procs.ts';

function printProcess(p: KInfoProc): void {
  print(padLeft(`${p.pid}`, 5) + padLeft(`${p.ppid}`, 6) + " " + padRight(String.fromCharCode(p.state), 2) + cpuTime(p.userUsec + p.sysUsec)
    + cpuTime(p.userUsec) + padLeft(`${p.pages}`, 7) + padLeft(`${p.spaces}`, 7) + " " + padRight(waitName(p), 8) + commandName(p) + "\n");
}

function printSpace(space: KInfoVmspace): void {
  print("            " + padRight(space.running > 0 ? "R" : "-", 2) + cpuTime(space.usec) + padLeft(`${space.runs}`, 10) + padLeft(`${space.pages}`, 7)
    + "        " + padRight("", 8) + "space " + hexadecimal(space.id, 8) + "\n");
}

function main(args: string[]): i32 {
  let withSpaces = false;
  for (let i: i32 = 1; i < args.length; i++) {
    const word = args[i]!;
    for (let at: i32 = word.startsWith("-") ? 1 : 0; at < word.length; at++) {
      if (word.charCodeAt(at) == 115) withSpaces = true;
      else if ("aefluwx".indexOf(word.substring(at, at + 1)) < 0) {
        eprint("usage: ps [-aefluwx] [-s]\n");
        return 2;
      }
    }
  }
  const processes = readProcesses();
  const spaces = readSpaces();
  if (processes == null || spaces == null) return fail("ps", "sysctl");
  print("  PID  PPID ST    TIME      USER  PAGES SPACES WAIT    COMMAND\n");
  for (const p of processes) {
    printProcess(p);
    for (const space of spaces) if (withSpaces && space.pid == p.pid) printSpace(space);
  }
  return 0;
}

setMain(main);
