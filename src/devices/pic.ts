// The two cascaded 8259A interrupt controllers of a PC: ports 0x20-0x21 and 0xA0-0xA1, edge or level (4D0h/4D1h) inputs,
// fully nested priority, rotation by EOI commands, automatic EOI, special mask mode and poll mode are served as the data
// sheet says; buffered mode and the 8080 call mode have no effect on a PC.

import type { IrqLine } from '../bus/irq.ts';
import type { PortHandler, Size } from '../bus/ports.ts';

class Chip {
  lines = 0;           // input levels
  request = 0;         // IRR
  service = 0;         // ISR
  mask = 0xff;         // IMR
  level = 0;           // ELCR: 1 = level triggered
  base = 0;            // vector of input 0
  lowest = 7;          // input of lowest priority
  initStep = 0;        // next ICW expected, 0 = none
  needIcw4 = false;
  single = false;
  autoEoi = false;
  rotateOnAutoEoi = false;
  specialMask = false;
  readService = false;
  poll = false;

  setLine(input: number, high: boolean): void {
    const bit = 1 << input;
    if (high) {
      if (!(this.lines & bit) || this.level & bit) this.request |= bit;
      this.lines |= bit;
    } else {
      this.lines &= ~bit;
      this.request &= ~bit; // an edge request that is withdrawn before INTA is lost, too
    }
  }

  /** The input that would be served now, or -1. */
  pending(cascadeInput: number): number {
    const wanted = this.request & ~this.mask;
    if (!wanted) return -1;
    for (let k = 1; k <= 8; k++) {
      const input = (this.lowest + k) & 7;
      const bit = 1 << input;
      // A slave request of higher priority than the one in service passes the master even while input 2 is in service.
      if (wanted & bit && (!(this.service & bit) || input === cascadeInput)) return input;
      if (this.service & bit && !(this.specialMask && this.mask & bit)) return -1;
    }
    return -1;
  }

  /** The processor takes `input`. */
  take(input: number): void {
    const bit = 1 << input;
    if (!(this.level & bit)) this.request &= ~bit;
    if (!this.autoEoi) this.service |= bit;
    else if (this.rotateOnAutoEoi) this.lowest = input;
  }

  /** Inputs in service from highest to lowest priority; the first one, or -1. */
  private inService(): number {
    for (let k = 1; k <= 8; k++) {
      const input = (this.lowest + k) & 7;
      const bit = 1 << input;
      if (this.service & bit && !(this.specialMask && this.mask & bit)) return input;
    }
    return -1;
  }

  command(value: number): void {
    if (value & 0x10) this.startInit(value);
    else if (value & 0x08) this.ocw3(value);
    else this.ocw2(value);
  }

  private startInit(value: number): void {
    this.request = 0;
    for (let i = 0; i < 8; i++) if (this.level & this.lines & (1 << i)) this.request |= 1 << i;
    this.service = 0;
    this.mask = 0;
    this.lowest = 7;
    this.autoEoi = this.rotateOnAutoEoi = this.specialMask = this.readService = this.poll = false;
    this.single = (value & 2) !== 0;
    this.needIcw4 = (value & 1) !== 0;
    this.initStep = 2;
  }

  private ocw2(value: number): void {
    const rotate = (value & 0x80) !== 0;
    const specific = (value & 0x40) !== 0;
    if (value & 0x20) {
      const input = specific ? value & 7 : this.inService();
      if (input < 0) return;
      this.service &= ~(1 << input);
      if (rotate) this.lowest = input;
    } else if (specific) {
      if (rotate) this.lowest = value & 7;
    } else {
      this.rotateOnAutoEoi = rotate;
    }
  }

  private ocw3(value: number): void {
    if (value & 0x40) this.specialMask = (value & 0x20) !== 0;
    this.poll = (value & 4) !== 0;
    if (value & 2) this.readService = (value & 1) !== 0;
  }

  data(value: number): void {
    switch (this.initStep) {
      case 2:
        this.base = value & 0xf8;
        this.initStep = this.single ? (this.needIcw4 ? 4 : 0) : 3;
        return;
      case 3:
        this.initStep = this.needIcw4 ? 4 : 0;
        return;
      case 4:
        this.autoEoi = (value & 2) !== 0;
        this.initStep = 0;
        return;
      default:
        this.mask = value;
    }
  }
}

const CASCADE = 2;

export class Pic {
  private readonly master = new Chip();
  private readonly slave = new Chip();
  /** Told when software leaves IRQ 0 unmasked. */
  timerWanted: () => void = () => {};

  /** @param intr the processor's INTR line */
  constructor(private readonly intr: IrqLine) {}

  /** The registers of both chips, master first. */
  registers(): { request: number; service: number; mask: number; level: number; base: number }[] {
    return [this.master, this.slave].map(({ request, service, mask, level, base }) => ({ request, service, mask, level, base }));
  }

  /** The request line of IRQ n (0-15). */
  line(irq: number): IrqLine {
    const chip = irq < 8 ? this.master : this.slave;
    return {
      set: (level) => {
        chip.setLine(irq & 7, level);
        this.update();
      },
    };
  }

  /** Interrupt acknowledge cycle: the vector of the request that is taken (a spurious one is input 7). */
  acknowledge(): number {
    const input = this.master.pending(CASCADE);
    if (input < 0) return this.done(this.master.base + 7);
    this.master.take(input);
    if (input !== CASCADE) return this.done(this.master.base + input);
    const second = this.slave.pending(-1);
    if (second < 0) return this.done(this.slave.base + 7);
    this.slave.take(second);
    return this.done(this.slave.base + second);
  }

  /** Ports 0x20-0x21 (master) or 0xA0-0xA1 (slave). */
  ports(which: 'master' | 'slave'): PortHandler {
    const chip = this[which];
    return {
      read: (port) => this.read(chip, port & 1),
      write: (port, _size: Size, value) => {
        if (port & 1) chip.data(value);
        else chip.command(value);
        if (port & 1 && chip === this.master && !(chip.mask & 1)) this.timerWanted();
        this.update();
      },
    };
  }

  /** The edge/level control registers at 0x4D0 and 0x4D1. */
  readonly elcr: PortHandler = {
    read: (port) => (port & 1 ? this.slave : this.master).level,
    write: (port, _size, value) => {
      (port & 1 ? this.slave : this.master).level = value & (port & 1 ? 0xde : 0xf8);
    },
  };

  private read(chip: Chip, register: number): number {
    if (chip.poll) {
      chip.poll = false;
      const input = chip.pending(chip === this.master ? CASCADE : -1);
      if (input < 0) return 0;
      chip.take(input);
      this.update();
      return 0x80 | input;
    }
    if (register) return chip.mask;
    return chip.readService ? chip.service : chip.request;
  }

  private update(): void {
    this.master.setLine(CASCADE, this.slave.pending(-1) >= 0);
    this.intr.set(this.master.pending(CASCADE) >= 0);
  }

  private done(vector: number): number {
    this.update();
    return vector;
  }

  /** Both chips as one line each, for the monitor. */
  describe(): string {
    const show = (name: string, c: Chip) =>
      `${name}: irr=${hex(c.request)} imr=${hex(c.mask)} isr=${hex(c.service)} base=${hex(c.base)} lowest=${c.lowest}`;
    return `${show('pic0', this.master)}\n${show('pic1', this.slave)}`;
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}
