// The emulator and the real gdb in conversation.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './kernel.ts';

export const hasGdb = spawnSync('gdb', ['--version']).error === undefined;
if (!hasGdb) console.log('gdb is not installed: the tests with the real gdb are skipped');

/** Starts the emulator with a gdb port, runs gdb's commands on it; what gdb printed, and the emulator's exit code. */
export async function session(kernel: Uint8Array, args: readonly string[], commands: readonly string[]): Promise<{ text: string; code: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'gdb-'));
  try {
    const elf = join(folder, 'kernel.elf');
    writeFileSync(elf, kernel);
    return await converse(elf, args, commands);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function converse(elf: string, args: readonly string[], commands: readonly string[]): Promise<{ text: string; code: number | null }> {
  const emulator = spawn(process.execPath, ['--import', 'tsx', 'src/cli/emulate.ts', ...args.map((word) => (word === 'KERNEL' ? elf : word)), '-S', '-gdb', 'tcp::0', '--timeout', '600'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => emulator.on('close', resolve));
  const port = await new Promise<string>((resolve, reject) => {
    let text = '';
    emulator.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const match = /waiting for gdb on [\d.]+:(\d+)/.exec(text);
      if (match) resolve(match[1]!);
    });
    emulator.on('close', () => reject(new Error(text)));
  });
  const script = ['set pagination off', 'set confirm off', `target remote 127.0.0.1:${port}`, ...commands].flatMap((line) => ['-ex', line]);
  const gdb = spawn('gdb', ['-nx', '-batch', elf, ...script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [said, complained] = ['', ''];
  gdb.stdout.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  gdb.stderr.on('data', (chunk: Buffer) => { complained += chunk.toString(); });
  await new Promise((resolve) => gdb.on('close', resolve));
  return { text: said + complained, code: await ended };
}
