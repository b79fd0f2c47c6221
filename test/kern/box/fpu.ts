import { missing } from './platform.ts';

export function fpuEnable(fxsr: bool): void { missing("fpu"); }
export function fpuReach(): void { missing("fpu"); }
export function fpuArm(free: bool): void { missing("fpu"); }
