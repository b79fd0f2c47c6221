import { L_EXIT, linux } from './linux.ts';

export function cpuHalt(code: i32): void { linux(L_EXIT, code as usize, 0, 0, 0, 0); }
export function cpuReboot(): void { cpuHalt(0); }
