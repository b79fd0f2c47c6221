// A process's LDT is that of its VM space: the real kernel puts it into effect.

import { LDT_FIRST, LDT_SLOTS, LdtArguments, VMSPACE_CTL_SETLDT } from "../abi/frames.ts";
import type { Vmspace } from "../kern/vm_map.ts";
import { panic } from "../kern/panic.ts";
import { vmspaceCtl } from "../libc/sys.ts";

const SLOT: u32 = 8;
let args!: Embed<LdtArguments>;

/** The table of a space has come, changed or gone. */
export function ldtChanged(vm: Vmspace): void {
  args.start = LDT_FIRST;
  args.descriptors = vm.ldt + LDT_FIRST * SLOT;
  args.count = vm.ldt != 0 ? LDT_SLOTS - LDT_FIRST : 0;
  if (vmspaceCtl(vm.pmap.space, VMSPACE_CTL_SETLDT, changetype<usize>(args), 0) < 0) panic("vmspace_ctl");
}

/** The real kernel fills its own slots. */
export function ldtCopyDefaults(_table: usize): void {}
