// Improvements that can be switched off one by one, so that what each is worth can be measured: the boot word off=NAME,NAME...
// or off=all. None of them changes what a program sees.

import { bootArgs } from "machine/boot.ts";

/** lane: system calls that only enter or leave a VM space take a short way (host-kernel/lane.ts). */
export let laneOn: bool = true;
/** around: a fault in a MAP_VPAGETABLE mapping also enters the pages beside it whose VPTEs say accessed. */
export let aroundOn: bool = true;
/** modified: a load enters a page writable whose VPTEs all say modified, and saves the fault of the first store. */
export let modifiedOn: bool = true;
/** pool: the VM space of a process that has ended serves the next one (vkernel/pmap.ts). */
export let poolOn: bool = true;

/** tables: a walk looks first at the tables that the last one through the same mapping used. */
export let tablesOn: bool = true;
/** neighbours: a fault on a page in memory also enters those around it, so that a table, once filled, answers for them all. */
export let neighboursOn: bool = true;
/** ahead: memory that is touched in order gets several pages of zeros at a fault (vm_around.ts). */
export let aheadOn: bool = true;
/** program: exec and fork enter at once what is in memory of the program's text (vm_around.ts). */
export let programOn: bool = true;
/** batch: fork announces what it has write-protected with one call for all ranges. */
export let batchOn: bool = true;
/** protect: where fork has only write-protected, the real kernel keeps what it knows, for loads. */
export let protectOn: bool = true;
/** teardown: nobody is told of what is unmapped in an address space that ends. */
export let teardownOn: bool = true;
/** linear: the image is mapped by one root entry, not through page tables that lie in it (vkernel/image.ts). */
export let linearOn: bool = true;
/** window: copies reach a process's pages through the linear mapping, not through one page that is pointed at each in turn. */
export let windowOn: bool = true;
/** resume: the virtual kernel runs a process with one call that also says what to forget and which page to enter (kern/vmspace.ts). */
export let resumeOn: bool = true;
/** expect: what a process will touch at once in memory that is new to it is there before it runs (vkernel/expect.ts). */
export let expectOn: bool = true;
/** sysenter: SYSENTER is a way into this kernel, and a virtual kernel takes it (machine/fastcall.ts). */
export let fastCallOn: bool = true;
/** asyncdisk: who waits for the disk sleeps, and others run (diskqueue.ts). */
export let asyncDiskOn: bool = true;
/** groups: a block of the disk is read with those around it (blockcache.ts). */
export let groupsOn: bool = true;
/** readahead: a file that is read from its beginning is read before it is asked for. */
export let readAheadOn: bool = true;
/** elevator: disk requests are sorted, and those that lie beside each other become one command (diskqueue.ts). */
export let elevatorOn: bool = true;
/** timepage: a virtual kernel reads the clock from a page that this kernel keeps up to date (timepage.ts). */
export let timePageOn: bool = true;

/** Read the boot words. Called before the first process; a virtual kernel needs them before it has memory. */
export function tuningInit(): void {
  const line = bootArgs();
  const command = line.indexOf("exec=");
  const at = line.indexOf("off=");
  if (at < 0 || (command >= 0 && command < at)) return;
  const blank = line.indexOf(" ", at);
  const names = "," + line.substring(at + 4, blank < 0 ? line.length : blank) + ",";
  laneOn = isOn(names, ",lane,");
  aroundOn = isOn(names, ",around,");
  modifiedOn = isOn(names, ",modified,");
  poolOn = isOn(names, ",pool,");
  tablesOn = isOn(names, ",tables,");
  neighboursOn = isOn(names, ",neighbours,");
  aheadOn = isOn(names, ",ahead,");
  programOn = isOn(names, ",program,");
  batchOn = isOn(names, ",batch,");
  protectOn = isOn(names, ",protect,");
  teardownOn = isOn(names, ",teardown,");
  linearOn = isOn(names, ",linear,");
  windowOn = isOn(names, ",window,");
  resumeOn = isOn(names, ",resume,");
  expectOn = isOn(names, ",expect,");
  fastCallOn = isOn(names, ",sysenter,");
  asyncDiskOn = isOn(names, ",asyncdisk,");
  groupsOn = isOn(names, ",groups,");
  readAheadOn = isOn(names, ",readahead,");
  elevatorOn = isOn(names, ",elevator,");
  timePageOn = isOn(names, ",timepage,");
}

function isOn(off: string, name: string): bool {
  return off != ",all," && off.indexOf(name) < 0;
}

/** The word stands among the boot words, before exec=. */
export function hasBootWord(word: string): bool {
  const line = bootArgs();
  const command = line.indexOf("exec=");
  const words = " " + (command < 0 ? line : line.substring(0, command)) + " ";
  return words.indexOf(" " + word + " ") >= 0;
}
