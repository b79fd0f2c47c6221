import { Vmspace } from '../../../src/kern/vm_map.ts';

export function ldtChanged(vm: Vmspace): void {}
export function ldtCopyDefaults(table: usize): void {}
