// PCI configuration space by mechanism 1 (ports 0xCF8-0xCFF): the functions of bus 0, among them the host bridge, an Intel
// 440FX, and the ISA bridge of a PIIX3. A configuration address that names nothing reads as all ones and swallows writes, which is how systems find empty slots.

import type { PortHandler, Size } from '../bus/ports.ts';

/** Configuration registers of one function: initial values and, bit for bit, what software may change. */
export interface PciFunction {
  readonly device: number;
  readonly function: number;
  readonly bytes: Uint8Array;
  readonly writable: Uint8Array;
  /** Told after software has written registers. */
  written?(): void;
}

/** The host bridge: vendor 8086, device 1237, class 0600. */
export function hostBridge(): PciFunction {
  const bytes = new Uint8Array(256);
  const writable = new Uint8Array(256);
  bytes.set([0x86, 0x80, 0x37, 0x12, 0x06, 0x00, 0x80, 0x22, 0x02, 0x00, 0x00, 0x06]);
  writable[0x0d] = 0xf8;                   // latency timer
  writable.fill(0xff, 0x59, 0x60);         // memory attributes of 0xC0000-0xFFFFF
  return { device: 0, function: 0, bytes, writable };
}

/** The ISA bridge, function 0 of the multifunction device 1: vendor 8086, device 7000, class 0601. */
export function isaBridge(): PciFunction {
  const bytes = new Uint8Array(256);
  const writable = new Uint8Array(256);
  bytes.set([0x86, 0x80, 0x00, 0x70, 0x07, 0x00, 0x00, 0x02, 0x00, 0x00, 0x01, 0x06, 0, 0, 0x80]);
  bytes.fill(0x80, 0x60, 0x64);            // no PCI interrupt is routed
  writable.fill(0xff, 0x60, 0x64);
  writable.fill(0xff, 0x4c, 0x50);
  return { device: 1, function: 0, bytes, writable };
}

export class PciBus {
  private address = 0;

  /**
   * @param functions what is plugged in, all on bus 0
   * @param resetControl what answers to byte accesses of port 0xCF9, inside the address register
   */
  constructor(private readonly functions: readonly PciFunction[], private readonly resetControl: PortHandler) {}

  /** Ports 0xCF8-0xCFB: the address register takes whole words only. */
  readonly addressPort: PortHandler = {
    wide: 4,
    read: (port, size) => {
      if (size === 4) return this.address;
      return port === 0xcf9 && size === 1 ? this.resetControl.read(port, size) : (1 << (8 * size)) - 1;
    },
    write: (port, size, value) => {
      if (size === 4) this.address = (value & 0x80fffffc) >>> 0;
      else if (port === 0xcf9 && size === 1) this.resetControl.write(port, size, value);
    },
  };

  /** Ports 0xCFC-0xCFF. */
  readonly dataPort: PortHandler = {
    wide: 4,
    read: (port, size) => this.readConfiguration(this.offset(port), size),
    write: (port, size, value) => this.writeConfiguration(this.offset(port), size, value),
  };

  private offset(port: number): number {
    return (this.address & 0xfc) | (port & 3);
  }

  private selected(): PciFunction | undefined {
    if (!(this.address & 0x80000000) || this.address & 0xff0000) return undefined;
    const device = (this.address >>> 11) & 31;
    const number = (this.address >>> 8) & 7;
    return this.functions.find((f) => f.device === device && f.function === number);
  }

  private readConfiguration(offset: number, size: Size): number {
    const target = this.selected();
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (target ? target.bytes[(offset + i) & 0xff]! : 0xff);
    return value;
  }

  private writeConfiguration(offset: number, size: Size, value: number): void {
    const target = this.selected();
    if (!target) return;
    for (let i = 0; i < size; i++) {
      const at = (offset + i) & 0xff;
      const mask = target.writable[at]!;
      target.bytes[at] = (target.bytes[at]! & ~mask) | ((value >>> (8 * i)) & mask);
    }
    target.written?.();
  }
}
