// The terminal side of the serial console: bytes from standard input to the guest, the guest's bytes to standard output.
// A terminal is put into raw mode, so that Ctrl-C and friends reach the guest, and is restored whatever happens; Ctrl-A is
// the escape (see `help`), in a pipe only under -serial mon:stdio. Standard input that ends never ends the guest.

import { fstatSync, readFileSync } from 'node:fs';

const ESCAPE = 1;

/** What the keys after the escape do besides quitting and helping. */
export interface ConsoleActions {
  /** Write disks out. */
  readonly save: () => void;
  /** Send a break on the serial line. */
  readonly sendBreak: () => void;
  /** What a line of output is stamped with. */
  readonly stamp: () => string;
}

/** What answers in place of the guest after Ctrl-A c. */
export interface LineReader {
  readonly prompt: string;
  execute(line: string): string;
}

export class Console {
  monitor: LineReader | null = null;
  actions: ConsoleActions | null = null;
  /** The key that begins a command: Ctrl-A, unless -echr says otherwise. */
  escape = ESCAPE;
  /** Commands are understood in a pipe, too. */
  escapes = false;
  private stamping = false;
  private atLineStart = true;
  private inMonitor = false;
  private line = '';
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
      this.open = false;
      this.typed(readFileSync(0));
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
      if (!this.terminal && !this.escapes) this.deliver(byte);
      else if (this.escaped) this.command(byte);
      else if (byte === this.escape) this.escaped = true;
      else this.deliver(byte);
    }
    this.wake?.();
  }

  private command(byte: number): void {
    this.escaped = false;
    switch (String.fromCharCode(byte)) {
      case 'x':
        this.quit = true;
        break;
      case 'h': case '?':
        process.stderr.write(this.help());
        break;
      case 'c': return this.toggleMonitor();
      case 's': return this.actions?.save();
      case 'b': return this.actions?.sendBreak();
      case 't':
        this.stamping = !this.stamping;
        break;
      default: if (byte === this.escape) this.deliver(byte);
    }
  }

  private help(): string {
    const key = `Ctrl-${String.fromCharCode(this.escape + 0x40)}`;
    const lines = [['h', 'this help'], ['x', 'quit'], ['s', 'write disk images out'], ['t', 'time stamps on or off'], ['b', 'send a break'], ['c', 'the monitor, and back'], [key, `send ${key}`]];
    return lines.map(([name, what]) => `\r\n${key} ${name!.padEnd(7)} ${what}`).join('') + '\r\n';
  }

  private deliver(byte: number): void {
    if (this.inMonitor) this.edit(byte);
    else this.pending.push(byte);
  }

  private toggleMonitor(): void {
    if (this.inMonitor) this.inMonitor = false;
    else this.enterMonitor();
    this.print(this.inMonitor ? '' : '\n');
  }

  /** What is typed from now on goes to the monitor. */
  enterMonitor(): void {
    this.inMonitor = this.monitor !== null;
    if (this.monitor && this.terminal) this.print(`\n${this.monitor.prompt}`);
  }

  /** A key in the monitor: a line editor with nothing but backspace; a pipe's lines are not echoed. */
  private edit(byte: number): void {
    if (byte === 13 || byte === 10) this.enterLine();
    else if (byte === 8 || byte === 127) {
      if (this.line && this.terminal) this.print('\b \b');
      this.line = this.line.slice(0, -1);
    } else if (byte >= 32) {
      this.line += String.fromCharCode(byte);
      if (this.terminal) this.print(String.fromCharCode(byte));
    }
  }

  private enterLine(): void {
    const { line, monitor } = this;
    this.line = '';
    if (this.terminal) this.print('\n');
    this.print(monitor!.execute(line));
    if (this.terminal && this.inMonitor) this.print(monitor!.prompt);
  }

  private print(text: string): void {
    this.output.push(...Buffer.from(this.terminal ? text.replaceAll('\n', '\r\n') : text, 'latin1'));
    this.flush();
  }

  /** Ends a wait: something else has happened. */
  nudge(): void {
    this.wake?.();
  }

  /** Takes what was typed since the last call. */
  take(): number[] {
    const bytes = this.pending;
    this.pending = [];
    return bytes;
  }

  /** A byte from the guest. */
  put(byte: number): void {
    if (this.stamping && this.atLineStart && this.actions) this.output.push(...Buffer.from(`[${this.actions.stamp()}] `));
    this.atLineStart = byte === 10;
    this.output.push(byte);
  }

  /** Text of ours for the terminal: a picture of the screen. */
  show(text: string): void {
    this.flush();
    if (text) process.stdout.write(text);
  }

  flush(): void {
    if (!this.output.length) return;
    process.stdout.write(Uint8Array.from(this.output));
    this.output = [];
  }

  /** Waits for input, at most `milliseconds`. */
  async wait(milliseconds: number): Promise<void> {
    if (!this.pending.length && !this.quit) await this.sleep(milliseconds);
  }

  /** Waits for a key or a nudge, at most `milliseconds`, whatever was typed before. */
  async sleep(milliseconds: number): Promise<void> {
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
