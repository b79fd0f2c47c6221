import type { TrapFrame } from '../../../src/abi/frames.ts';
import { Lwp } from '../../../src/kern/proc.ts';
import { missing } from './platform.ts';

export function cpuSwitch(from: Lwp, to: Lwp): void { missing("cpuSwitch"); }
export function cpuForkLwp(child: Lwp, frame: TrapFrame): void { missing("fork"); }
export function cpuStartKthread(lwp: Lwp, fn: () => void): void { missing("threads"); }
export function frameActivate(lwp: Lwp): void { missing("frames"); }
