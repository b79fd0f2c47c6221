// The registers of ACPI's fixed hardware, as the tables describe them to a system.
import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/bus/clock.ts';
import { PortMap } from '../../src/bus/ports.ts';
import { ACPI_DISABLE, ACPI_ENABLE, AcpiFunction, PM_BASE, SMI_COMMAND } from '../../src/devices/acpi.ts';
import { PciBus } from '../../src/devices/pci.ts';

const [STATUS, ENABLE, CONTROL, TIMER] = [PM_BASE, PM_BASE + 2, PM_BASE + 4, PM_BASE + 8];
const TIMER_HZ = 3_579_545;
const NOTHING = { read: () => 0xff, write: () => {} };

function machine() {
  const seen = { level: false, edges: 0, offs: 0 };
  const ports = new PortMap();
  const clock = new Clock(() => 0, () => {});
  const sci = { set: (level: boolean) => { seen.edges += level && !seen.level ? 1 : 0; seen.level = level; } };
  const acpi = new AcpiFunction(ports, clock, sci, () => { seen.offs++; });
  const pci = new PciBus([acpi], NOTHING);
  ports.attach(SMI_COMMAND, SMI_COMMAND + 1, acpi.commandPorts);
  ports.attach(0xcf8, 0xcfb, pci.addressPort);
  ports.attach(0xcfc, 0xcff, pci.dataPort);
  /** Lets time pass, with what happens in it. */
  const pass = (seconds: number) => {
    const end = clock.now + seconds * clock.hertz;
    while (clock.untilNext <= end - clock.now) {
      clock.skip(clock.untilNext);
      clock.fireDue();
    }
    clock.skip(end - clock.now);
  };
  return { seen, ports, clock, acpi, pass };
}

describe('ACPI', () => {
  it('is the power management function of a PIIX4', () => {
    const { ports } = machine();
    ports.write(0xcf8, 4, 0x80000b00);
    expect(ports.read(0xcfc, 4)).toBe(0x71138086);
    ports.write(0xcf8, 4, 0x80000b08);
    expect(ports.read(0xcfc, 4) >>> 8).toBe(0x068000);
  });

  it('counts 3.579545 MHz in 24 bits', () => {
    const { ports, pass } = machine();
    expect(ports.read(TIMER, 4)).toBe(0);
    pass(1);
    expect(ports.read(TIMER, 4)).toBe(TIMER_HZ);
    pass(9);
    expect(ports.read(TIMER, 4)).toBe((10 * TIMER_HZ) % 2 ** 24);
  });

  it('enters ACPI mode by a command, and leaves it', () => {
    const { ports } = machine();
    expect(ports.read(CONTROL, 2) & 1).toBe(0);
    ports.write(SMI_COMMAND, 1, ACPI_ENABLE);
    expect(ports.read(CONTROL, 2) & 1).toBe(1);
    expect(ports.read(SMI_COMMAND, 1)).toBe(ACPI_ENABLE);
    ports.write(SMI_COMMAND, 1, ACPI_DISABLE);
    expect(ports.read(CONTROL, 2) & 1).toBe(0);
  });

  it('interrupts for the power button, in ACPI mode only', () => {
    const { ports, acpi, seen } = machine();
    ports.write(ENABLE, 2, 0x100);
    acpi.pressPower();
    expect(seen.level).toBe(false);
    ports.write(SMI_COMMAND, 1, ACPI_ENABLE);
    expect(seen.level).toBe(true);
    ports.write(STATUS, 2, 0x001);
    expect([seen.level, ports.read(STATUS, 2)]).toEqual([true, 0x100]);
    ports.write(STATUS, 2, 0x100);
    expect([seen.level, ports.read(STATUS, 2), seen.edges]).toEqual([false, 0, 1]);
  });

  it('sets the timer bit at every half of the count, and interrupts when it is enabled', () => {
    const { ports, pass, seen, clock } = machine();
    const half = 2 ** 23 / TIMER_HZ;
    expect(clock.untilNext).toBe(Infinity);
    pass(half - 0.001);
    expect(ports.read(STATUS, 2)).toBe(0);
    pass(0.002);
    expect(ports.read(STATUS, 2)).toBe(1);
    ports.write(STATUS, 2, 1);
    ports.write(SMI_COMMAND, 1, ACPI_ENABLE);
    ports.write(ENABLE, 2, 1);
    for (let n = 1; n <= 3; n++) {
      pass(half);
      expect([seen.edges, seen.level]).toEqual([n, true]);
      ports.write(STATUS, 2, 1);
      expect(seen.level).toBe(false);
    }
  });

  it.each([0x2000, 0x3401, 0x2001])('powers off when 0x%i is written to the control register', (value) => {
    const { ports, seen } = machine();
    ports.write(CONTROL, 2, value & ~0x2000);
    expect(seen.offs).toBe(0);
    ports.write(CONTROL, 2, value);
    expect(seen.offs).toBe(1);
    expect(ports.read(CONTROL, 2)).toBe(value & ~0x2000);
  });

  it('moves where configuration space says, and away', () => {
    const { ports, seen } = machine();
    ports.write(0xcf8, 4, 0x80000b40);
    ports.write(0xcfc, 4, 0x4001);
    ports.write(0x4004, 2, 0x2000);
    ports.write(CONTROL, 2, 0x2000);
    expect([seen.offs, ports.read(TIMER, 4), ports.read(0xcfc, 4)]).toEqual([1, 0xffffffff, 0x4001]);
    ports.write(0xcf8, 4, 0x80000b80);
    ports.write(0xcfc, 1, 0);
    ports.write(0x4004, 2, 0x2000);
    expect(seen.offs).toBe(1);
  });
});
