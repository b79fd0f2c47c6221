// What becomes of the run when the guest resets or powers off: -no-reboot, -no-shutdown and -action, as with QEMU. A reset
// boots again unless something says otherwise; so do --exec, which is one command and one exit code, and whoever observes,
// because an observation is of one boot.

import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';

const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  reboot: ['reset', 'shutdown'],
  shutdown: ['poweroff', 'pause'],
  panic: ['pause', 'shutdown', 'exit-failure', 'none'],
  watchdog: ['reset', 'shutdown', 'poweroff', 'inject-nmi', 'pause', 'debug', 'none'],
};

export const ENDING_OPTIONS: OptionSpecs = {
  'no-reboot': { type: 'boolean' }, 'no-shutdown': { type: 'boolean' },
  action: { type: 'string', value: 'reboot=reset|shutdown,shutdown=poweroff|pause', repeat: ',' },
};

export const ENDING_HELP = `  -no-reboot, -action reboot=shutdown
                            end when the guest resets, with code 0, instead of booting again (so does --exec)
  -no-shutdown, -action shutdown=pause
                            pause when the guest powers off, for the monitor and gdb
`;

export interface Endings {
  /** A reset boots again. */
  readonly reboots: boolean;
  /** Power off pauses. */
  readonly pauses: boolean;
}

/** Reads the options; the last one that speaks of something holds. @throws UsageError */
export function endingsOf(args: ParsedArgs, once: boolean): Endings {
  const actions = new Map<string, string>();
  if (args.values['no-reboot']) actions.set('reboot', 'shutdown');
  if (args.values['no-shutdown']) actions.set('shutdown', 'pause');
  const text = args.values.action as string | undefined;
  for (const pair of text?.split(',') ?? []) {
    const [name = '', value = ''] = pair.split('=');
    const known = Object.hasOwn(ACTIONS, name) ? ACTIONS[name]! : null;
    if (!known) throw new UsageError(`-action ${text}: '${pair}' is not understood; expected ${Object.keys(ACTIONS).join('=, ')}=`);
    if (!known.includes(value)) throw new UsageError(`-action ${text}: ${name}=${value}; expected ${known.join(', ')}`);
    actions.set(name, value);
  }
  return { reboots: !once && actions.get('reboot') !== 'shutdown', pauses: actions.get('shutdown') === 'pause' };
}
