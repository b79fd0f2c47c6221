// What ps and top know of processes: the kernel's tables of processes and of VM spaces, and times as text.

import { CTL_KERN, KERN_PROC, KERN_VMSPACES, KInfoProc, KInfoVmspace } from '../abi/file.ts';
import { mfree, malloc } from '../libc/rt.ts';
import { padLeft, stringAt, twoDigits } from '../libc/strings.ts';
import { sysctl } from '../libc/sys.ts';

/** The node's table at a fresh address, and after it `tableBytes`; 0 with errno. */
function readTable(leaf: i32): usize {
  const name = malloc(12);
  store<i32>(name, CTL_KERN);
  store<i32>(name, leaf, 4);
  let room: u32 = 8192;
  for (;;) {
    const buffer = malloc(room);
    store<u32>(name, room, 8);
    if (sysctl(name, 2, buffer, name + 8, 0, 0) == 0) {
      tableBytes = load<u32>(name, 8);
      mfree(name);
      return buffer;
    }
    mfree(buffer);
    if (room >= 0x100000) return 0;
    room *= 2;
  }
}
let tableBytes: u32 = 0;

/** All processes, oldest first; null with errno. */
export function readProcesses(): KInfoProc[] | null {
  const table = readTable(KERN_PROC);
  if (table == 0) return null;
  const list: KInfoProc[] = [];
  for (let at: u32 = 0; at < tableBytes; at += sizeof<KInfoProc>()) list.push(changetype<KInfoProc>(table + at));
  return list;
}

/** All VM spaces, those of one owner together; null with errno. */
export function readSpaces(): KInfoVmspace[] | null {
  const table = readTable(KERN_VMSPACES);
  if (table == 0) return null;
  const list: KInfoVmspace[] = [];
  for (let at: u32 = 0; at < tableBytes; at += sizeof<KInfoVmspace>()) list.push(changetype<KInfoVmspace>(table + at));
  return list;
}

export function commandName(p: KInfoProc): string {
  return stringAt(changetype<usize>(p) + offsetof<KInfoProc>("comm0"));
}

/** What it sleeps on, or an empty string. */
export function waitName(p: KInfoProc): string {
  return stringAt(changetype<usize>(p) + offsetof<KInfoProc>("wmesg0"));
}

/** Processor time as minutes, seconds and hundredths, ten characters wide. */
export function cpuTime(usec: u32): string {
  const hundredths = usec / 10000;
  return padLeft(`${hundredths / 6000}:${twoDigits(((hundredths / 100) % 60) as i32)}.${twoDigits((hundredths % 100) as i32)}`, 10);
}
