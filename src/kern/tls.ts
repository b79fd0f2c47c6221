// TLS descriptors: three segment descriptors per thread, which user code sets by base and size and then loads into %gs
// or %fs. A descriptor is data, writable, accessed, DPL 3, 32-bit (type 19 with the S bit).

import { EINVAL, ENOENT, ERANGE } from "../abi/errno.ts";
import { SEL_TLS0 } from "../abi/frames.ts";
import { TlsInfo } from "../abi/time.ts";
import { copyin, copyout } from "machine/copyio.ts";
import { tlsLoad } from "machine/tls.ts";
import type { Lwp } from "./proc.ts";

const SLOTS: u32 = 3;
const ACCESS: u32 = 0xf300;           // present, DPL 3, data, writable, accessed
const BIG: u32 = 0x400000;            // 32-bit segment
const PAGES: u32 = 0x800000;          // limit counts pages
const MEGABYTE: u32 = 0x100000;

/** Address of descriptor `which` in lwp's three. */
function slotAddress(lwp: Lwp, which: u32): usize {
  return changetype<usize>(lwp.tls) + which * 8;
}

function setDescriptor(at: usize, base: u32, size: i32): void {
  let limit: u32 = 0xfffff;
  let flags: u32 = BIG | PAGES;
  if (size > 0) {
    limit = size as u32;
    if (limit > MEGABYTE) limit = (limit + 4095) & ~(4095 as u32);
    if (limit >= MEGABYTE) limit = limit >>> 12;
    else flags = BIG;
  }
  store<u32>(at, (base << 16) | (limit & 0xffff));
  store<u32>(at, (base & 0xff000000) | flags | (limit & 0xf0000) | ACCESS | ((base >>> 16) & 0xff), 4);
}

/** set_tls_area(which, info, size): take effect at once; answers the selector. */
export function sysSetTlsArea(lwp: Lwp, a: Ptr<u32>): i32 {
  if (a[0] >= SLOTS) return ERANGE;
  const info = new TlsInfo();
  const n = a[2] < sizeof<TlsInfo>() ? a[2] : sizeof<TlsInfo>();
  const error = n == 0 ? 0 : copyin(a[1], changetype<usize>(info), n);
  const base = info.base;
  const size = info.size;
  free(info);
  if (error != 0) return error;
  if (size < -1) return EINVAL;
  const at = slotAddress(lwp, a[0]);
  if (size == 0) memory.fill(at, 0, 8);
  else setDescriptor(at, base, size);
  tlsLoad(lwp);
  lwp.retval0 = SEL_TLS0 + a[0] * 8;
  return 0;
}

/** get_tls_area(which, info, size): ENOENT while the descriptor is empty; answers the selector. */
export function sysGetTlsArea(lwp: Lwp, a: Ptr<u32>): i32 {
  if (a[0] >= SLOTS) return ERANGE;
  const at = slotAddress(lwp, a[0]);
  const low = load<u32>(at);
  const high = load<u32>(at, 4);
  if ((high & 0x8000) == 0) return ENOENT;
  lwp.retval0 = SEL_TLS0 + a[0] * 8;
  if (a[1] == 0) return 0;
  const info = new TlsInfo();
  info.base = (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000);
  const limit: u32 = (low & 0xffff) | (high & 0xf0000);
  info.size = (high & PAGES) == 0 ? limit as i32 : limit == 0xfffff ? -1 : (limit << 12) as i32;
  const error = copyout(changetype<usize>(info), a[1], a[2] < sizeof<TlsInfo>() ? a[2] : sizeof<TlsInfo>());
  free(info);
  return error;
}
