// Judges what happens when memory runs short: an image that is larger than memory leaves room for whoever needs memory of another
// kind.

import { VmStats } from '../../src/abi/file.ts';
import { MADV_NOSYNC, MADV_SETMAP, MAP_ANON, MAP_PRIVATE, MAP_SHARED, MAP_VPAGETABLE, VPTE_PS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { setMain } from '../../src/libc/crt.ts';
import { madvise, mcontrol, mmap, munmap } from '../../src/libc/sys.ts';
import { check, checkEqual, enableVkernel, inChild, readStats, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;

let stats!: Embed<VmStats>;
let image: i32 = -1;                // an image one and a half times as large as memory, and where it is mapped
let linear: usize = 0;
let imagePages: u32 = 0;

function makeImage(): void {
  readStats(stats);
  imagePages = stats.pages + stats.pages / 2;
  image = scratchFile(imagePages * PAGE);
  linear = mmap(0, imagePages * PAGE, RW, MAP_SHARED | MAP_VPAGETABLE, image, 0);
  madvise(linear, imagePages * PAGE, MADV_NOSYNC);
  mcontrol(linear, imagePages * PAGE, MADV_SETMAP, VPTE_PS | VPTE_V | VPTE_RW);
}

/** The first word of every page becomes its number plus `plus`. */
function fill(base: usize, pages: u32, plus: u32): void {
  for (let page: u32 = 0; page < pages; page++) store<u32>(base + page * PAGE, page + plus);
}

function wrongPages(base: usize, pages: u32, plus: u32): i32 {
  let wrong: i32 = 0;
  for (let page: u32 = 0; page < pages; page++) if (load<u32>(base + page * PAGE) != page + plus) wrong++;
  return wrong;
}

/** Takes an eighth of memory, when nearly all of it is changed pages of the image. */
function anonymous(): i32 {
  const pages = stats.pages / 8;
  fill(linear, imagePages, 1);
  const own = mmap(0, pages * PAGE, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
  fill(own, pages, 2);
  fill(linear, imagePages, 3);
  return wrongPages(own, pages, 2) + wrongPages(linear, imagePages, 3) == 0 ? 0 : 1;
}

function main(args: string[]): i32 {
  enableVkernel(1);
  makeImage();
  checkEqual("a process finds memory beside an image that is larger than memory", inChild(anonymous), 0);
  check("the image was paged out", pagedOut() > imagePages);
  munmap(linear, imagePages * PAGE);
  return verdict("shortage");
}

function pagedOut(): u32 {
  readStats(stats);
  return stats.pagedOut;
}

setMain(main);
