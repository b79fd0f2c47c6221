// Cases about MAP_VPAGETABLE in a process's own address space: who may map, the walk, the accessed and modified bits, and what
// MADV_INVAL and MADV_SETMAP forget. The window is such a mapping of the image of usertests-image.ts.

import { EFAULT, EINVAL, EOPNOTSUPP } from '../abi/errno.ts';
import { VM_VKERNEL_ENABLE } from '../abi/file.ts';
import { MADV_INVAL, MADV_INVALV, MADV_SETMAP, MAP_ANON, MAP_PRIVATE, MAP_SHARED, MAP_STACK, MAP_VPAGETABLE, PROT_READ, VPTE_A, VPTE_M, VPTE_PS, VPTE_V } from '../abi/mman.ts';
import { SEGV_ACCERR, SEGV_MAPERR } from '../abi/signal.ts';
import { close, madvise, mcontrol, mmap, munmap, pipe, read, unlink, write } from '../libc/sys.ts';
import { catchFaults, check, checkChild, checkEqual, checkError, lastFaultCode, must, PAGE, peek, poke, RW } from './usertests-harness.ts';
import { DATA_PAGE, directoryEntry, image, linear, makeImage, pageAt, setDirectoryEntry, setVm, setVpte, SPAN, vkernelTest, vpte, VW } from './usertests-image.ts';

const AM: u32 = VPTE_A | VPTE_M;
let window: usize = 0;
let ranges!: FixedArray<u32, 4>;
let fds!: FixedArray<i32, 2>;

function mapWindow(prot: i32, flags: i32, offset: u32): usize {
  return mmap(0, SPAN, prot, flags | MAP_VPAGETABLE, image, offset);
}

/** The image, pages 32 to 63 of which begin with their numbers, and the window without a root. */
function prepare(): void {
  catchFaults();
  makeImage();
  for (let page: u32 = DATA_PAGE; page < 64; page++) store<u32>(pageAt(page), page);
  window = mapWindow(RW, MAP_SHARED, 0);
  must("mmap", window as i32);
}

function setRoot(value: u32): void {
  checkEqual("MADV_SETMAP", mcontrol(window, SPAN, MADV_SETMAP, value), 0);
}

/** The same with the tree as root. */
function prepareTree(): void {
  prepare();
  setRoot(VW);
}

function at(page: u32): usize {
  return window + page * PAGE;
}

function forget(page: u32): void {
  checkEqual("MADV_INVAL", madvise(at(page), PAGE, MADV_INVAL), 0);
}

function checkBits(what: string, entry: u32, bits: u32): void {
  checkEqual(what, (entry & 0xfff) as i32, bits as i32);
}

