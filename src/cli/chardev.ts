// Where the bytes of a serial port or of the debug console go, by QEMU's words: stdio, a file, a TCP connection, nothing.
// The other direction, bytes from outside, comes through `onInput`.

import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { UsageError } from './args.ts';
import type { Console } from './console.ts';
import { OutputFile } from './output-file.ts';

export interface CharacterDevice {
  /** Somebody outside may still send bytes. */
  readonly live: boolean;
  onInput: (bytes: Iterable<number>) => void;
  put(byte: number): void;
  flush(): void;
  close(): void;
}

class NullDevice implements CharacterDevice {
  get live(): boolean {
    return false;
  }

  onInput: CharacterDevice['onInput'] = () => {};
  put(_byte: number): void {}
  flush(): void {}
  close(): void {}
}

/** Standard input and output, which the console owns. */
class StandardDevice extends NullDevice {
  constructor(private readonly console: Console) {
    super();
  }

  override put(byte: number): void {
    this.console.put(byte);
  }
}

class FileDevice extends NullDevice {
  private readonly file: OutputFile;

  constructor(option: string, path: string) {
    super();
    this.file = new OutputFile(option, path);
  }

  override put(byte: number): void {
    this.file.put(String.fromCharCode(byte));
  }

  override flush(): void {
    this.file.flush();
  }

  override close(): void {
    this.file.close();
  }
}

/** One TCP connection, made by us or by whoever comes. What the guest sends while nobody is connected is lost. */
class TcpDevice extends NullDevice {
  private socket: Socket | null = null;
  private server: Server | null = null;
  private pending: number[] = [];

  constructor(private readonly nudge: () => void) {
    super();
  }

  override get live(): boolean {
    return this.socket !== null || this.server !== null;
  }

  private adopt(socket: Socket): void {
    this.socket?.destroy();
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.onInput(bytes);
      this.nudge();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.socket === socket) this.socket = null;
      this.nudge();
    });
  }

  async connect(option: string, host: string, port: number): Promise<void> {
    const socket = connect(port, host);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) => reject(new UsageError(`${option}: ${error.code === 'ECONNREFUSED' ? 'nobody listens there' : error.message}`)));
    });
    this.adopt(socket);
  }

  async listen(option: string, host: string, port: number, wait: boolean): Promise<void> {
    const server = createServer();
    this.server = server;
    const connected = new Promise<void>((resolve) => {
      server.on('connection', (socket) => {
        this.adopt(socket);
        resolve();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(new UsageError(`${option}: ${error.code === 'EADDRINUSE' ? 'the port is in use' : error.message}`)));
      server.listen(port, host, resolve);
    });
    const address = server.address();
    process.stderr.write(`damselfly: ${option.split(' ')[0]} on ${host}:${typeof address === 'object' ? address?.port : port}${wait ? ', waiting for a connection' : ''}\n`);
    if (wait) await connected;
  }

  override put(byte: number): void {
    if (this.socket) this.pending.push(byte);
  }

  override flush(): void {
    if (this.pending.length) this.socket?.write(Uint8Array.from(this.pending));
    this.pending = [];
  }

  override close(): void {
    this.flush();
    this.socket?.end();
    this.server?.close();
  }
}

/** `host:port,server,nowait` and their newer spellings `server=on,wait=off`. */
function tcpOptions(option: string, text: string): { host: string; port: number; server: boolean; wait: boolean } {
  const [place = '', ...words] = text.split(',');
  const match = /^([^:]*):(\d+)$/.exec(place);
  const port = match ? Number(match[2]) : -1;
  const known = ['server', 'nowait', 'server=on', 'server=off', 'wait=on', 'wait=off', 'nodelay'];
  const wrong = words.find((word) => !known.includes(word));
  if (port < 0 || port > 65535 || wrong !== undefined) throw new UsageError(`${option}: expected tcp:HOST:PORT[,server[,nowait]]${wrong === undefined ? '' : `, not ${wrong}`}`);
  return { host: match![1] || '127.0.0.1', port, server: words.includes('server') || words.includes('server=on'), wait: !words.includes('nowait') && !words.includes('wait=off') };
}

/** Is it the terminal or pipe that this program was started with? */
export function isStandard(spec: string): boolean {
  return spec === 'stdio' || spec === 'mon:stdio';
}

/**
 * Opens what `-serial` or `-debugcon` names.
 * @throws UsageError when it can't be understood or opened
 */
export async function openCharacterDevice(option: string, spec: string, console: Console): Promise<CharacterDevice> {
  const whole = `${option} ${spec}`;
  if (isStandard(spec)) return new StandardDevice(console);
  if (spec === 'null' || spec === 'none') return new NullDevice();
  if (spec.startsWith('file:')) return new FileDevice(whole, spec.slice(5));
  if (!spec.startsWith('tcp:')) throw new UsageError(`${whole}: expected stdio, mon:stdio, file:FILE, tcp:HOST:PORT[,server[,nowait]], null or none`);
  const { host, port, server, wait } = tcpOptions(whole, spec.slice(4));
  const device = new TcpDevice(() => console.nudge());
  await (server ? device.listen(whole, host, port, wait) : device.connect(whole, host, port));
  return device;
}
