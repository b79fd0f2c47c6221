// The disk: master drive on the primary ATA channel, programmed I/O with 28-bit sector addresses, polled. A transfer ends
// before the call returns; the drive's interrupt stays off.

import { EIO, ENXIO } from "../abi/errno.ts";
import { inb, outb } from "./io.ts";

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
const PATIENCE: u32 = 10000000;

let sectors: u32 = 0;
let identity!: FixedArray<u32, 128>;

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
  return sectors != 0 ? 0 : ENXIO;
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
    if (!command(sector + done, n, kva + done * 512, write)) return EIO;
    done += n;
  }
  return 0;
}

/** One command of at most 256 sectors. */
function command(sector: u32, count: u32, kva: usize, write: bool): bool {
  if (!notBusy()) return false;
  outb(DRIVE, 0xe0 | (sector >>> 24));
  outb(COUNT, count & 255);
  outb(LBA0, sector & 255);
  outb(LBA1, (sector >>> 8) & 255);
  outb(LBA2, (sector >>> 16) & 255);
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
