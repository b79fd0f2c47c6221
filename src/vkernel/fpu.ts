// The virtual kernel's part of lazy FPU switching (kern/fpu.ts). The owner's registers are live in this kernel's own
// process; goUser asks for PGEX_FPFAULT whenever the process it runs is not ready. Nothing has to be armed beforehand.

/** The real kernel has prepared the processor. */
export function fpuEnable(_fxsr: bool): void {}

/** FPU instructions of this kernel always work. */
export function fpuReach(): void {}

/** goUser decides at each RUN. */
export function fpuArm(_free: bool): void {}
