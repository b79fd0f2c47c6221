// TLS descriptors into effect: the GDT has the current thread's in slots 15-17.

import { Lwp, tlsOf } from "../kern/proc.ts";
import { setTlsDescriptors } from "./segments.ts";

/** Make lwp's descriptors those that user segment loads find. */
export function tlsLoad(lwp: Lwp): void {
  setTlsDescriptors(tlsOf(lwp));
}
