// The PC: one processor, RAM and the devices of a small AT-class machine wired together. Time is virtual and everything is
// deterministic: the same files, options and input at the same instruction counts give the same run. This is the only
// place that knows which device is at which port. It touches neither files nor terminals; callers pass those in.

import { Clock } from '../bus/clock.ts';
import { PortMap } from '../bus/ports.ts';
import type { IrqLine } from '../bus/irq.ts';
import type { Size } from '../bus/ports.ts';
import { Cpu } from '../cpu/cpu.ts';
import type { CpuBus } from '../cpu/cpu.ts';
import type { EngineKind } from '../cpu/engine.ts';
import { FLAT } from '../cpu/timing.ts';
import type { Timing } from '../cpu/timing.ts';
import { AcpiFunction, SCI_IRQ, SMI_COMMAND } from '../devices/acpi.ts';
import { AtaChannel } from '../devices/ata.ts';
import type { DiskImage } from '../devices/ata.ts';
import { IdeFunction } from '../devices/ide-dma.ts';
import type { DmaMemory } from '../devices/ide-dma.ts';
import { Cmos } from '../devices/cmos.ts';
import { IO_APIC, IoApic } from '../devices/io-apic.ts';
import { LOCAL_APIC, LocalApic } from '../devices/local-apic.ts';
import { FpuErrorLatch } from '../devices/fpu-error.ts';
import { KeyboardController } from '../devices/keyboard.ts';
import { hostBridge, isaBridge, PciBus } from '../devices/pci.ts';
import { Pic } from '../devices/pic.ts';
import { Pit } from '../devices/pit.ts';
import { A20Gate, Power } from '../devices/power.ts';
import type { PowerEvent } from '../devices/power.ts';
import { Uart } from '../devices/uart.ts';
import { Vga } from '../devices/vga.ts';
import type { TextPicture } from '../devices/vga.ts';
import { writeAcpiTables } from './acpi-tables.ts';
import { writeBiosData } from './bios-data.ts';
import { writeBios } from './bios/rom.ts';
import type { Firmware } from './bios/rom.ts';
import { hasRealModePart, isLinux, LINUX_CODE_SELECTOR, LINUX_DATA_SELECTOR, loadLinux, loadRealModeLinux } from './linux.ts';
import { loadMultiboot, LOADER_MAGIC } from './multiboot.ts';
import type { BootModule } from './multiboot.ts';
import { writeMpTable } from './mp-table.ts';

/** Segment register 1 is CS; attributes of 32-bit, 4 GiB, ring-0 code and data, accessed. */
const CS = 1;
const FLAT_CODE = 0xc09b;
const FLAT_DATA = 0xc093;
const REAL_CODE = 0x9b;

const DEBUG_EXIT = { base: 0xf4, size: 4 };

export interface MachineOptions {
  /** Bytes of RAM, a multiple of 1 MiB, at least 2 MiB. Default 128 MiB. */
  readonly memory?: number;
  /** Primary master and slave, secondary master and slave. */
  readonly disks?: readonly (DiskImage | null)[];
  /** Called with every byte that the guest sends to COM1. */
  readonly serial?: (byte: number) => void;
  /** Called with every byte that the guest sends to COM2. */
  readonly serial2?: (byte: number) => void;
  /** Called with every byte written to the debug console at port 0xE9. */
  readonly debugConsole?: (byte: number) => void;
  /** Where isa-debug-exit is; default four ports from 0xF4. */
  readonly debugExit?: { readonly base: number; readonly size: number };
  /** Told of accesses to ports and addresses where nothing answers. */
  readonly unimplemented?: (what: string) => void;
  /** Which printing of the processor runs. Default tier0. */
  readonly engine?: EngineKind;
  /** Tables for ACPI in memory. Default true. */
  readonly acpi?: boolean;
  /** Services of real mode in memory, for kernels that go back there. Default true. */
  readonly bios?: boolean;
  /** What the BIOS writes and reads goes over COM1, too. */
  readonly serialConsole?: boolean;
  /** Whether Linux kernels begin in real mode and ask the BIOS. Default: those that have something to run there. */
  readonly realMode?: boolean;
  /** What events cost, and how many cycles are a second. Default FLAT: every instruction one cycle of 10 ns. */
  readonly timing?: Timing;
}

