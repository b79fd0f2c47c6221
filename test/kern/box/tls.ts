import { Lwp } from '../../../src/kern/proc.ts';

export function tlsLoad(lwp: Lwp): void {}
