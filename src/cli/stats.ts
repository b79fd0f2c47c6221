// `--stats`: what a run amounted to. Everything but the wall line is the same in every run of the same command.

import { EVENTS } from '../cpu/timing.ts';
import type { Machine } from '../pc/machine.ts';

/** Lines `name: value`, events that happened last; cycles by event only where the table charges for them. */
export function statistics(machine: Machine, wallSeconds: number): string[] {
  const { cpu, clock } = machine;
  const events = EVENTS.filter((event) => cpu.events.of(event) > 0).map((event) => {
    const count = cpu.events.of(event);
    const cost = cpu.timing.costs[event];
    return `  ${event}: ${count}${cost ? ` x ${cost} = ${count * cost}` : ''}`;
  });
  return [
    `instructions: ${cpu.instructions}`,
    `cycles: ${cpu.cycles} (${cpu.timing.name})`,
    `virtual-seconds: ${(clock.now / clock.hertz).toFixed(6)}`,
    `wall-seconds: ${wallSeconds.toFixed(2)} (${(cpu.instructions / wallSeconds / 1e6).toFixed(0)} MIPS)`,
    'events:',
    ...events,
  ];
}
