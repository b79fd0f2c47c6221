// The memory image: the file that is this kernel's physical memory. It is made sparse, locked against others, and mapped MAP_SHARED |
// MAP_VPAGETABLE at KERNBASE with a root VPTE that makes the mapping linear: kernel address = KERNBASE + offset in the file. With off=linear
// the addresses are the same, but the real kernel finds each page through a directory and tables in the image's last pages, as DragonFly's did.
// An image of our own is unlinked at once, so that nothing of it stays behind; one that -i names stays, with the last contents.

import { EOPNOTSUPP, EWOULDBLOCK } from '../abi/errno.ts';
import { F_SETFD, FD_CLOEXEC, O_CREAT, O_EXLOCK, O_NONBLOCK, O_RDWR, SEEK_END } from '../abi/file.ts';
import { MADV_NOSYNC, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, PAGE_SIZE, PROT_READ, PROT_WRITE, VPTE_PS, VPTE_RW, VPTE_V } from '../abi/mman.ts';
import { errno, fcntl, ftruncate, lseek, madvise, mcontrol, mmap, open, unlink } from '../libc/sys.ts';
import { linearOn } from '../kern/tuning.ts';
import { checkMemory, options, refuse, refuseFile, say } from './options.ts';
import { KERNBASE } from './pmap.ts';

const OWN_IMAGE: string = "/var/vkernel/memimg.";
const MOST_IMAGES: i32 = 1000000;
const DEFAULT_BYTES: u32 = 0x4000000;

/** Descriptor of the image. */
export let imageFd: i32 = -1;
/** Bytes of it that are our memory. */
export let imageBytes: u32 = 0;

/** Opens and locks; negative with errno when that is not possible. */
function openLocked(path: string): i32 {
  return open(path, O_RDWR | O_CREAT | O_EXLOCK | O_NONBLOCK, 0x180);
}

/** memimg.000000, or the first such name that nobody else has just made. */
function openOwn(): i32 {
  for (let n: i32 = 0; n < MOST_IMAGES; n++) {
    const digits = `${MOST_IMAGES + n}`.substring(1);
    const fd = openLocked(OWN_IMAGE + digits);
    if (fd >= 0) {
      unlink(OWN_IMAGE + digits);
      return fd;
    }
    if (errno() != EWOULDBLOCK) refuseFile(OWN_IMAGE + digits);
  }
  refuse(OWN_IMAGE + "*: all locked");
  return -1;
}

/** The size: what -m says, else that of the file that -i names, if it has one. */
function sizeOf(fd: i32): u32 {
  if (options.memory != 0) return options.memory;
  const bytes = lseek(fd, 0, SEEK_END);
  if (bytes <= 0) return DEFAULT_BYTES;
  checkMemory(bytes as u32, options.image);
  return bytes as u32;
}

/** Creates and maps the image; ends the process when that is not possible. */
export function mapImage(): void {
  const path = options.image != "" ? options.image : OWN_IMAGE;
  const fd = options.image != "" ? openLocked(options.image) : openOwn();
  if (fd < 0) refuseFile(path);
  const bytes = sizeOf(fd);
  if (ftruncate(fd, 0) < 0 || ftruncate(fd, bytes) < 0) refuseFile(path);
  const base = mmap(KERNBASE, bytes, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, fd, 0);
  if (base != KERNBASE && errno() == EOPNOTSUPP) refuse("the host's vm.vkernel_enable is 0; set it to 1");
  if (base != KERNBASE) refuseFile(path);
  madvise(KERNBASE, bytes, MADV_NOSYNC);
  if (mcontrol(KERNBASE, bytes, MADV_SETMAP, VPTE_PS | VPTE_RW | VPTE_V) < 0) refuseFile(path);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  imageFd = fd;
  imageBytes = linearOn ? bytes : mapByTables(bytes);
  if (options.verbose) say(`vkernel: memory ${bytes >>> 20} MB, ${options.image != "" ? path : "own image"}\n`);
}

const TABLE_BYTES: u32 = 0x400000;     // that one table maps

/** Maps the image through tables in it; the bytes before them. */
function mapByTables(bytes: u32): u32 {
  const tables = (bytes + TABLE_BYTES - 1) / TABLE_BYTES;
  const directory = bytes - (tables + 1) * PAGE_SIZE;
  memory.fill(KERNBASE + directory, 0, bytes - directory);
  for (let i: u32 = 0; i < tables; i++) store<u32>(KERNBASE + directory + i * 4, (directory + (i + 1) * PAGE_SIZE) | VPTE_RW | VPTE_V);
  for (let pa: u32 = 0; pa < bytes; pa += PAGE_SIZE) store<u32>(KERNBASE + directory + PAGE_SIZE + (pa >>> 10), pa | VPTE_RW | VPTE_V);
  if (mcontrol(KERNBASE, bytes, MADV_SETMAP, directory | VPTE_RW | VPTE_V) < 0) refuse("the image cannot be mapped by tables");
  return directory;
}

const WINDOW: usize = 0x3f000000;      // below KERNBASE
let windowPage: u32 = 0xffffffff;

/** Kernel address of a physical one in the one page that is pointed at the image as it is needed: how it was done before the linear mapping. */
export function throughWindow(pa: u32): usize {
  const page = pa & 0xfffff000;
  if (windowPage == 0xffffffff) mmap(WINDOW, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, imageFd, 0);
  if (windowPage != page) mcontrol(WINDOW, PAGE_SIZE, MADV_SETMAP, page | VPTE_PS | VPTE_RW | VPTE_V);
  windowPage = page;
  return WINDOW + (pa & 4095);
}
