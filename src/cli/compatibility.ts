// QEMU options that other people's Makefiles pass and that make no difference here, or nearly none. Those that ask for
// something this PC does not have get one line of warning, and the run goes on.

import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { keyValues } from './drives.ts';

const VALUE = { type: 'string', value: "as QEMU's", repeat: ' ' } as const;

export const COMPATIBILITY_OPTIONS: OptionSpecs = {
  machine: VALUE, M: VALUE, cpu: VALUE, accel: VALUE, smp: VALUE, boot: VALUE, rtc: VALUE, vga: VALUE, net: VALUE, nic: VALUE, name: VALUE, k: VALUE,
  icount: VALUE, parallel: VALUE, L: VALUE,
  device: { type: 'string', value: 'isa-debug-exit,iobase=PORT,iosize=N', repeat: '\n' },
  'enable-kvm': { type: 'boolean' }, 'no-acpi': { type: 'boolean' }, 'no-hpet': { type: 'boolean' },
  nodefaults: { type: 'boolean' }, 'no-user-config': { type: 'boolean' }, usb: { type: 'boolean' },
};

/** What to say about an option, or nothing. */
const WARNINGS: Readonly<Record<string, (value: string) => string>> = {
  smp: (value) => (/^(cpus=)?1\b/.test(value) ? '' : 'there is one processor; going on with it'),
  net: (value) => (value === 'none' ? '' : 'there is no network card'),
  nic: (value) => (value === 'none' ? '' : 'there is no network card'),
  'enable-kvm': () => 'every instruction is emulated',
  icount: (value) => (/rr=/.test(value) ? 'nothing is recorded: time is virtual, and the same command gives the same run' : ''),
  usb: () => 'there is no USB',
};

/** One line for each option that asks in vain. */
export function warnings(args: ParsedArgs): string[] {
  return Object.entries(WARNINGS).flatMap(([name, about]) => {
    const value = args.values[name];
    const text = value === undefined ? '' : about(String(value));
    return text ? [`damselfly: -${name}${typeof value === 'string' ? ` ${value}` : ''}: ${text}`] : [];
  });
}

export interface DebugExit {
  readonly base: number;
  readonly size: number;
}

/** Where isa-debug-exit is: by -device, whose defaults are QEMU's, else at 0xF4. @throws UsageError */
export function debugExit(args: ParsedArgs): DebugExit {
  let place: DebugExit = { base: 0xf4, size: 4 };
  for (const text of ((args.values.device as string | undefined) ?? '').split('\n').filter(Boolean)) {
    const [name = '', ...rest] = text.split(',');
    if (name !== 'isa-debug-exit') throw new UsageError(`-device ${text}: expected isa-debug-exit; the other devices of this PC are fixed`);
    const keys = rest.length ? keyValues('-device', rest.join(','), ['iobase', 'iosize', 'id']) : new Map<string, string>();
    place = { base: Number(keys.get('iobase') ?? 0x501), size: Number(keys.get('iosize') ?? 2) };
    if (!(place.base >= 0 && place.base + place.size <= 0x10000 && [1, 2, 4].includes(place.size))) throw new UsageError(`-device ${text}: expected iobase below 0x10000 and iosize 1, 2 or 4`);
  }
  return place;
}
