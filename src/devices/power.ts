// The ways out of the machine: isa-debug-exit, the power-off registers that QEMU, Bochs and old Virtual PCs answer to, and
// the three reset registers (port 0x92, 0xCF9, keyboard controller command 0xFE). And the A20 gate, which port 0x92 and the
// keyboard controller both move: what was written last holds.

import type { PortHandler } from '../bus/ports.ts';

const SLEEP_ENABLE = 0x2000;

/** How a guest ended its machine. */
export type PowerEvent = { kind: 'off' } | { kind: 'reset' } | { kind: 'debug-exit'; value: number };

/** The gate of address line 20; open after power-on, as a BIOS leaves it. */
export class A20Gate {
  open = true;

  /** @param changed told of every change */
  constructor(private readonly changed: (open: boolean) => void) {}

  set(open: boolean): void {
    if (open === this.open) return;
    this.open = open;
    this.changed(open);
  }
}

export class Power {
  constructor(private readonly end: (event: PowerEvent) => void, private readonly a20: A20Gate) {}

  /** isa-debug-exit: the value written ends the machine at once. */
  readonly debugExit: PortHandler = {
    wide: 4,
    read: () => 0,
    write: (_port, _size, value) => this.end({ kind: 'debug-exit', value: value >>> 0 }),
  };

  /** Where other machines have their PM1 control register (0xB004): SLP_EN powers off. */
  readonly sleepControl: PortHandler = {
    wide: 2,
    read: () => 1,
    write: (_port, _size, value) => {
      if (value & SLEEP_ENABLE) this.off();
    },
  };

  off(): void {
    this.end({ kind: 'off' });
  }

  private shutdownText = '';

  /** Port 0x8900: the letters of "Shutdown" power off. */
  readonly shutdownPort: PortHandler = {
    read: () => 0xff,
    write: (_port, _size, value) => {
      this.shutdownText = (this.shutdownText + String.fromCharCode(value)).slice(-8);
      if (this.shutdownText === 'Shutdown') this.off();
    },
  };

  /** Port 0xCF9: bit 2 resets. */
  readonly resetControl: PortHandler = {
    read: () => 0,
    write: (_port, _size, value) => {
      if (value & 4) this.end({ kind: 'reset' });
    },
  };

  /** Port 0x92: bit 0 resets, bit 1 opens A20. */
  readonly port92: PortHandler = {
    read: () => (this.a20.open ? 2 : 0),
    write: (_port, _size, value) => {
      this.a20.set((value & 2) !== 0);
      if (value & 1) this.end({ kind: 'reset' });
    },
  };

  reset(): void {
    this.end({ kind: 'reset' });
  }
}
