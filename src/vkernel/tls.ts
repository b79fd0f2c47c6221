// TLS descriptors travel with every RUN: nothing is loaded here.

import type { Lwp } from '../kern/proc.ts';

/** lwp's descriptors are handed over when its process runs next. */
export function tlsLoad(_lwp: Lwp): void {}
