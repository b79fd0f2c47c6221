import { Lwp } from '../../../src/kern/proc.ts';
import { missing } from './platform.ts';

export function fpuExit(lwp: Lwp): void { missing("fpu"); }
export function fpuFork(from: Lwp, to: Lwp): void { missing("fpu"); }
export function fpuTrap(lwp: Lwp): bool { missing("fpu"); return false; }
export function fpuVirt(lwp: Lwp, on: bool): void { missing("fpu"); }
export function fpuSave(lwp: Lwp, kva: usize): i32 { missing("fpu"); return 0; }
export function fpuRestore(lwp: Lwp, kva: usize): void { missing("fpu"); }
