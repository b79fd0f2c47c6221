// The memory image: the file that is this kernel's physical memory. It is made sparse and unlinked, so that nothing of it
// stays behind, and mapped MAP_SHARED | MAP_VPAGETABLE at KERNBASE with a root VPTE that makes the mapping linear: kernel
// address = KERNBASE + offset in the file.

import { O_CREAT, O_RDWR, O_TRUNC } from '../abi/file.ts';
import { MADV_NOSYNC, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, PROT_READ, PROT_WRITE, VPTE_PS, VPTE_RW, VPTE_V } from '../abi/mman.ts';
import { ftruncate, madvise, mcontrol, mmap, open, unlink } from '../libc/sys.ts';
import { KERNBASE } from './pmap.ts';

/** Descriptor of the image. */
export let imageFd: i32 = -1;

/** Creates and maps an image of `bytes` (a multiple of 4 MiB). Returns what failed, or null. Runs before __init. */
export function mapImage(path: string, bytes: u32): string | null {
  const fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0x180);
  if (fd < 0) return "open";
  unlink(path);
  if (ftruncate(fd, bytes) < 0) return "ftruncate";
  const base = mmap(KERNBASE, bytes, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, fd, 0);
  if (base != KERNBASE) return "mmap";
  madvise(KERNBASE, bytes, MADV_NOSYNC);
  if (mcontrol(KERNBASE, bytes, MADV_SETMAP, VPTE_PS | VPTE_RW | VPTE_V) < 0) return "mcontrol";
  imageFd = fd;
  return null;
}
