// Physical memory is an array; nothing is ever mapped.

import { Lwp } from '../../../src/kern/proc.ts';
import { Pmap } from '../../../src/kern/ptable.ts';
import { missing } from './platform.ts';

/** 6 MiB: little enough that pages are taken away all the time. */
export const FRESH_IS_ZERO: bool = false;
export const RAM_BYTES: u32 = 0x600000;
let ram!: FixedArray<u32, 1574912>;

function base(): usize { return (addressof(ram) + 4095) & 0xfffff000; }
export function ptov(pa: u32): usize { return base() + pa; }
export function vtop(va: usize): u32 { return va - base(); }
export function pmapAttach(pm: Pmap): void { missing("pmapAttach"); }
export function pmapDetach(pm: Pmap): void { missing("pmapDetach"); }
export function pmapInvalidate(pm: Pmap, start: u32, end: u32): void { missing("pmapInvalidate"); }
export function pmapInvalidateRanges(pm: Pmap, ranges: usize, count: u32): void { missing("pmapInvalidateRanges"); }
export function pmapActivate(lwp: Lwp): void { missing("pmapActivate"); }
