import { Lwp } from '../../../src/kern/proc.ts';
import { missing } from './platform.ts';

export function cpuSwitch(from: Lwp, to: Lwp): void { missing("cpuSwitch"); }
export function threadStart(): void { missing("threads"); }
export function frameActivate(lwp: Lwp): void { missing("frames"); }
