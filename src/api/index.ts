// The machine for programs that embed it: `import { Machine } from 'damselfly'`. One object is one PC; there are no globals,
// and several machines live in one process without knowing of each other. Nothing here touches files, terminals or the
// wall clock: images are bytes, the serial ports are Web streams, and time is virtual, so the same inputs at the same
// instruction counts give the same run.

import { hostView } from '../debug/guest.ts';
import type { KernelView } from '../debug/guest.ts';
import { systemFiles } from '../debug/own-system.ts';
import { ownedSpaces } from '../debug/spaces.ts';
import { MemoryDisk } from '../devices/memory-disk.ts';
import { Machine as Pc } from '../pc/machine.ts';
import type { RunResult as PcResult } from '../pc/machine.ts';
import { SerialPort } from './serial.ts';
import { SpaceView } from './space-view.ts';
import type { Space } from './space.ts';
import type { System } from './system.ts';

/** Instructions between two looks at the streams. */
const SLICE = 2_000_000;
const MIB = 1 << 20;

export interface MachineOptions {
  /** Bytes of RAM: a multiple of 1 MiB from 2 MiB to 2 GiB. Default 128 MiB. */
  readonly memory?: number;
  /** A Multiboot 1 kernel or a Linux bzImage. */
  readonly kernel: Uint8Array;
  /** The kernel's command line. */
  readonly cmdline?: string;
  /** Multiboot modules, or Linux's initial RAM disk. */
  readonly modules?: readonly { readonly bytes: Uint8Array; readonly cmdline?: string }[];
  /** Raw disk images, primary master first, at most four. The machine writes into these arrays. */
  readonly disks?: readonly (Uint8Array | null)[];
  /** Which printing of the processor runs: the fast one, or the slow and obvious one. Default tier0. */
  readonly engine?: 'tier0' | 'reference';
  /** Damselfly's own system when that is what runs (damselfly/system has it), so that `spaces` can find its VM spaces. */
  readonly system?: Omit<System, 'rootImage'>;
}

/** A serial port (16550): what the guest sends, and what it receives. */
export interface Serial {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

export interface RunOptions {
  /** Return when what the guest has sent on the first serial port since the last match matches. */
  readonly until?: { readonly serial: RegExp | string };
  /** Instructions to execute at most in this call. Default: no limit. */
  readonly maxInsns?: number;
  /** Let the time of a halted processor pass at once. Default true; false returns `idle` instead. */
  readonly skipIdle?: boolean;
}

/**
 * Why `run` returned. `exit`: the guest powered off (code 0), reset (0) or wrote v to isa-debug-exit ((v << 1) | 1).
 * `halt`: HLT with interrupts disabled (code 10). `idle`: halted, and only input or, without skipIdle, time can go on.
 */
export interface RunResult {
  readonly reason: 'match' | 'exit' | 'halt' | 'triple-fault' | 'limit' | 'idle';
  /** The exit code that the damselfly command has for this. */
  readonly code: number;
  /** Instructions executed since power-on. */
  readonly insns: number;
}

export class Machine {
  /** COM1 and COM2. */
  readonly serial: readonly [Serial, Serial];
  readonly #pc: Pc;
  readonly #ports: readonly [SerialPort, SerialPort];
  readonly #host: KernelView | null;
  #console = '';
  #ended: RunResult | null = null;
  #destroyed = false;

