// The terminal side of the serial console: bytes from standard input to the guest, the guest's bytes to standard output.
// A terminal is put into raw mode, so that Ctrl-C and friends reach the guest, and is restored whatever happens; Ctrl-A is
// the escape: x quits, h helps, Ctrl-A Ctrl-A sends itself. Standard input that ends never ends the guest.

import { fstatSync, readFileSync } from 'node:fs';

const ESCAPE = 1;
const HELP = '\r\nCtrl-A h  this help\r\nCtrl-A x  quit\r\nCtrl-A Ctrl-A  send Ctrl-A\r\n';

export class Console {
  private escaped = false;
  private pending: number[] = [];
  private wake: (() => void) | null = null;
  private output: number[] = [];
  private readonly terminal = process.stdin.isTTY === true;
  /** More input may still come. */
  open = true;
  quit = false;

  /** Starts listening. A regular file (or /dev/null) as standard input is read at once, so that runs are repeatable. */
  start(): void {
    if (!this.terminal && isFile()) {
      this.pending.push(...readFileSync(0));
      this.open = false;
      return;
    }
    if (this.terminal) this.enterRawMode();
    process.stdin.on('data', (chunk: Buffer) => this.typed(chunk));
    process.stdin.on('end', () => this.closed());
    process.stdin.on('error', () => this.closed());
  }

  private enterRawMode(): void {
    const raw = () => process.stdin.setRawMode(true);
    const restore = () => process.stdin.setRawMode(false);
    raw();
    process.on('exit', restore);
    process.on('SIGCONT', raw);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        restore();
        process.kill(process.pid, signal);
      });
    }
  }

  private closed(): void {
    this.open = false;
    this.wake?.();
  }

  private typed(chunk: Buffer): void {
    for (const byte of chunk) {
      if (!this.terminal) this.pending.push(byte);
      else if (this.escaped) this.command(byte);
      else if (byte === ESCAPE) this.escaped = true;
      else this.pending.push(byte);
    }
    this.wake?.();
  }

  private command(byte: number): void {
    this.escaped = false;
    if (byte === 0x78) this.quit = true;
    else if (byte === 0x68) process.stderr.write(HELP);
    else if (byte === ESCAPE) this.pending.push(ESCAPE);
  }

  /** Takes what was typed since the last call. */
  take(): number[] {
    const bytes = this.pending;
    this.pending = [];
    return bytes;
  }

  /** A byte from the guest. */
  put(byte: number): void {
    this.output.push(byte);
  }

  flush(): void {
    if (!this.output.length) return;
    process.stdout.write(Uint8Array.from(this.output));
    this.output = [];
  }

  /** Waits for input, at most `milliseconds`. */
  async wait(milliseconds: number): Promise<void> {
    if (this.pending.length || this.quit) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(milliseconds, 0x7fffffff));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
  }

  stop(): void {
    this.flush();
    if (this.terminal) process.stdin.setRawMode(false);
    process.stdin.destroy();
  }
}

function isFile(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFile() || stat.isCharacterDevice();
  } catch {
    return true;
  }
}
