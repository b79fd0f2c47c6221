// A 16550A serial port: eight ports, FIFOs, the four interrupt sources in their priorities. Transmission takes no virtual
// time and reception is paced by the guest: the next byte is there as soon as the previous one was read. Modem lines say
// "connected". The interrupt output is always connected, as on QEMU's and many a chipset's ports: OUT2 does not gate it. The
// host side is two functions: `receive` for bytes from outside and the `send` callback for bytes out.

import type { IrqLine } from '../bus/irq.ts';
import type { PortHandler } from '../bus/ports.ts';

const IER_RX = 1;
const IER_TX = 2;
const LSR_DATA = 1;
const LSR_TX_EMPTY = 0x60;
const LSR_BREAK = 0x10;
const IER_LINE = 4;
/** A break in the queue of received bytes. */
const BREAK = 0x100;
const MCR_LOOP = 0x10;

export class Uart {
  private ier = 0;
  private lcr = 0;
  private mcr = 0;
  private scratch = 0;
  private divisor = 1;
  private fifoEnabled = false;
  private txInterrupt = false;
  private breakTold = false;
  private head = 0;

  /**
   * @param base first port, for example 0x3F8
   * @param send called with every byte that the guest transmits
   * @param input bytes that wait on the wire
   */
  constructor(private readonly base: number, private readonly irq: IrqLine, private readonly send: (byte: number) => void, private readonly input: number[] = []) {}

  /** Bytes from outside; they wait here until the guest reads them. */
  receive(bytes: Iterable<number>): void {
    for (const byte of bytes) this.input.push(byte);
    this.update();
  }

  /** How many bytes from outside the guest has not read yet. */
  get unread(): number {
    return this.input.length - this.head;
  }

  /** Those bytes. */
  get waiting(): number[] {
    return this.input.slice(this.head);
  }

  /** The line is held low for longer than a character: the guest sees a zero byte with the break bit. */
  receiveBreak(): void {
    this.input.push(BREAK);
    this.update();
  }

  private get available(): boolean {
    return this.head < this.input.length;
  }

  readonly ports: PortHandler = {
    read: (port) => this.read(port - this.base),
    write: (port, _size, value) => this.write(port - this.base, value),
  };

  private read(register: number): number {
    switch (register) {
      case 0: return this.lcr & 0x80 ? this.divisor & 0xff : this.readData();
      case 1: return this.lcr & 0x80 ? this.divisor >> 8 : this.ier;
      case 2: return this.identify();
      case 3: return this.lcr;
      case 4: return this.mcr;
      case 5: return this.lineStatus();
      case 6: return this.mcr & MCR_LOOP ? this.loopedStatus() : 0xb0;
      default: return this.scratch;
    }
  }

  /** In loop-back mode DTR, RTS, OUT1 and OUT2 appear as DSR, CTS, RI and DCD. */
  private loopedStatus(): number {
    const m = this.mcr;
    return ((m & 1) << 5) | ((m & 2) << 3) | ((m & 4) << 4) | ((m & 8) << 4);
  }

  /** Reading it acknowledges a break, once. */
  private lineStatus(): number {
    const broken = this.breakWaits && !this.breakTold;
    this.breakTold ||= broken;
    if (broken) this.update();
    return LSR_TX_EMPTY | (this.available ? LSR_DATA : 0) | (broken ? LSR_BREAK : 0);
  }

  private get breakWaits(): boolean {
    return this.input[this.head] === BREAK;
  }

  private readData(): number {
    if (!this.available) return 0;
    const byte = this.input[this.head++]! & 0xff;
    this.breakTold = false;
    if (this.head === this.input.length) {
      this.input.length = 0;
      this.head = 0;
    }
    this.update();
    return byte;
  }

  private identify(): number {
    const fifo = this.fifoEnabled ? 0xc0 : 0;
    if (this.ier & IER_LINE && this.breakWaits && !this.breakTold) return fifo | 6;
    if (this.ier & IER_RX && this.available) return fifo | 4;
    if (this.ier & IER_TX && this.txInterrupt) {
      this.txInterrupt = false;
      this.update();
      return fifo | 2;
    }
    return fifo | 1;
  }

  private write(register: number, value: number): void {
    switch (register) {
      case 0:
        if (this.lcr & 0x80) this.divisor = (this.divisor & 0xff00) | value;
        else this.transmit(value);
        break;
      case 1:
        if (this.lcr & 0x80) {
          this.divisor = (this.divisor & 0xff) | (value << 8);
        } else {
          if (value & IER_TX && !(this.ier & IER_TX)) this.txInterrupt = true;
          this.ier = value & 0x0f;
        }
        break;
      case 2:
        this.fifoEnabled = (value & 1) !== 0;
        break;
      case 3: this.lcr = value; break;
      case 4: this.mcr = value & 0x1f; break;
      case 7: this.scratch = value; break;
    }
    this.update();
  }

  private transmit(value: number): void {
    if (this.mcr & MCR_LOOP) this.input.push(value);
    else this.send(value);
    this.txInterrupt = true;
  }

  private update(): void {
    const line = this.ier & IER_LINE && this.breakWaits && !this.breakTold;
    const wanted = line || (this.ier & IER_RX && this.available) || (this.ier & IER_TX && this.txInterrupt);
    this.irq.set(Boolean(wanted));
  }
}