/** Why `run` returned. */
export type RunResult =
  | PowerEvent
  | { kind: 'limit' }                       // the instruction budget is used up
  | { kind: 'idle'; cycles: number }        // halted; the next event is that far away (Infinity: only input can help)
  | { kind: 'stopped' }                     // a debugger asked for it: see `interrupted`
  | { kind: 'dead-halt' }                   // halted with interrupts disabled
  | { kind: 'triple-fault' };

export class Machine {
  readonly clock: Clock;
  readonly cpu: Cpu;
  readonly ports: PortMap;
  pic!: Pic;
  private localApic!: LocalApic;
  private ioApic!: IoApic;
  private com1!: Uart;
  private com2!: Uart;
  private cmos: Cmos | null = null;
  private acpi!: AcpiFunction;
  private keyboard!: KeyboardController;
  private vga!: Vga;
  private fpuErrors!: FpuErrorLatch;
  private loadAgain = (): void => {};
  /** How the guest has ended the machine. */
  ended: PowerEvent | null = null;
  private irqLevel = false;
  private irqMasked = false;
  /** Set by a debugger's hook that stops the processor itself: makes `run` return `stopped`. */
  interrupted = false;

  constructor(private readonly options: MachineOptions = {}) {
    const unimplemented = options.unimplemented ?? (() => {});
    this.ports = new PortMap(unimplemented);
    const bus: CpuBus = {
      portRead: (port, size) => this.ports.read(port, size as Size),
      portWrite: (port, size, value) => this.ports.write(port, size as Size, value),
      mmioRead: (pa, size) => {
        const apic = this.apicAt(pa);
        if (apic) return this.readPart(apic.read(pa & 0xff0), pa, size);
        unimplemented(`read of ${size} bytes at physical address 0x${(pa >>> 0).toString(16)}`);
        return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
      },
      mmioWrite: (pa, size, value) => {
        const apic = this.apicAt(pa);
        if (apic) apic.write(pa & 0xff0, value);
        else unimplemented(`write of ${size} bytes at physical address 0x${(pa >>> 0).toString(16)}`);
      },
      acknowledge: () => {
        const vector = this.localApic.acknowledge();
        return vector < 0 ? this.pic.acknowledge() : vector;
      },
      fpuError: () => this.fpuErrors.raise(),
      fpuCleared: () => this.fpuErrors.clear(),
    };
    const ramBytes = options.memory ?? 128 << 20;
    const timing = options.timing ?? FLAT;
    this.cpu = new Cpu({ ramBytes, bus, engine: options.engine ?? 'tier0', timing });
    this.clock = new Clock(() => this.cpu.cycles, (deadline) => this.cpu.limit(deadline), (cycles) => this.cpu.addTimeStamp(cycles), timing.hertz);
    this.plugIn();
  }

  /** New devices, all as after power-on, but for what a battery or a wire keeps. */
  private plugIn(): void {
    const { options } = this;
    const { serial = () => {}, serial2 = () => {}, debugConsole = () => {} } = options;
    this.localApic = new LocalApic(this.clock, { set: (level) => this.setIrq(level) });
    this.ioApic = new IoApic((vector, level) => this.localApic.send(vector, level));
    this.localApic.ended = (vector) => this.ioApic.ended(vector);
    this.pic = new Pic(this.localApic.lint0);
    this.com1 = new Uart(0x3f8, this.line(4), serial, this.com1?.waiting);
    this.com2 = new Uart(0x2f8, this.line(3), serial2, this.com2?.waiting);
    this.cmos = new Cmos(this.clock, this.line(8), this.cpu.ramBytes, this.cmos);
    this.fpuErrors = new FpuErrorLatch(this.line(13));
    const a20 = new A20Gate((open) => this.cpu.setA20(open));
    const power = new Power((event) => this.end(event), a20);
    this.keyboard = new KeyboardController(this.line(1), this.line(12), a20, () => power.reset());
    this.acpi = new AcpiFunction(this.ports, this.clock, this.line(SCI_IRQ), () => power.off());
    this.vga = new Vga(this.clock, this.cpu.ram);
    this.wire(power, options);
    this.wirePlatform(debugConsole);
  }

