// Another emulator with QEMU's command line as a runner of bench/guest/cpu.ts: a process that talks on its standard input
// and output, and whose processor time Linux keeps per thread in nanoseconds.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from './cpu.ts';

const PATIENCE = 120_000;

export class Peer {
  private text = '';
  private wake: (() => void) | null = null;
  private failure: string | null = null;

  private constructor(private readonly child: ChildProcessWithoutNullStreams, private readonly folder: string) {
    child.stdout.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.wake?.();
    });
    const fail = (why: string) => {
      this.failure ??= why;
      this.wake?.();
    };
    child.on('error', (error: Error) => fail(error.message));
    child.on('exit', (code) => fail(`exit code ${code}`));
  }

  /** Boots the kernel. @throws when the command is not there, or the guest does not come up */
  static async start(command: string, kernel: Uint8Array): Promise<Peer> {
    const folder = mkdtempSync(join(tmpdir(), 'bench-cpu-'));
    const image = join(folder, 'cpu.elf');
    writeFileSync(image, kernel);
    const child = spawn(command, ['-accel', 'tcg', '-m', '32', '-kernel', image, '-serial', 'stdio', '-display', 'none', '-monitor', 'none', '-no-reboot', '-net', 'none']);
    const peer = new Peer(child, folder);
    try {
      await peer.until('ready\n');
    } catch (error) {
      peer.stop();
      throw new Error(`${command}: ${(error as Error).message}`);
    }
    return peer;
  }

  private async until(end: string): Promise<void> {
    const timer = setTimeout(() => {
      this.failure ??= `no answer within ${PATIENCE / 1000} s`;
      this.wake?.();
    }, PATIENCE);
    while (this.failure === null && !this.text.endsWith(end)) await new Promise<void>((done) => (this.wake = done));
    clearTimeout(timer);
    if (this.failure !== null) throw new Error(this.failure);
  }

  /** Nanoseconds of processor time that all threads have used. */
  private nanoseconds(): number {
    const tasks = `/proc/${this.child.pid}/task`;
    return readdirSync(tasks).reduce((sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'latin1').split(' ')[0]), 0);
  }

  async run(letter: string): Promise<Run> {
    this.text = '';
    const before = this.nanoseconds();
    this.child.stdin.write(letter);
    await this.until('\n');
    const seconds = (this.nanoseconds() - before) / 1e9;
    return { seconds, sum: Number(/^<>(\d+)\r?\n$/.exec(this.text)![1]) };
  }

  stop(): void {
    this.child.removeAllListeners('exit');
    this.child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
