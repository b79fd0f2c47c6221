// A file that is written in large pieces. When it cannot be written any more (a full disk), the command ends with one line.

import { closeSync, openSync, writeSync } from 'node:fs';
import { UsageError } from './args.ts';

const EXIT_USAGE = 2;
const BUFFER = 1 << 16;
const STDERR = 2;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

export class OutputFile {
  private text = '';
  private readonly fd: number;
  private failed = false;

  /** @param option as given, for complaints; @param path null: standard error. @throws UsageError that names the option */
  constructor(private readonly option: string, path: string | null) {
    try {
      this.fd = path === null ? STDERR : openSync(path, 'w');
    } catch (error) {
      throw new UsageError(this.complaint(error));
    }
  }

  private complaint(error: unknown): string {
    return `${this.option}: ${(error as Error).message.split(',')[0]}`;
  }

  line(text: string): void {
    this.put(`${text}\n`);
  }

  /** @param text characters of one byte each */
  put(text: string): void {
    this.text += text;
    if (this.text.length > BUFFER) this.flush();
  }

  flush(): void {
    const bytes = Buffer.from(this.text, 'latin1');
    this.text = '';
    for (let done = 0; done < bytes.length && !this.failed; ) done += this.write(bytes.subarray(done));
  }

  /** Writes some of the bytes, and waits for a pipe that is full. */
  private write(bytes: Uint8Array): number {
    try {
      return writeSync(this.fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.fail(error);
      Atomics.wait(PAUSE, 0, 0, 1);
      return 0;
    }
  }

  /** Handlers of 'exit' still run; what they write to this file is dropped. */
  private fail(error: unknown): never {
    this.failed = true;
    process.stderr.write(`damselfly: ${this.complaint(error)}\n`);
    process.exit(EXIT_USAGE);
  }

  close(): void {
    this.flush();
    if (this.fd !== STDERR) closeSync(this.fd);
  }
}
