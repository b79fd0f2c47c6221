// What a machine is connected to: COM1, COM2 and the debug console to character devices, the screen and the keyboard to a
// terminal, the monitor to a socket. Standard input feeds one of them: the keyboard under `-display curses`, else COM1.

import { Monitor } from '../debug/monitor.ts';
import type { Debugger } from '../debug/debugger.ts';
import type { Machine } from '../pc/machine.ts';
import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { isStandard, openCharacterDevice } from './chardev.ts';
import type { CharacterDevice } from './chardev.ts';
import type { Console } from './console.ts';
import { CursesScreen } from './curses.ts';
import type { Expectation } from './expect.ts';

/** Milliseconds between two pictures of the screen. */
const FRAME = 50;
const MOST_SERIAL = 2;

export const ATTACHMENT_OPTIONS: OptionSpecs = {
  serial: { type: 'string', value: 'stdio, mon:stdio, file:FILE, tcp:HOST:PORT[,server[,nowait]], null or none', repeat: '\n' },
  debugcon: { type: 'string', value: 'as for -serial' },
  display: { type: 'string', value: 'none or curses' },
  nographic: { type: 'boolean' },
};

interface Wiring {
  readonly serial: readonly string[];
  readonly debugcon: string;
  readonly monitor: string;
  readonly curses: boolean;
}

/** Who gets standard input and output. @throws UsageError when two want it */
function wiringOf(args: ParsedArgs): Wiring {
  const text = (name: string) => args.values[name] as string | undefined;
  const display = text('display') ?? 'none';
  if (!['none', 'curses'].includes(display)) throw new UsageError(`-display ${display}: expected none or curses`);
  const curses = display === 'curses';
  const monitor = text('monitor') ?? 'none';
  const serial = text('serial')?.split('\n') ?? [monitor === 'stdio' || curses ? 'null' : 'stdio'];
  if (serial.length > MOST_SERIAL) throw new UsageError(`-serial ${serial[MOST_SERIAL]}: there are ${MOST_SERIAL} serial ports`);
  const users = [...serial.filter(isStandard).map((spec) => `-serial ${spec}`), ...(monitor === 'stdio' ? ['-monitor stdio'] : []), ...(curses ? ['-display curses'] : [])];
  if (users.length > 1) throw new UsageError(`${users[0]} and ${users[1]} both want the terminal; -serial null leaves it to the other`);
  return { serial, debugcon: text('debugcon') ?? 'null', monitor, curses };
}

export class Attachments {
  /** Bytes that the guest has written to COM1. */
  written = 0;
  expectation: Expectation | null = null;
  private machine: Machine | null = null;
  private lastFrame = 0;

  private constructor(
    private readonly console: Console,
    private readonly serial: readonly CharacterDevice[],
    private readonly debugcon: CharacterDevice,
    private readonly monitor: CharacterDevice | null,
    private readonly screen: CursesScreen | null,
    /** Which serial port standard input belongs to; -1: none. */
    private readonly typedTo: number,
  ) {}

  /** @throws UsageError */
  static async open(args: ParsedArgs, console: Console): Promise<Attachments> {
    const { serial, debugcon, monitor, curses } = wiringOf(args);
    const devices: CharacterDevice[] = [];
    for (const spec of serial) devices.push(await openCharacterDevice('-serial', spec, console));
    const control = monitor.startsWith('tcp:') ? await openCharacterDevice('-monitor', monitor, console) : null;
    console.escapes = serial.includes('mon:stdio');
    return new Attachments(console, devices, await openCharacterDevice('-debugcon', debugcon, console), control, curses ? new CursesScreen() : null, serial.findIndex(isStandard));
  }

  /** For MachineOptions. */
  readonly sinks = {
    serial: (byte: number) => {
      this.written++;
      this.serial[0]!.put(byte);
      this.expectation?.put(byte);
    },
    serial2: (byte: number) => this.serial[1]?.put(byte),
    debugConsole: (byte: number) => this.debugcon.put(byte),
  };

  connect(debug: Debugger): void {
    const { machine } = debug;
    this.machine = machine;
    this.serial.forEach((device, n) => { device.onInput = (bytes) => (n ? machine.receive2(bytes) : machine.receive(bytes)); });
    if (this.monitor) this.connectMonitor(this.monitor, new Monitor(debug));
  }

  private connectMonitor(device: CharacterDevice, monitor: Monitor): void {
    let line = '';
    device.onInput = (bytes) => {
      for (const byte of bytes) {
        if (byte !== 10) line += byte === 13 ? '' : String.fromCharCode(byte);
        else {
          for (const out of Buffer.from(monitor.execute(line), 'latin1')) device.put(out);
          line = '';
        }
      }
      device.flush();
    };
  }

  /** Somebody outside may still send something. */
  get live(): boolean {
    return this.console.open || [...this.serial, ...(this.monitor ? [this.monitor] : [])].some((device) => device.live);
  }

  /** Bytes from standard input. */
  typed(bytes: readonly number[]): void {
    if (!bytes.length || !this.machine) return;
    if (this.screen) this.machine.typeTerminal(bytes);
    else if (this.typedTo === 1) this.machine.receive2(bytes);
    else if (this.typedTo === 0) this.machine.receive(bytes);
  }

  /** Hands on what has been written, and a picture when it is time for one. */
  flush(): void {
    for (const device of [...this.serial, this.debugcon]) device.flush();
    if (this.screen && Date.now() - this.lastFrame >= FRAME) this.draw(this.screen);
    this.console.flush();
  }

  private draw(screen: CursesScreen): void {
    this.lastFrame = Date.now();
    this.console.show(screen.frame(this.machine!.picture()));
  }

  close(): void {
    if (this.screen) {
      this.draw(this.screen);
      this.console.show(this.screen.leave());
    }
    for (const device of [...this.serial, this.debugcon, ...(this.monitor ? [this.monitor] : [])]) device.close();
  }
}
