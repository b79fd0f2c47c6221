// The 8042 keyboard controller with a PS/2 keyboard behind its first port and nothing behind its second. Controller
// commands answer at once; a byte waits in the output buffer until it is read, then the next one takes its place.
// IRQ 1 and 12 follow the buffer as the command byte enables them. Scan codes of set 2 are translated to set 1 on request.

import type { IrqLine } from '../bus/irq.ts';
import type { PortHandler } from '../bus/ports.ts';
import type { A20Gate } from './power.ts';
import { keyBytes, terminalTyping, translated, typing } from './ps2-keys.ts';

const [KEYBOARD_IRQ, AUX_IRQ, SYSTEM, KEYBOARD_OFF, AUX_OFF, TRANSLATE] = [1, 2, 4, 0x10, 0x20, 0x40];
const [FULL, LAST_WAS_COMMAND, UNLOCKED, FROM_AUX, TIMEOUT] = [1, 8, 0x10, 0x20, 0x40];
const [ACKNOWLEDGE, RESEND, SELF_TEST_PASSED] = [0xfa, 0xfe, 0xaa];
/** Keys that the keyboard keeps when nobody reads them. */
const KEY_BUFFER = 256;

interface Output {
  readonly byte: number;
  readonly status: number;
}

/** The keyboard's side of its serial line: commands in, bytes out. */
class Keyboard {
  private readonly queue: number[] = [];
  private pending = 0;
  private scanning = true;
  private set = 2;
  private last = 0;

  send(byte: number): void {
    if (this.queue.length < KEY_BUFFER) this.queue.push(byte);
  }

  key(key: number, release: boolean): void {
    if (this.scanning) for (const byte of keyBytes(key, release)) this.send(byte);
  }

  next(): number | undefined {
    const byte = this.queue.shift();
    if (byte !== undefined) this.last = byte;
    return byte;
  }

  receive(byte: number): void {
    const pending = this.pending;
    this.pending = 0;
    if (pending && byte < 0x80) this.argument(pending, byte);
    else this.command(byte);
  }

  private argument(command: number, byte: number): void {
    this.send(ACKNOWLEDGE);
    if (command !== 0xf0) return;
    if (byte === 0) this.send(this.set);
    else this.set = byte;
  }

  private command(byte: number): void {
    switch (byte) {
      case 0xed: case 0xf0: case 0xf3:
        this.pending = byte;
        return this.send(ACKNOWLEDGE);
      case 0xee: return this.send(0xee);
      case 0xf2: return this.answer(0xab, 0x83);
      case 0xf4: case 0xf5: case 0xf6:
        this.scanning = byte !== 0xf5;
        return this.answer();
      case 0xfe: return this.send(this.last);
      case 0xff:
        this.queue.length = 0;
        this.scanning = true;
        return this.answer(SELF_TEST_PASSED);
      default: return this.send(RESEND);
    }
  }

  private answer(...bytes: number[]): void {
    for (const byte of [ACKNOWLEDGE, ...bytes]) this.send(byte);
  }
}

export class KeyboardController {
  private commandByte = KEYBOARD_IRQ | SYSTEM | TRANSLATE;
  private readonly ram = new Uint8Array(32);
  private readonly keyboard = new Keyboard();
  private readonly own: Output[] = [];     // answers of the controller itself go before scan codes
  private output: Output | null = null;
  private lastRead = 0;
  private pending = 0;
  private releasing = false;
  private lastWrite = 0;

  /** @param reset pulls the processor's reset line */
  constructor(private readonly irq1: IrqLine, private readonly irq12: IrqLine, private readonly a20: A20Gate, private readonly reset: () => void) {}

  /** Types text on the keyboard, as a person with a US layout would. */
  type(text: string): void {
    for (const character of text) for (const { key, release } of typing(character)) this.keyboard.key(key, release);
    this.fill();
  }

  /** Presses the keys that make a terminal send this text. */
  terminal(text: string): void {
    for (const { key, release } of terminalTyping(text)) this.keyboard.key(key, release);
    this.fill();
  }

