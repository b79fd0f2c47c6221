// TLS descriptors travel with every RUN: nothing is loaded here.

import type { Lwp } from '../kern/proc.ts';

/** The descriptors in lwp.tls are handed over when its process runs next. */
export function tlsLoad(_lwp: Lwp): void {}
