// The time page: one page that programs may map read-only from /dev/time and read the clock from without a system call. At each tick
// the kernel notes its monotonic clock, the time stamp counter at that moment, and nanoseconds a cycle; a reader adds the cycles
// that have passed since. Until somebody has mapped it, it costs nothing.

import { TimePage } from "../abi/time.ts";
import { cpuCycles, nanoTime } from "machine/clock.ts";
import { ptov } from "machine/pmap.ts";
import { vmPageAlloc, vmPageHold } from "./vm_page.ts";
import { VmObject, vmObjectAnon, vmObjectRef } from "./vm_object.ts";

let object!: VmObject;
let page!: TimePage;
let mapped: bool = false;
let startCycles: u64 = 0;
let startNs: u64 = 0;

/** Make the page, which nobody ever takes away. The clock runs. */
export function timePageInit(): void {
  object = vmObjectAnon(1);
  const p = vmPageAlloc(object, 0, true)!;
  vmPageHold(p);
  page = changetype<TimePage>(ptov(p.pa));
  startCycles = cpuCycles();
  startNs = nanoTime();
}

/** The object to map, with a reference for the caller. From now on the page is kept up to date. */
export function timePageObject(): VmObject {
  mapped = true;
  update();
  vmObjectRef(object);
  return object;
}

/** A tick has passed. At splhigh. */
export function timePageTick(): void {
  if (mapped) update();
}

function update(): void {
  const cycles = cpuCycles();
  const ns = nanoTime();
  const elapsed: u64 = cycles - startCycles;
  const ratio: u64 = elapsed < 1024 ? 0 : ((ns - startNs) << 20) / elapsed;
  page.sequence++;
  page.ratio = ratio as u32;
  page.nsLow = ns as u32;
  page.nsHigh = (ns >> 32) as u32;
  page.cyclesLow = cycles as u32;
  page.cyclesHigh = (cycles >> 32) as u32;
  page.sequence++;
}