  /** Port 0x60. */
  readonly data: PortHandler = {
    read: () => this.readData(),
    write: (_port, _size, value) => this.writeData(value),
  };

  /** Port 0x64. */
  readonly command: PortHandler = {
    read: () => UNLOCKED | (this.commandByte & SYSTEM) | this.lastWrite | (this.output ? FULL | this.output.status : 0),
    write: (_port, _size, value) => this.writeCommand(value),
  };

  private readData(): number {
    if (!this.output) return this.lastRead;
    this.lastRead = this.output.byte;
    this.output = null;
    this.irq1.set(false);
    this.irq12.set(false);
    this.fill();
    return this.lastRead;
  }

  /** Puts the next waiting byte into the output buffer. */
  private fill(): void {
    if (this.output) return;
    this.output = this.own.shift() ?? this.nextScanCode();
    if (!this.output) return;
    const aux = (this.output.status & FROM_AUX) !== 0;
    if (aux && this.commandByte & AUX_IRQ) this.irq12.set(true);
    if (!aux && this.commandByte & KEYBOARD_IRQ) this.irq1.set(true);
  }

  private nextScanCode(): Output | null {
    while (!(this.commandByte & KEYBOARD_OFF)) {
      const byte = this.keyboard.next();
      if (byte === undefined) return null;
      if (!(this.commandByte & TRANSLATE)) return { byte, status: 0 };
      if (byte === 0xf0) {
        this.releasing = true;
        continue;
      }
      const code = translated(byte) | (this.releasing ? 0x80 : 0);
      this.releasing = false;
      return { byte: code, status: 0 };
    }
    return null;
  }

  private answer(byte: number, status = 0): void {
    this.own.push({ byte, status });
    this.fill();
  }

  private writeData(value: number): void {
    const pending = this.pending;
    this.pending = 0;
    this.lastWrite = 0;
    if (pending >= 0x60 && pending < 0x80) this.writeRam(pending & 31, value);
    else if (pending === 0xd1) this.writeOutputPort(value);
    else if (pending === 0xd2) this.answer(value);
    else if (pending === 0xd3) this.answer(value, FROM_AUX);
    else if (pending === 0xd4) this.answer(RESEND, FROM_AUX | TIMEOUT);
    else this.toKeyboard(value);
  }

  private toKeyboard(value: number): void {
    this.commandByte &= ~KEYBOARD_OFF;
    this.keyboard.receive(value);
    this.fill();
  }

  private writeRam(at: number, value: number): void {
    this.ram[at] = value;
    if (at !== 0) return;
    this.commandByte = value;
    if (this.output && value & KEYBOARD_IRQ && !(this.output.status & FROM_AUX)) this.irq1.set(true);
    this.fill();
  }

  private writeOutputPort(value: number): void {
    this.a20.set((value & 2) !== 0);
    if (!(value & 1)) this.reset();
  }

  private writeCommand(value: number): void {
    this.pending = 0;
    this.lastWrite = LAST_WAS_COMMAND;
    if (value >= 0x20 && value < 0x40) return this.answer(value === 0x20 ? this.commandByte : this.ram[value & 31]!);
    if ((value >= 0x60 && value < 0x80) || (value >= 0xd1 && value <= 0xd4)) {
      this.pending = value;
      return;
    }
    switch (value) {
      case 0xa7: this.commandByte |= AUX_OFF; break;
      case 0xa8: this.commandByte &= ~AUX_OFF; break;
      case 0xa9: case 0xab: return this.answer(0);
      case 0xaa: return this.selfTest();
      case 0xad: this.commandByte |= KEYBOARD_OFF; break;
      case 0xae:
        this.commandByte &= ~KEYBOARD_OFF;
        return this.fill();
      case 0xc0: return this.answer(0x80);
      case 0xd0: return this.answer(0x01 | (this.a20.open ? 2 : 0) | (this.output ? 0x10 : 0));
      case 0xdd: return this.a20.set(false);
      case 0xdf: return this.a20.set(true);
      default: if (value >= 0xf0 && !(value & 1)) this.reset();
    }
  }

  private selfTest(): void {
    this.commandByte |= SYSTEM;
    this.answer(0x55);
  }
}
