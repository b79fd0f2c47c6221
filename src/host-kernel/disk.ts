// The disk: master drive on the primary ATA channel, with 28-bit sector addresses. Where a bus master is found, it moves the
// data (programming interface for bus master IDE controllers 1.0), to and from as many pages as the command has blocks, and the
// drive's interrupt ends it; other threads run meanwhile (kern/diskqueue.ts). Otherwise, and with off=asyncdisk, data go through
// the port, word by word, and the thread waits on the spot with the drive's interrupt off.

import { EIO, ENXIO } from "../abi/errno.ts";
import { BLOCK_SECTORS, BLOCK_SIZE, DISK_STARTED, diskDone, DiskRequest } from "../kern/diskqueue.ts";
import { asyncDiskOn } from "../kern/tuning.ts";
import { intrRegister, splhigh, splx } from "./intr.ts";
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
const TABLE_BYTES: u32 = 256;          // MOST_BLOCKS regions
const LAST_REGION: u32 = 0x80000000;
const PATIENCE: u32 = 10000000;

let sectors: u32 = 0;
let identity!: FixedArray<u32, 128>;
let master: u32 = 0;                   // first port of the bus master, 0: none
let regions!: FixedArray<u32, 128>;    // room for the table at a multiple of its size

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

/** Commands that the drive takes at once. */
export function diskSlots(): u32 {
  return 1;
}

/** Begin a command, or with programmed I/O do it: DISK_STARTED, 0 or EIO. At splhigh. */
export function diskStart(first: DiskRequest, _slot: u32): i32 {
  let blocks: u32 = 0;
  for (let r: DiskRequest | null = first; r != null; r = r.next) blocks++;
  const sector = first.block * BLOCK_SECTORS;
  const count = blocks * BLOCK_SECTORS;
  if (sector >= sectors || count > sectors - sector) return EIO;
  if (master == 0) return waited(first, sector, count);
  setRegions(first);
  outl(master + BM_TABLE, vtop(regionTable()));
  outb(master + BM_STATUS, BM_ERROR | BM_INTERRUPT);
  const direction: u32 = first.write ? 0 : BM_TO_MEMORY;
  outb(master, direction);
  address(sector, count);
  outb(COMMAND, first.write ? WRITE_DMA : READ_DMA);
  outb(master, direction | BM_START);
  return DISK_STARTED;
}

function regionTable(): usize {
  return (addressof(regions) + TABLE_BYTES - 1) & ~(TABLE_BYTES - 1);
}

/** Where in memory the data are, a region for each request: a page lies between two multiples of 64 KiB. */
function setRegions(first: DiskRequest): void {
  let at = regionTable();
  for (let r: DiskRequest | null = first; r != null; r = r.next) {
    store<u32>(at, vtop(r.kva));
    store<u32>(at, BLOCK_SIZE | (r.next == null ? LAST_REGION : 0), 4);
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
  diskDone(0, failed ? EIO : 0);
}

/** Size in sectors of 512 bytes. */
export function diskSize(): u32 {
  return sectors;
}

function address(sector: u32, count: u32): void {
  outb(DRIVE, 0xe0 | (sector >>> 24));
  outb(COUNT, count & 255);
  outb(LBA0, sector & 255);
  outb(LBA1, (sector >>> 8) & 255);
  outb(LBA2, (sector >>> 16) & 255);
}

/** Programmed I/O: nothing but this waits for the disk, so interrupts may come meanwhile. 0 or EIO. */
function waited(first: DiskRequest, sector: u32, count: u32): i32 {
  splx(1);
  const done = programmed(first, sector, count);
  splhigh();
  return done ? 0 : EIO;
}

/** A command with the data moved by the processor. */
function programmed(first: DiskRequest, sector: u32, count: u32): bool {
  if ((finalStatus() & BUSY) != 0) return false;
  address(sector, count);
  outb(COMMAND, first.write ? WRITE : READ);
  for (let r: DiskRequest | null = first; r != null; r = r.next) {
    for (let at = r.kva; at != r.kva + BLOCK_SIZE; at += 512) {
      if (!dataReady()) return false;
      if (r.write) writeSector(at);
      else readSector(at);
    }
  }
  return !first.write || (finalStatus() & (BUSY | FAULT | ERROR)) == 0;
}

/** The drive's status when it is no longer busy, with the errors of the last command; BUSY when it stays so. */
function finalStatus(): u32 {
  for (let i: u32 = 0; i < PATIENCE; i++) {
    const status = inb(COMMAND) as u32;
    if ((status & BUSY) == 0) return status;
  }
  return BUSY;
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