  /** RAM for bus masters; micro-ops of what they write go. */
  private readonly dmaMemory: DmaMemory = {
    read: (pa, into) => {
      const part = this.cpu.ram.subarray(Math.min(pa, this.cpu.ramBytes), pa + into.length);
      into.fill(0xff, part.length);
      into.set(part);
    },
    write: (pa, from) => {
      const part = from.subarray(0, Math.max(0, this.cpu.ramBytes - pa));
      if (!part.length) return;
      this.cpu.dmaWritten(pa, part.length);
      this.cpu.ram.set(part, pa);
    },
  };

  private wire(power: Power, { disks = [], debugExit = DEBUG_EXIT, timing = FLAT }: MachineOptions): void {
    const { ports, pic, clock, keyboard } = this;
    const pit = new Pit(clock, this.line(0));
    pic.timerWanted = () => pit.listenedTo();
    ports.attach(0x20, 0x21, pic.ports('master'));
    ports.attach(0xa0, 0xa1, pic.ports('slave'));
    ports.attach(0x4d0, 0x4d1, pic.elcr);
    ports.attach(0x40, 0x43, pit.ports);
    ports.attach(0x61, 0x61, pit.port61);
    ports.attach(0x60, 0x60, keyboard.data);
    ports.attach(0x64, 0x64, keyboard.command);
    ports.attach(0x70, 0x71, this.cmos!.ports);
    ports.attach(0x80, 0x80, { read: () => 0, write: () => {} }); // POST code and the traditional I/O delay
    ports.attach(0xf0, 0xf1, this.fpuErrors.ports);
    ports.attach(0x3f8, 0x3ff, this.com1.ports);
    ports.attach(0x2f8, 0x2ff, this.com2.ports);
    const channels = [{ base: 0x1f0, irq: 14 }, { base: 0x170, irq: 15 }].map(({ base, irq }, n) => {
      const channel = new AtaChannel(base, clock, this.line(irq), disks.slice(2 * n, 2 * n + 2), timing === FLAT ? null : timing.disk);
      ports.attach(base, base + 7, channel.ports);
      ports.attach(base + 0x206, base + 0x206, channel.controlPort);
      return channel;
    });
    const pci = new PciBus([hostBridge(), isaBridge(), new IdeFunction(ports, channels, this.dmaMemory), this.acpi], power.resetControl);
    ports.attach(0xcf8, 0xcfb, pci.addressPort);
    ports.attach(0xcfc, 0xcff, pci.dataPort);
    ports.attach(debugExit.base, debugExit.base + debugExit.size - 1, power.debugExit);
    ports.attach(0x92, 0x92, power.port92);
    ports.attach(0xb004, 0xb005, power.sleepControl);
    ports.attach(SMI_COMMAND, SMI_COMMAND + 1, this.acpi.commandPorts);
    ports.attach(0x8900, 0x8900, power.shutdownPort);
  }

  /** The request line of IRQ n, which both interrupt controllers see. */
  private line(irq: number): IrqLine {
    const [pic, ioApic] = [this.pic.line(irq), this.ioApic.line(irq)];
    return {
      set: (level) => {
        pic.set(level);
        ioApic.set(level);
      },
    };
  }

  private apicAt(pa: number): LocalApic | IoApic | null {
    const page = (pa & 0xfffff000) >>> 0;
    return page === LOCAL_APIC ? this.localApic : page === IO_APIC ? this.ioApic : null;
  }

  /** The bytes of a 32-bit register that an access of another width sees. */
  private readPart(value: number, pa: number, size: number): number {
    return size === 4 ? value >>> 0 : (value >>> (8 * (pa & 3))) & (size === 2 ? 0xffff : 0xff);
  }

  private setIrq(level: boolean): void {
    this.irqLevel = level;
    if (!this.irqMasked) this.cpu.setIrq(level);
  }