export function vpagetableCases(): void {
  vkernelTest("vpagetable-disabled", () => {
    makeImage();
    setVm(VM_VKERNEL_ENABLE, 0);
    checkError("MAP_VPAGETABLE", mapWindow(RW, MAP_SHARED, 0) as i32, EOPNOTSUPP);
  });
  vkernelTest("vpagetable-errors", () => {
    prepare();
    checkError("read only", mapWindow(PROT_READ, MAP_SHARED, 0) as i32, EINVAL);
    checkError("a stack", mapWindow(RW, MAP_SHARED | MAP_STACK, 0) as i32, EINVAL);
    checkError("MADV_SETMAP by madvise", madvise(window, SPAN, MADV_SETMAP), EINVAL);
    checkError("of an ordinary mapping", mcontrol(linear, PAGE, MADV_SETMAP, 0), EINVAL);
    checkError("no such behaviour", mcontrol(window, SPAN, 12, 0), EINVAL);
  });
  vkernelTest("vpagetable-without-root", () => {
    prepare();
    checkEqual("load", peek(window), -1);
    checkEqual("nothing there", lastFaultCode(), SEGV_MAPERR);
    check("store", !poke(window, 1));
  });
  vkernelTest("vpagetable-walk", () => {
    prepareTree();
    setVpte(3, 40 * PAGE | VW);
    checkEqual("by its table", peek(at(3)), 40);
    checkEqual("another page", peek(at(DATA_PAGE)), 32);
    const again = mapWindow(RW, MAP_SHARED, 0);
    mcontrol(again, SPAN, MADV_SETMAP, VW);
    checkEqual("the same elsewhere", peek(again + 3 * PAGE), 40);
    checkEqual("an empty entry", peek(at(4)), -1);
    checkEqual("nothing there", lastFaultCode(), SEGV_MAPERR);
    setVpte(4, 41 * PAGE | VW);
    checkEqual("filled", peek(at(4)), 41);
    setVpte(5, 0x7000000 | VW);
    checkEqual("beyond the image", peek(at(5)), -1);
    checkEqual("not to be had", lastFaultCode(), SEGV_ACCERR);
  });
  vkernelTest("vpagetable-large", () => {
    prepare();
    setRoot(VPTE_PS | VW | 33 * PAGE);
    checkEqual("root, page 0", peek(window), 33);
    checkEqual("page 5", peek(at(5)), 38);
    setDirectoryEntry(VPTE_PS | VW | 34 * PAGE);
    setRoot(VW);
    checkEqual("directory entry, page 5", peek(at(5)), 39);
    const other = mapWindow(RW, MAP_SHARED, 8 * PAGE);
    mcontrol(other, SPAN, MADV_SETMAP, VPTE_PS | VW | 33 * PAGE);
    checkEqual("behind an offset", peek(other), 41);
  });
  vkernelTest("vpagetable-accessed-modified", () => {
    prepareTree();
    check("load", peek(at(DATA_PAGE)) == 32);
    checkBits("sets A", vpte(DATA_PAGE), VW | VPTE_A);
    checkBits("above, too", directoryEntry(), VW | VPTE_A);
    check("then a store", poke(at(DATA_PAGE), 32));
    checkBits("sets M", vpte(DATA_PAGE), VW | AM);
    setVpte(6, 46 * PAGE | VW);
    setDirectoryEntry(PAGE | VW);
    check("a store at once", poke(at(6), 46));
    checkBits("sets both", vpte(6), VW | AM);
    checkBits("above, too", directoryEntry(), VW | AM);
    setVpte(6, 46 * PAGE | VW | VPTE_A);
    forget(6);
    check("a store after M was cleared", poke(at(6), 46));
    checkBits("sets it again", vpte(6), VW | AM);
  });
  vkernelTest("vpagetable-read-only", () => {
    prepareTree();
    setVpte(7, 47 * PAGE | VPTE_V);
    checkEqual("load", peek(at(7)), 47);
    check("no store", !poke(at(7), 1));
    checkBits("nor M", vpte(7), VPTE_V | VPTE_A);
    setVpte(7, 47 * PAGE | VW);
    check("writable needs no word", poke(at(7), 47));
    setDirectoryEntry(PAGE | VPTE_V);
    setVpte(8, 48 * PAGE | VW);
    check("nor store below a read-only entry", !poke(at(8), 1));
    checkEqual("load", peek(at(8)), 48);
  });
  vkernelTest("vpagetable-inval", () => {
    prepareTree();
    check("there", poke(at(DATA_PAGE), 32));
    setVpte(DATA_PAGE, 0);
    forget(DATA_PAGE);
    checkEqual("gone", peek(at(DATA_PAGE)), -1);
    setVpte(DATA_PAGE, 50 * PAGE | VW);
    checkEqual("another", peek(at(DATA_PAGE)), 50);
    poke(at(DATA_PAGE), 50);
    setVpte(DATA_PAGE, 50 * PAGE | VPTE_V);
    forget(DATA_PAGE);
    check("permission taken", !poke(at(DATA_PAGE), 1));
  });
  vkernelTest("vpagetable-inval-ranges", () => {
    prepareTree();
    for (let page: u32 = 20; page < 23; page++) {
      setVpte(page, (page + 20) * PAGE | VW);
      checkEqual("there", peek(at(page)), (page + 20) as i32);
      setVpte(page, 0);
    }
    ranges[0] = at(20);
    ranges[1] = PAGE;
    ranges[2] = at(22);
    ranges[3] = PAGE;
    checkError("too many", mcontrol(addressof(ranges), 17, MADV_INVALV, 0), EINVAL);
    checkError("no vector", mcontrol(0x100, 1, MADV_INVALV, 0), EFAULT);
    checkEqual("two ranges", mcontrol(addressof(ranges), 2, MADV_INVALV, 0), 0);
    check("both are gone", peek(at(20)) == -1 && peek(at(22)) == -1);
    ranges[2] = 0xfffff000;
    checkError("beyond user space", mcontrol(addressof(ranges), 2, MADV_INVALV, 0), EINVAL);
  });
  vkernelTest("vpagetable-setmap", () => {
    prepareTree();
    checkEqual("by the tree", peek(at(DATA_PAGE)), 32);
    setRoot(VPTE_PS | VW);
    checkEqual("by the root", peek(at(40)), 40);
    setRoot(VPTE_PS | VW | 2 * PAGE);
    checkEqual("by another", peek(at(40)), 42);
    setRoot(0);
    checkEqual("by none", peek(at(40)), -1);
  });
  vkernelTest("vpagetable-system-call", () => {
    prepareTree();
    must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
    setVpte(9, 51 * PAGE | VW);
    setVpte(10, 52 * PAGE | VW);
    checkEqual("write", write(fds[1], at(9), 4), 4);
    checkBits("sets A", vpte(9), VW | VPTE_A);
    checkEqual("read", read(fds[0], at(10), 4), 4);
    checkBits("sets M", vpte(10), VW | AM);
    checkEqual("the bytes", load<i32>(pageAt(52)), 51);
    checkError("where nothing is", write(fds[1], at(11), 4), EFAULT);
  });
  vkernelTest("vpagetable-fork", () => {
    prepareTree();
    checkChild("a child walks the same tree", () => {
      setVpte(12, 53 * PAGE | VW);
      return peek(at(12)) == 53 && poke(at(12), 54) ? 0 : 1;
    });
    checkEqual("and stores into the same page", peek(at(12)), 54);
    checkBits("which it marks", vpte(12), VW | AM);
  });
  vkernelTest("vpagetable-private", () => {
    // Private memory can hold its own tree: slot 0 of page 0 leads to page 1, whose slot 2 leads to page 2.
    const tree = mmap(0, SPAN, RW, MAP_PRIVATE | MAP_ANON | MAP_VPAGETABLE, -1, 0);
    must("mmap", tree as i32);
    mcontrol(tree, SPAN, MADV_SETMAP, VPTE_PS | VW);
    store<u32>(tree, PAGE | VW);
    store<u32>(tree + PAGE + 8, 2 * PAGE | VW);
    store<u32>(tree + 2 * PAGE, 12345);
    mcontrol(tree, SPAN, MADV_SETMAP, VW);
    checkEqual("through its tree", load<i32>(tree + 2 * PAGE), 12345);
    catchFaults();
    checkEqual("and no further", peek(tree + 3 * PAGE), -1);
  });
  vkernelTest("vpagetable-outlives-descriptor", () => {
    prepareTree();
    close(image);
    unlink("image");
    munmap(linear, 64 * PAGE);
    checkEqual("the window is enough", peek(at(DATA_PAGE)), 32);
    munmap(window, SPAN);
    checkEqual("and the last", peek(at(DATA_PAGE)), -1);
  });
}
