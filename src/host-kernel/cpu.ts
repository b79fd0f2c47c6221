// The PC has one processor: there is never another to start or to notify.

/** Processor `cpu` has something to look at. */
export function cpuKick(_cpu: i32): void {}

/** Start the other processors. */
export function cpusStart(): void {}
