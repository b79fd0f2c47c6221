// Runs one command of the README in a shell, with somebody at its console: keys are typed when the text that they answer has been
// printed. What a command starts ends with it, or when its time is over.

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..');

/** What to wait for in what is printed, and then to type. */
export type Step = readonly [text: string, keys: string];

export interface Ending {
  /** Exit code; null when a signal ended the command. */
  readonly status: number | null;
  /** Carriage returns removed. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface Console {
  /** Typed at once, before the steps; the standard input ends after the last. */
  readonly input?: string;
  readonly steps?: readonly Step[];
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds after which the command and all that it started are killed. */
  readonly patience: number;
}

/** A command that runs. */
export interface Started {
  readonly ended: Promise<Ending>;
  /** Resolves when the text has been printed from now on, to false when the command ends without it. */
  readonly printed: (text: string) => Promise<boolean>;
  readonly stop: () => void;
}

/** Runs `line` with sh. */
export function start(line: string, { input = '', steps = [], folder = ROOT, environment = {}, patience }: Console): Started {
  const shell = spawn('sh', ['-c', line], { cwd: folder, detached: true, env: { ...process.env, NO_COLOR: '1', ...environment } });
  const stop = (): void => { if (shell.exitCode === null && shell.signalCode === null) process.kill(-shell.pid!, 'SIGKILL'); };
  const timer = setTimeout(stop, patience);
  const text = { stdout: '', stderr: '' };
  const waiting: { text: string; resolve: (seen: boolean) => void }[] = [];
  let [seen, next] = [0, 0];
  const answer = (): void => {
    for (; next < steps.length; next++) {
      const at = text.stdout.indexOf(steps[next]![0], seen);
      if (at < 0) return;
      seen = at + steps[next]![0].length;
      shell.stdin.write(steps[next]![1]);
    }
    shell.stdin.end();
  };
  for (const name of ['stdout', 'stderr'] as const) {
    shell[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk.replaceAll('\r', '');
      answer();
      for (const one of waiting) if ((text.stdout + text.stderr).includes(one.text)) one.resolve(true);
    });
  }
  shell.stdin.on('error', () => {}).write(input); // a command may end without reading
  answer();
  const ended = new Promise<Ending>((resolve) => shell.on('close', (status) => {
    clearTimeout(timer);
    for (const one of waiting) one.resolve(false);
    resolve({ status, ...text });
  }));
  return { ended, stop, printed: (wanted) => new Promise((resolve) => waiting.push({ text: wanted, resolve })) };
}

/** A new folder with this tree's files as a fresh clone has them, those not committed yet included. */
export function freshTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'readme-tree-'));
  const git = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
  const files = git.status === 0 ? git.stdout.split('\0').filter((name) => name !== '' && name !== 'node_modules') : readdirSync(ROOT).filter((name) => !['node_modules', 'dist', '.cache'].includes(name));
  for (const file of files) if (existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  return folder;
}