  /** What a PC of 2000 had beyond the AT, and the debug console of emulators. */
  private wirePlatform(debugConsole: (byte: number) => void): void {
    this.ports.attach(0x3c0, 0x3df, this.vga.ports);
    this.ports.attach(0xe9, 0xe9, { read: () => 0xe9, write: (_port, _size, value) => debugConsole(value) });
  }

  private end(event: PowerEvent): void {
    this.ended ??= event;
    this.cpu.stop();
  }

  /** Presses the power button of a system that knows ACPI. */
  pressPower(): void {
    this.acpi.pressPower();
  }

  /** Makes `run` return `reset`, as the button on the front does. */
  pressReset(): void {
    this.ended = { kind: 'reset' };
    this.cpu.stop();
  }

  /**
   * Starts again after a reset or at any other time: processor and devices are as after power-on, firmware and kernel are
   * loaded anew. Disks, the battery-backed clock, typed bytes that nobody has read, and memory above 1 MiB are what they
   * were; virtual time goes on.
   */
  reboot(): void {
    this.clock.clear();
    this.ports.clear();
    this.cpu.ram.fill(0, 0, 1 << 20);
    this.cpu.reset();
    this.setIrq(false);
    this.plugIn();
    this.ended = null;
    this.loadAgain();
    this.cpu.addTimeStamp(-this.cpu.cycles);
  }

  /**
   * Loads a kernel, recognised by its contents (Linux bzImage or Multiboot 1), and sets the processor's state as its boot
   * protocol says. A Linux kernel takes the modules, one after the other, as its initial RAM disk.
   * @throws LoadError
   */
  loadKernel(image: Uint8Array, name: string, commandLine = '', modules: readonly BootModule[] = []): void {
    this.loadAgain = () => this.loadKernel(image, name, commandLine, modules);
    this.writeTables();
    const { realMode = hasRealModePart(image) } = this.options;
    if (isLinux(image) && realMode) return this.startBios({ kernel: loadRealModeLinux(this.cpu.ram, image, name, commandLine, joined(modules)) });
    if (this.options.bios ?? true) this.writeBios({});
    if (isLinux(image)) this.startLinux(image, name, commandLine, modules);
    else this.startMultiboot(image, name, commandLine, modules);
  }

  /** Starts the BIOS, which boots from the first hard disk or the CD-ROM. */
  bootDisk(boot: 'disk' | 'cdrom'): void {
    this.loadAgain = () => this.bootDisk(boot);
    this.writeTables();
    writeMpTable(this.cpu.ram);
    this.startBios({ boot });
  }

  /** What firmware leaves in memory for all systems. */
  private writeTables(): void {
    writeBiosData(this.cpu.ram, (this.options.disks ?? []).filter((disk) => disk && !disk.cdrom).length);
    if (this.options.acpi ?? true) writeAcpiTables(this.cpu.ram);
  }

  private writeBios(what: Partial<Firmware>): void {
    writeBios(this.cpu.ram, { disks: this.options.disks ?? [], serialConsole: this.options.serialConsole ?? false, ...what });
  }

  private startBios(what: Partial<Firmware>): void {
    this.writeBios(what);
    this.cpu.reset();
    this.cpu.state.setSegment(CS, { sel: 0xf000, base: 0xf0000, limit: 0xffff, attr: REAL_CODE });
  }

  private startMultiboot(image: Uint8Array, name: string, commandLine: string, modules: readonly BootModule[]): void {
    const { entry, info } = loadMultiboot(this.cpu.ram, image, name, commandLine, modules);
    writeMpTable(this.cpu.ram);
    this.enterFlatProtectedMode(0x08, 0x10);
    this.cpu.state.eip = entry;
    this.cpu.state.eax = LOADER_MAGIC;
    this.cpu.state.ebx = info;
  }

