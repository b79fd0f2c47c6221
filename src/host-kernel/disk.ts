// The disk: master drive on the primary ATA channel, with 28-bit sector addresses. Where a bus master is found, it moves the
// data (programming interface for bus master IDE controllers 1.0) and the drive's interrupt ends a request; the thread that
// made it sleeps meanwhile (kern/diskqueue.ts). Otherwise, and with off=asyncdisk, data go through the port, word by word, and
// the thread waits on the spot with the drive's interrupt off.

import { EIO, ENXIO } from "../abi/errno.ts";
import { diskDone, DiskRequest, diskSleep } from "../kern/diskqueue.ts";
import { asyncDiskOn } from "../kern/tuning.ts";
import { intrRegister } from "./intr.ts";
import { inb, outb, outl } from "./io.ts";
import { NO_FUNCTION, pciFind, pciRead, pciWrite } from "./pci.ts";
import { vtop } from "./pmap.ts";

const COUNT: u32 = 0x1f2;
const LBA0: u32 = 0x1f3;
const LBA1: u32 = 0x1f4;
const LBA2: u32 = 0x1f5;
const DRIVE: u32 = 0x1f6;
const COMMAND: u32 = 0x1f7;       // read: status
const CONTROL: u32 = 0x3f6;
const NO_INTERRUPT: u32 = 2;

const BUSY: u32 = 0x80;
const REQUEST: u32 = 8;           // DRQ
const FAULT: u32 = 0x20;
const ERROR: u32 = 1;
const FLOATING: u32 = 0xff;       // no drive answers

const READ: u32 = 0x20;
const WRITE: u32 = 0x30;
const IDENTIFY: u32 = 0xec;
const SECTORS_AT: usize = 120;    // in the answer to IDENTIFY
const MAX_COUNT: u32 = 256;
const IRQ: u32 = 14;

// The bus master: PCI class, configuration registers, and its ports from that base.
const IDE_CLASS: u32 = 0x0101;
const PCI_COMMAND: u32 = 4;
const PORTS_AND_MASTER: u32 = 5;
const BASE_ADDRESS: u32 = 0x20;
const BM_STATUS: u32 = 2;
const BM_TABLE: u32 = 4;
const BM_START: u32 = 1;
const BM_TO_MEMORY: u32 = 8;
const BM_ERROR: u32 = 2;
const BM_INTERRUPT: u32 = 4;
const READ_DMA: u32 = 0xc8;
const WRITE_DMA: u32 = 0xca;
const SEGMENT: u32 = 0x10000;          // no region crosses such a boundary
const LAST_REGION: u32 = 0x80000000;
const PATIENCE: u32 = 10000000;

let sectors: u32 = 0;
let identity!: FixedArray<u32, 128>;
let master: u32 = 0;                   // first port of the bus master, 0: none
let regions!: FixedArray<u32, 16>;     // room for 4 regions at an address that is a multiple of 32

/** Find the disk: 0, or ENXIO when there is none. */
export function diskInit(): i32 {
  outb(CONTROL, NO_INTERRUPT);
  outb(DRIVE, 0xe0);
  const status = inb(COMMAND) as u32;
  if (status == 0 || status == FLOATING) return ENXIO;
  outb(COMMAND, IDENTIFY);
  if (!dataReady()) return ENXIO;
  readSector(addressof(identity));
  sectors = load<u32>(addressof(identity) + SECTORS_AT);
  if (sectors == 0) return ENXIO;
  if (asyncDiskOn) findMaster();
  return 0;
}

/** From here on the drive interrupts, if there is a bus master. */
function findMaster(): void {
  const fn = pciFind(IDE_CLASS);
  if (fn == NO_FUNCTION) return;
  const base = pciRead(fn, BASE_ADDRESS) & 0xfffc;
  if (base == 0) return;
  pciWrite(fn, PCI_COMMAND, pciRead(fn, PCI_COMMAND) | PORTS_AND_MASTER);
  master = base;
  intrRegister(IRQ, interrupt);
  outb(CONTROL, 0);
}

/** Begin a request. At splhigh. */
function start(r: DiskRequest): void {
  setRegions(r.kva, r.count * 512);
  outl(master + BM_TABLE, vtop(regionTable()));
  outb(master + BM_STATUS, BM_ERROR | BM_INTERRUPT);
  const direction: u32 = r.write ? 0 : BM_TO_MEMORY;
  outb(master, direction);
  address(r.sector, r.count);
  outb(COMMAND, r.write ? WRITE_DMA : READ_DMA);
  outb(master, direction | BM_START);
}

