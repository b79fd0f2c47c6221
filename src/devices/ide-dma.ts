// The bus-master half of a PIIX IDE controller: for each of two channels a command, a status and the address of a table of
// physical regions (PRDs), through which the data of a drive's DMA command are moved in one event of virtual time. A table
// that is too short leaves the drive waiting, one that is too long leaves the active bit set, as the programming
// interface for bus master IDE controllers says (revision 1.0). Memory is reached through the caller, who also keeps
// decoded code in step.

import type { PortHandler, PortMap } from '../bus/ports.ts';
import type { AtaChannel } from './ata.ts';
import type { Transfer, Unit } from './ata-unit.ts';
import type { PciFunction } from './pci.ts';

/** Physical memory as a bus master sees it. What is not there reads as ones and swallows writes. */
export interface DmaMemory {
  read(pa: number, into: Uint8Array): void;
  write(pa: number, from: Uint8Array): void;
}

const [START, TO_MEMORY] = [1, 8];
const [ACTIVE, FAILED, INTERRUPT, DRIVES_CAPABLE] = [1, 2, 4, 0x60];
const [IO_SPACE, BUS_MASTER] = [1, 4];
const REGION_BYTES = 8;
const LAST_REGION = 0x8000_0000;
const MOST_REGIONS = 8192;
const PORTS = 16;
const BASE_REGISTER = 0x20;
const DEFAULT_BASE = 0xc000;

interface Region {
  readonly address: number;
  readonly bytes: number;
}

class BusMasterChannel {
  private command = 0;
  private status = 0;
  private table = 0;
  private serving: Unit | null = null;

  constructor(private readonly channel: AtaChannel, private readonly memory: DmaMemory, private readonly enabled: () => boolean) {
    channel.dmaRequested = () => this.begin();
    channel.interrupted = () => { this.status |= INTERRUPT; };
  }

  read(register: number): number {
    if (register === 0) return this.command;
    if (register === 2) return this.status;
    return register >= 4 ? (this.table >>> (8 * (register & 3))) & 0xff : 0;
  }

  write(register: number, value: number): void {
    if (register === 0) this.writeCommand(value);
    else if (register === 2) this.status = (this.status & ACTIVE) | (value & DRIVES_CAPABLE) | (this.status & ~value & (FAILED | INTERRUPT));
    else if (register >= 4) {
      const shift = 8 * (register & 3);
      this.table = ((this.table & ~(0xff << shift)) | (value << shift)) & ~3;
    }
  }

  private writeCommand(value: number): void {
    const started = (value & START) !== 0;
    const wasStarted = (this.command & START) !== 0;
    this.command = value & (START | TO_MEMORY);
    if (started === wasStarted) return;
    this.status = started ? this.status | ACTIVE : this.status & ~ACTIVE;
    if (started) this.begin();
    else this.serving?.abandonDma();
    if (!started) this.serving = null;
  }

  /** Serves the drive when it waits and the engine is running. */
  begin(): void {
    const { unit } = this.channel;
    if (!(this.command & START) || !unit?.dma || !this.enabled()) return;
    this.serving = unit;
    unit.serveDma((transfer) => this.move(transfer));
  }

  private move(transfer: Transfer): boolean {
    const { regions, bytes } = this.regions(transfer.bytes);
    this.serving = null;
    if (bytes < transfer.bytes) {
      this.status &= ~ACTIVE;
      return false;
    }
    const data = new Uint8Array(transfer.bytes);
    if (transfer.writing) this.each(regions, data, (pa, part) => this.memory.read(pa, part));
    transfer.move(0, data);
    if (!transfer.writing) this.each(regions, data, (pa, part) => this.memory.write(pa, part));
    if (bytes === transfer.bytes) this.status &= ~ACTIVE;
    return true;
  }

  private each(regions: readonly Region[], data: Uint8Array, action: (pa: number, part: Uint8Array) => void): void {
    let done = 0;
    for (const { address, bytes } of regions) {
      action(address, data.subarray(done, done + bytes));
      done += bytes;
    }
  }

  /** The regions up to the last one of the table or `wanted` bytes. */
  private regions(wanted: number): { regions: Region[]; bytes: number } {
    const regions: Region[] = [];
    const entry = new Uint8Array(REGION_BYTES);
    const view = new DataView(entry.buffer);
    let bytes = 0;
    while (regions.length < MOST_REGIONS) {
      this.memory.read((this.table + regions.length * REGION_BYTES) >>> 0, entry);
      const region = { address: view.getUint32(0, true) & ~1, bytes: view.getUint16(4, true) & ~1 || 0x10000 };
      regions.push({ address: region.address >>> 0, bytes: region.bytes });
      bytes += region.bytes;
      if (view.getUint32(4, true) >= LAST_REGION || bytes > wanted) break;
    }
    return { regions, bytes };
  }
}

/** The IDE function of a PIIX3 (8086:7010): both channels at their traditional places, bus-master registers at BAR 4. */
export class IdeFunction implements PciFunction {
  readonly device = 1;
  readonly function = 1;
  readonly bytes = new Uint8Array(256);
  readonly writable = new Uint8Array(256);
  private readonly channels: readonly BusMasterChannel[];
  private base = -1;

  constructor(private readonly ports: PortMap, channels: readonly AtaChannel[], memory: DmaMemory) {
    this.bytes.set([0x86, 0x80, 0x10, 0x70, IO_SPACE, 0, 0x80, 0x02, 0, 0x80, 1, 1]);
    this.bytes.set([(DEFAULT_BASE & 0xff) | 1, DEFAULT_BASE >> 8], BASE_REGISTER);
    this.bytes.set([0, 0x80, 0, 0x80], 0x40);      // IDETIM: both channels answer
    this.writable.set([IO_SPACE | BUS_MASTER], 4);
    this.writable[0x0d] = 0xf0;
    this.writable.set([0xf0, 0xff, 0, 0], BASE_REGISTER);
    this.writable.fill(0xff, 0x40, 0x45);
    const enabled = () => (this.bytes[4]! & BUS_MASTER) !== 0;
    this.channels = channels.map((channel) => new BusMasterChannel(channel, memory, enabled));
    this.written();
  }

  private readonly registers: PortHandler = {
    read: (port) => this.channels[(port >> 3) & 1]!.read(port & 7),
    write: (port, _size, value) => this.channels[(port >> 3) & 1]!.write(port & 7, value),
  };

  /** Puts the registers where BAR 4 says, if the command register lets the function answer. */
  written(): void {
    const bar = (this.bytes[BASE_REGISTER]! | (this.bytes[BASE_REGISTER + 1]! << 8)) & 0xfff0;
    const base = this.bytes[4]! & IO_SPACE && bar ? bar : -1;
    if (this.bytes[4]! & BUS_MASTER) for (const channel of this.channels) channel.begin();
    if (base === this.base) return;
    if (this.base >= 0) this.ports.detach(this.base, this.base + PORTS - 1, this.registers);
    if (base >= 0) this.ports.attachFree(base, base + PORTS - 1, this.registers);
    this.base = base;
  }
}