  private constructor(options: MachineOptions) {
    this.#ports = [new SerialPort((bytes) => this.#pc.receive(bytes)), new SerialPort((bytes) => this.#pc.receive2(bytes))];
    this.serial = this.#ports;
    this.#pc = new Pc({
      memory: memoryBytes(options.memory),
      disks: (options.disks ?? []).map((bytes) => (bytes ? new MemoryDisk(bytes) : null)),
      serial: (byte) => this.#sent(byte),
      serial2: (byte) => this.#ports[1].put(byte),
      ...(options.engine ? { engine: options.engine } : {}),
      bios: !options.system,
    });
    const modules = (options.modules ?? []).map(({ bytes, cmdline }) => ({ bytes, commandLine: cmdline ?? '' }));
    this.#pc.loadKernel(options.kernel, 'kernel', options.cmdline ?? '', modules);
    this.#host = options.system ? hostView(this.#pc.cpu, systemFiles({ ...options.system, hostKernel: options.system.kernel })) : null;
  }

  /**
   * A machine about to execute the kernel's first instruction.
   * @throws LoadError when the kernel cannot be loaded: its message says what was wrong, where, and what was expected
   * @throws RangeError when the memory size or the number of disks is out of range
   */
  static create(options: MachineOptions): Promise<Machine> {
    return new Promise((resolve) => resolve(new Machine(options)));
  }

  /** Instructions executed since power-on. */
  get instructions(): number {
    return this.#pc.cpu.instructions;
  }

  /** The VGA text screen, one string per row. */
  get screen(): string[] {
    return this.#pc.screen();
  }

  /** Types text on the PS/2 keyboard. */
  type(text: string): void {
    this.#pc.type(text);
  }

  /** Physical memory as it is now, without side effects. @throws RangeError outside of RAM */
  read(address: number, bytes: number): Uint8Array {
    const { ram } = this.#pc.cpu;
    if (!(address >= 0 && bytes >= 0 && address + bytes <= ram.length)) throw new RangeError(`physical addresses 0x${address.toString(16)}+${bytes}: RAM ends at 0x${ram.length.toString(16)}`);
    return ram.slice(address, address + bytes);
  }

  /**
   * The VM spaces of all virtual kernels, by kernel (the host's first), owner and id.
   * @throws Error on a machine that was created without `system`
   */
  spaces(): Space[] {
    if (!this.#host) throw new Error('spaces: the machine was created without `system`, whose symbols and layouts say where they are');
    return [...ownedSpaces(this.#host)].map((found) => new SpaceView(found, () => this.#pc.cpu.instructions));
  }

  /** The first of `spaces` with an id, of an owner if one is named; null when there is none. */
  space(id: number, owner?: number): Space | null {
    return this.spaces().find((space) => space.id === id && (owner === undefined || space.owner === owner)) ?? null;
  }

  /** Runs until something of RunResult happens; other tasks have their turn every few milliseconds. */
  async run(options: RunOptions = {}): Promise<RunResult> {
    const limit = this.#pc.cpu.instructions + (options.maxInsns ?? Infinity);
    for (;;) {
      if (this.#destroyed) throw new Error('the machine has been destroyed');
      if (options.until && this.#matches(options.until.serial)) return this.#result('match', 0);
      if (this.#ended) return this.#ended;
      if (this.#pc.cpu.instructions >= limit) return this.#result('limit', 124);
      const outcome = this.#outcome(this.#pc.run(Math.min(limit, this.#pc.cpu.instructions + SLICE), options.skipIdle ?? true));
      for (const port of this.#ports) port.flush();
      await new Promise<void>((resolve) => void setTimeout(resolve));
      if (outcome && !(options.until && this.#matches(options.until.serial))) return outcome;
    }
  }

  /** Ends the streams; the machine cannot run any more. */
  destroy(): void {
    this.#destroyed = true;
    for (const port of this.#ports) port.close();
  }

  #sent(byte: number): void {
    this.#console += String.fromCharCode(byte);
    this.#ports[0].put(byte);
  }

  /** Whether the console's text matches; if so it is looked at from the end of the match on. */
  #matches(wanted: RegExp | string): boolean {
    const pattern = typeof wanted === 'string' ? null : new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, ''));
    const match = pattern?.exec(this.#console);
    const at = typeof wanted === 'string' ? this.#console.indexOf(wanted) : (match?.index ?? -1);
    if (at < 0) return false;
    const length = typeof wanted === 'string' ? wanted.length : match![0].length;
    this.#console = this.#console.slice(at + length);
    return true;
  }

  #outcome(result: PcResult): RunResult | null {
    switch (result.kind) {
      case 'off':
      case 'reset':
        return (this.#ended = this.#result('exit', 0));
      case 'debug-exit':
        return (this.#ended = this.#result('exit', ((result.value << 1) | 1) & 0xff));
      case 'triple-fault':
        return (this.#ended = this.#result('triple-fault', 6));
      case 'dead-halt':
        return (this.#ended = this.#result('halt', 10));
      case 'idle':
        return this.#result('idle', 0);
      default:
        return null;
    }
  }

  #result(reason: RunResult['reason'], code: number): RunResult {
    return { reason, code, insns: this.#pc.cpu.instructions };
  }
}

function memoryBytes(bytes = 128 * MIB): number {
  if (bytes % MIB !== 0 || bytes < 2 * MIB || bytes > 2048 * MIB) throw new RangeError(`memory: ${bytes}; expected a multiple of ${MIB} from ${2 * MIB} to ${2048 * MIB}`);
  return bytes;
}

export { LoadError } from '../pc/load-error.ts';
export type { Space, SpaceWalk } from './space.ts';
export type { System } from './system.ts';