function regionTable(): usize {
  return (addressof(regions) + 31) & ~(31 as u32);
}

/** Where in memory the data are: kernel memory is contiguous. */
function setRegions(kva: usize, bytes: u32): void {
  let at = regionTable();
  let pa = vtop(kva);
  let left = bytes;
  for (;;) {
    const room = SEGMENT - (pa & (SEGMENT - 1));
    const n = left < room ? left : room;
    left -= n;
    store<u32>(at, pa);
    store<u32>(at, (n & 0xffff) | (left == 0 ? LAST_REGION : 0), 4);
    if (left == 0) return;
    pa += n;
    at += 8;
  }
}

/** The drive has done what it was told to. */
function interrupt(): void {
  const progress = inb(master + BM_STATUS) as u32;
  if ((progress & BM_INTERRUPT) == 0) return;
  const status = inb(COMMAND) as u32;
  outb(master, 0);
  outb(master + BM_STATUS, BM_ERROR | BM_INTERRUPT);
  const failed = (progress & BM_ERROR) != 0 || (status & (FAULT | ERROR)) != 0;
  const next = diskDone(failed ? EIO : 0);
  if (next != null) start(next);
}

/** Size in sectors of 512 bytes. */
export function diskSize(): u32 {
  return sectors;
}

/** Read `count` sectors from `sector` on to kernel memory: 0 or EIO. */
export function diskRead(sector: u32, count: u32, kva: usize): i32 {
  return transfer(sector, count, kva, false);
}

/** Write `count` sectors from kernel memory: 0 or EIO. */
export function diskWrite(sector: u32, count: u32, kva: usize): i32 {
  return transfer(sector, count, kva, true);
}

function transfer(sector: u32, count: u32, kva: usize, write: bool): i32 {
  if (sector >= sectors || count > sectors - sector) return EIO;
  let done: u32 = 0;
  while (done < count) {
    const n = count - done < MAX_COUNT ? count - done : MAX_COUNT;
    const at = kva + done * 512;
    let error: i32 = 0;
    if (master != 0) error = diskSleep(sector + done, n, at, write, start);
    else if (!command(sector + done, n, at, write)) error = EIO;
    if (error != 0) return error;
    done += n;
  }
  return 0;
}

function address(sector: u32, count: u32): void {
  outb(DRIVE, 0xe0 | (sector >>> 24));
  outb(COUNT, count & 255);
  outb(LBA0, sector & 255);
  outb(LBA1, (sector >>> 8) & 255);
  outb(LBA2, (sector >>> 16) & 255);
}

/** One command of at most 256 sectors. */
function command(sector: u32, count: u32, kva: usize, write: bool): bool {
  if (!notBusy()) return false;
  address(sector, count);
  outb(COMMAND, write ? WRITE : READ);
  for (let i: u32 = 0; i < count; i++) {
    if (!dataReady()) return false;
    if (write) writeSector(kva + i * 512);
    else readSector(kva + i * 512);
  }
  return !write || notBusy();
}

/** Wait until the drive is not busy; false when it reports an error. */
function notBusy(): bool {
  for (let i: u32 = 0; i < PATIENCE; i++) {
    const status = inb(COMMAND) as u32;
    if ((status & BUSY) == 0) return (status & (FAULT | ERROR)) == 0;
  }
  return false;
}

/** Wait until the drive wants a sector's data moved; false when it reports an error. */
function dataReady(): bool {
  for (let i: u32 = 0; i < PATIENCE; i++) {
    const status = inb(COMMAND) as u32;
    if ((status & BUSY) != 0) continue;
    if ((status & (FAULT | ERROR)) != 0) return false;
    if ((status & REQUEST) != 0) return true;
  }
  return false;
}

function readSector(kva: usize): void {
  asm`push edi
      mov edi, ${kva}
      mov edx, 0x1f0
      mov ecx, 128
      cld
      rep insd
      pop edi`;
}

function writeSector(kva: usize): void {
  asm`push esi
      mov esi, ${kva}
      mov edx, 0x1f0
      mov ecx, 128
      cld
      rep outsd
      pop esi`;
}