  private startLinux(image: Uint8Array, name: string, commandLine: string, modules: readonly BootModule[]): void {
    const { entry, zeroPage, gdt, gdtLimit } = loadLinux(this.cpu.ram, image, name, commandLine, joined(modules));
    this.enterFlatProtectedMode(LINUX_CODE_SELECTOR, LINUX_DATA_SELECTOR);
    const { state } = this.cpu;
    state.gdtBase = gdt;
    state.gdtLimit = gdtLimit;
    state.eip = entry;
    state.esi = zeroPage;
    state.edx = 0;
  }

  /** Protected mode without paging, flat 4 GiB segments, interrupts off, as loaders leave the processor. */
  private enterFlatProtectedMode(code: number, data: number): void {
    const { state } = this.cpu;
    this.cpu.reset();
    state.cr0 = 0x11;
    for (let n = 0; n < 6; n++) state.setSegment(n, { sel: n === CS ? code : data, base: 0, limit: 0xffffffff, attr: n === CS ? FLAT_CODE : FLAT_DATA });
    state.cpl = 0;
  }

  /** Bytes typed at COM1. */
  receive(bytes: Iterable<number>): void {
    this.com1.receive(bytes);
  }

  /** Bytes typed at COM2. */
  receive2(bytes: Iterable<number>): void {
    this.com2.receive(bytes);
  }

  /** Types text on the PS/2 keyboard. */
  type(text: string): void {
    this.keyboard.type(text);
  }

  /** Presses the keys that make a terminal send these bytes. */
  typeTerminal(bytes: Iterable<number>): void {
    this.keyboard.terminal(String.fromCharCode(...bytes));
  }

  /** A break condition on COM1. */
  receiveBreak(): void {
    this.com1.receiveBreak();
  }

  /** Bytes typed at COM1 that the guest has not read yet. */
  get unread(): number {
    return this.com1.unread;
  }

  /** The text screen with its colours and cursor. */
  picture(): TextPicture {
    return this.vga.picture();
  }

  /** The text screen, one string per row. */
  screen(): string[] {
    return this.vga.text();
  }

  /**
   * Runs until the machine ends, halts with nothing due, or has retired instruction number `until`.
   * @param skipIdle let the time of a halted processor pass at once instead of returning `idle`
   */
  run(until: number, skipIdle: boolean): RunResult {
    while (!this.ended) {
      if (this.cpu.instructions >= until) return { kind: 'limit' };
      const reason = this.cpu.run(until, this.clock.deadline);
      if (reason === 'shutdown') return { kind: 'triple-fault' };
      if (reason === 'halt' && !this.ended) {
        const idle = this.halted(skipIdle);
        if (idle) return idle;
      }
      this.clock.fireDue();
      if (this.interrupted) {
        this.interrupted = false;
        return this.ended ?? { kind: 'stopped' };
      }
    }
    return this.ended;
  }

  /** Makes `run` return `stopped` after the instruction that is being executed. */
  interrupt(): void {
    this.interrupted = true;
    this.cpu.stop();
  }

  /**
   * One instruction, or the delivery of the fault it raises. Interrupts wait meanwhile, but a halted processor runs on to
   * the first instruction of the handler that wakes it.
   */
  step(): RunResult {
    if (this.ended) return this.ended;
    if (this.cpu.halted) return this.run(this.cpu.instructions + 1, true);
    this.irqMasked = true;
    this.cpu.setIrq(false);
    const outcome = this.cpu.step();
    this.irqMasked = false;
    this.cpu.setIrq(this.irqLevel);
    this.interrupted = false;
    if (outcome === 'shutdown') return { kind: 'triple-fault' };
    this.clock.fireDue();
    return this.ended ?? { kind: 'limit' };
  }

  private halted(skipIdle: boolean): RunResult | null {
    if (!(this.cpu.state.eflags & 0x200)) return { kind: 'dead-halt' };
    const cycles = this.clock.untilNext;
    if (cycles === 0) return null;
    if (!skipIdle || cycles === Infinity) return { kind: 'idle', cycles };
    this.clock.skip(cycles);
    return null;
  }
}

function joined(modules: readonly BootModule[]): Uint8Array {
  const all = new Uint8Array(modules.reduce((sum, module) => sum + module.bytes.length, 0));
  let at = 0;
  for (const { bytes } of modules) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}
