export function cpuCycles(): u64 { return 0; }
export function cycleCount(): u32 { return 0; }
export function nanoTime(): u64 { return 0; }
export function epochSeconds(): u32 { return 1200000000; }
export function usedUsec(): u64 { return 0; }
export const USED_IS_KNOWN: bool = false;
