// Buildworld on another emulator with QEMU's command line: the same kernel, the same disk image, the same boot words.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SYSTEM_MEMORY } from '../src/api/system.ts';
import type { World } from '../src/image/world.ts';
import { commandLine, timesIn } from './buildworld.ts';
import type { System, Times } from './buildworld.ts';

const PATIENCE = 600_000;
const JOBS = 8;

export interface PeerRow extends Times {
  readonly system: System;
  readonly jobs: number;
  /** Seconds of this computer, with the emulator's start. */
  readonly wall: number;
}

/** Boots, builds and halts. Throws with the console's text when the emulator is not there or the guest did not succeed. */
export function measurePeer(command: string, world: World, system: System, target: string): PeerRow {
  const folder = mkdtempSync(join(tmpdir(), 'bench-buildworld-'));
  try {
    const [kernel, disk] = [join(folder, 'host-kernel.elf'), join(folder, 'root.img')];
    writeFileSync(kernel, world.hostKernel);
    writeFileSync(disk, world.rootImage);
    const started = performance.now();
    const ran = spawnSync(command, ['-accel', 'tcg', '-m', String(SYSTEM_MEMORY >> 20), '-kernel', kernel, '-append', commandLine(system, JOBS, target),
      '-drive', `file=${disk},index=0,media=disk,format=raw`, '-serial', 'stdio', '-display', 'none', '-monitor', 'none', '-no-reboot', '-net', 'none'],
    { encoding: 'latin1', stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE });
    const wall = (performance.now() - started) / 1000;
    const why = ran.error ? ran.error.message : `${command}: exit code ${ran.status}; ${ran.stderr}`;
    if (ran.error || ran.status !== 0) throw new Error(`${system}: ${why}\n${ran.stdout ?? ''}`);
    return { system, jobs: JOBS, ...timesIn(ran.stdout, `${system}: ${why}`), wall };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
