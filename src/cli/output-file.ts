// A text file that is written in large pieces.

import { closeSync, openSync, writeSync } from 'node:fs';
import { UsageError } from './args.ts';

const BUFFER = 1 << 16;
const STDERR = 2;

export class OutputFile {
  private text = '';
  private readonly fd: number;

  /** @param path null: standard error. @throws UsageError that names the option */
  constructor(option: string, path: string | null) {
    try {
      this.fd = path === null ? STDERR : openSync(path, 'w');
    } catch (error) {
      throw new UsageError(`${option} ${path}: ${(error as Error).message.split(',')[0]}`);
    }
  }

  line(text: string): void {
    this.text += `${text}\n`;
    if (this.text.length > BUFFER) this.flush();
  }

  flush(): void {
    if (this.text) writeSync(this.fd, this.text, null, 'latin1');
    this.text = '';
  }

  close(): void {
    this.flush();
    if (this.fd !== STDERR) closeSync(this.fd);
  }
}
