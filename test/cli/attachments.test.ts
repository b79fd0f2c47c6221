// What a machine is connected to: drives, serial lines, scripts, the screen, by QEMU's option names. In one process where a
// process of its own is not the point, because starting one takes most of a second.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommandLine, parseSeconds, UsageError } from '../../src/cli/args.ts';
import { ATTACHMENT_OPTIONS, Attachments } from '../../src/cli/attachments.ts';
import { COMPATIBILITY_OPTIONS, debugExit, warnings } from '../../src/cli/compatibility.ts';
import { Console } from '../../src/cli/console.ts';
import { CursesScreen } from '../../src/cli/curses.ts';
import { SnapshotDisk } from '../../src/cli/disk-file.ts';
import { DRIVE_OPTIONS, openDrives } from '../../src/cli/drives.ts';
import { Expectation, parseScript } from '../../src/cli/expect.ts';
import { IdleWatch } from '../../src/cli/idle-watch.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { LoadError } from '../../src/pc/load-error.ts';
import { guest, OFF } from '../pc/guest.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SPECS = { ...DRIVE_OPTIONS, ...ATTACHMENT_OPTIONS, ...COMPATIBILITY_OPTIONS, monitor: { type: 'string' } } as const;
const args = (...words: string[]) => parseCommandLine(words, SPECS);
let folder = '';
let image = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'attached-'));
  image = join(folder, 'xv6.img');
  writeFileSync(image, Buffer.alloc(4096, 'abcdefgh'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('drives', () => {
  it("take xv6's line unchanged", () => {
    const [first, ...others] = openDrives(args('-drive', `file=${image},index=0,media=disk,format=raw`, '-snapshot'));
    expect(first!.sectors).toBe(8);
    expect(others).toEqual([null, null, null]);
  });

  it('find their places, and CD-ROMs theirs', () => {
    const disks = openDrives(args('-snapshot', '-hdb', image, '-cdrom', image, '-drive', `file=${image},media=disk`, '-drive', `file=${image},media=cdrom`));
    expect(disks.map((disk) => disk?.cdrom ?? false)).toEqual([false, false, true, true]);
  });

  it('are one line when they are wrong', () => {
    const refused = (pattern: RegExp, kind: typeof UsageError | typeof LoadError, ...words: string[]) => {
      const attempt = () => openDrives(args(...words));
      expect(attempt).toThrow(kind);
      expect(attempt).toThrow(pattern);
    };
    refused(/'indx=0' is not understood; expected file=, index=/, UsageError, '-drive', `file=${image},indx=0`);
    refused(/format=qcow2; expected raw/, UsageError, '-drive', `file=${image},format=qcow2`);
    refused(/an index from 0 to 3/, UsageError, '-drive', `file=${image},index=7`);
    refused(/index 0 is taken by -hda/, UsageError, '-snapshot', '-hda', image, '-drive', `file=${image},index=0`);
    refused(/no such file; expected an ISO 9660 image/, LoadError, '-cdrom', join(folder, 'none'));
    writeFileSync(join(folder, 'short'), 'x');
    refused(/short: the file ends before offset 512; expected a raw disk image of at least one sector/, LoadError, '-hda', join(folder, 'short'), '-snapshot');
  });

  it('are locked while they are written, unless the holder is gone', () => {
    const mark = `${image}.lock`;
    const holder = spawn('sleep', ['100']);
    writeFileSync(mark, String(holder.pid));
    expect(() => openDrives(args('-hda', image))).toThrow(/in use by process \d+ .*expected an image that nobody else writes/);
    expect(openDrives(args('-hda', image, '-snapshot'))[0]!.sectors).toBe(8);
    holder.kill();
    writeFileSync(mark, '999999999');
    expect(openDrives(args('-hda', image))[0]!.sectors).toBe(8);
    expect(readFileSync(mark, 'utf8')).toBe(String(process.pid));
    rmSync(mark);
  });

  it('go on with zeros in a last sector that the file has a part of, and make it whole by writing', () => {
    const short = join(folder, 'odd.img');
    writeFileSync(short, new Uint8Array(700).fill(7));
    const [disk] = openDrives(args('-hda', short));
    const sector = new Uint8Array(512).fill(9);
    disk!.read(1, sector);
    expect([disk!.sectors, sector[187], sector[188], sector[511]]).toEqual([2, 7, 0, 0]);
    disk!.write(1, sector);
    expect(readFileSync(short)).toHaveLength(1024);
    writeFileSync(short, new Uint8Array(600));
    expect(() => disk!.read(1, sector)).toThrow(/shorter/);
  });

  it('keep what is written to a snapshot apart', () => {
    const base = new MemoryDisk(new Uint8Array(1024).fill(1));
    const disk = new SnapshotDisk(base);
    disk.write(1, new Uint8Array(512).fill(2));
    const sector = new Uint8Array(512);
    disk.read(1, sector);
    expect(sector[0]).toBe(2);
    disk.read(0, sector);
    expect(sector[0]).toBe(1);
    expect(base.bytes[512]).toBe(1);
  });
});

describe('connections', () => {
  it('leave the terminal to one', async () => {
    await expect(Attachments.open(args('-serial', 'stdio', '-display', 'curses'), new Console())).rejects.toThrow(/both want the terminal/);
    await expect(Attachments.open(args('-serial', 'usb'), new Console())).rejects.toThrow(/-serial usb: expected stdio/);
    await expect(Attachments.open(args('-serial', 'tcp:somewhere'), new Console())).rejects.toThrow(/expected tcp:HOST:PORT/);
    await expect(Attachments.open(args('-display', 'gtk'), new Console())).rejects.toThrow(/expected none or curses/);
  });

  it('write serial lines and the debug console to files', async () => {
    const [one, two, three] = ['one', 'two', 'three'].map((name) => join(folder, name));
    const attached = await Attachments.open(args('-serial', `file:${one}`, '-serial', `file:${two}`, '-debugcon', `file:${three}`), new Console());
    for (const byte of Buffer.from('first')) attached.sinks.serial(byte);
    for (const byte of Buffer.from('second')) attached.sinks.serial2(byte);
    attached.sinks.debugConsole(33);
    attached.close();
    expect([one!, two!, three!].map((path) => readFileSync(path, 'latin1'))).toEqual(['first', 'second', '!']);
    expect(attached.written).toBe(5);
  });

  it('warn of what is asked in vain, and place isa-debug-exit', () => {
    expect(warnings(args('-smp', '2', '-cpu', 'qemu32', '-net', 'none'))).toEqual(['damselfly: -smp 2: there is one processor; going on with it']);
    expect(debugExit(args())).toEqual({ base: 0xf4, size: 4 });
    expect(debugExit(args('-device', 'isa-debug-exit'))).toEqual({ base: 0x501, size: 2 });
    expect(debugExit(args('-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'))).toEqual({ base: 0xf4, size: 4 });
    expect(() => debugExit(args('-device', 'e1000'))).toThrow(/expected isa-debug-exit/);
    const machine = guest('mov dx, 0x501\nmov al, 7\nout dx, al\njmp 0x2000', { debugExit: { base: 0x501, size: 2 } });
    expect(machine.run(100, true)).toEqual({ kind: 'debug-exit', value: 7 });
  });

  it('understand times', () => {
    expect(['90', '90s', '500ms', '2m'].map((text) => parseSeconds('timeout', text))).toEqual([90, 90, 0.5, 120]);
    expect(() => parseSeconds('timeout', 'soon')).toThrow(/expected a time such as/);
  });
});

describe('a script', () => {
  it('waits and sends at the byte that completes a match', () => {
    const sent: string[] = [];
    const talk = new Expectation(parseScript('# comment\n\nsend hello\nwait login:\ntype root\\n\\x03\nwait /\\$ $/\n', 'f'), (bytes) => sent.push(Buffer.from(bytes).toString('latin1')));
    talk.begin();
    expect(sent).toEqual(['hello\n']);
    for (const byte of Buffer.from('my login: ')) talk.put(byte);
    expect(sent).toEqual(['hello\n', 'root\n\x03']);
    expect([talk.done, talk.missing]).toEqual([false, '/\\$ $/']);
    for (const byte of Buffer.from('$ ')) talk.put(byte);
    expect(talk.done).toBe(true);
  });

  it('is refused with file and line', () => {
    expect(() => parseScript('wait a\nsleep 3', 'f')).toThrow(/f:2: 'sleep 3'; expected wait TEXT/);
    expect(() => parseScript('wait /(/', 'f')).toThrow(/f:1: Invalid regular expression/);
  });
});

describe('a guest that waits for nobody', () => {
  const TICKING = 'mov al, 0xff\nout 0x21, al\nagain:\n';
  const run = (text: string, seconds: number, limit: number) => {
    const machine = guest(text);
    const watch = new IdleWatch(machine, seconds);
    let waits = false;
    while (!waits && machine.cpu.instructions < limit) {
      machine.run(machine.cpu.instructions + 100_000, true);
      waits = watch.waitsForever(0);
    }
    return waits;
  };

  it('is not one that computes', () => {
    expect(run(`${TICKING}inc eax\njmp again`, 0.01, 5_000_000)).toBe(false);
  });

  it('is one that does nothing for long', () => {
    const machine = guest(`hlt\n${OFF}`);
    const watch = new IdleWatch(machine, 5);
    expect(watch.waitsForever(0)).toBe(false);
    machine.clock.skip(4 * machine.clock.hertz);
    expect(watch.waitsForever(0)).toBe(false);
    machine.clock.skip(2 * machine.clock.hertz);
    expect(watch.waitsForever(1)).toBe(false); // it wrote something
    machine.clock.skip(6 * machine.clock.hertz);
    machine.receive([65]);
    expect(watch.waitsForever(1)).toBe(false); // it has something to read
  });
});

describe('the screen', () => {
  it('is drawn by its changes', () => {
    const machine = guest(`mov dword ptr [0xb8000], 0x4f420741\n${OFF}`);
    machine.run(100, true);
    const screen = new CursesScreen();
    const first = screen.frame(machine.picture());
    expect(first).toContain('\x1b[1;1H\x1b[0;37;40mA\x1b[0;97;41mB');
    expect(screen.frame(machine.picture())).toBe('');
    machine.cpu.ram[0xb8000 + 2 * 81] = 0xdb;
    expect(screen.frame(machine.picture())).toMatch(/^\x1b\[2;2H\x1b\[0;37;40m█/);
    expect(screen.leave()).toMatch(/\x1b\[\?1049lAB\n █\n$/);
  });
});

describe('the command', () => {
  const emulator = (words: readonly string[]) => spawn(process.execPath, ['--import', 'tsx', 'src/cli/emulate.ts', ...words], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });

  it('serves COM1 on a TCP port', async () => {
    const kernel = join(folder, 'kernel.bin');
    const { multibootKernel } = await import('../pc/images.ts');
    const { assembled } = await import('../pc/guest.ts');
    // Echoes what comes in until a dot, then powers off.
    writeFileSync(kernel, multibootKernel([...assembled(`again:\nmov dx, 0x3fd\nin al, dx\ntest al, 1\njz again\nmov dx, 0x3f8\nin al, dx\nout dx, al\ncmp al, 0x2e\njne again\n${OFF}`, 0x10000c)]));
    const child = emulator([kernel, '-serial', 'tcp::0,server,nowait', '--timeout', '60s']);
    const port = await new Promise<number>((done) => {
      let text = '';
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const match = /on 127\.0\.0\.1:(\d+)/.exec(text);
        if (match) done(Number(match[1]));
      });
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('hello.');
    let answer = '';
    socket.on('data', (chunk) => { answer += chunk.toString(); });
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
    expect(answer).toBe('hello.');
    expect(existsSync(`${kernel}.lock`)).toBe(false);
  }, 120_000);

  it('has a monitor on a TCP port', async () => {
    const child = emulator([join(folder, 'kernel.bin'), '-serial', 'null', '-monitor', 'tcp::0,server,nowait', '--timeout', '60s']);
    const port = await new Promise<number>((done) => {
      child.stderr.on('data', (chunk: Buffer) => {
        const match = /on 127\.0\.0\.1:(\d+)/.exec(chunk.toString());
        if (match) done(Number(match[1]));
      });
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('info status\r\nquit\n');
    let answer = '';
    socket.on('data', (chunk) => { answer += chunk.toString(); });
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
    expect(answer).toMatch(/^VM status: running, \d+ instructions\n$/);
  }, 120_000);

  it('obeys Ctrl-A in a pipe under -serial mon:stdio', () => {
    const run = (input: string) => spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/emulate.ts', join(folder, 'kernel.bin'), '-serial', 'mon:stdio', '--timeout', '60s'], { cwd: ROOT, encoding: 'latin1', input });
    const helped = run('a\x01hb\x01\x01.');
    expect([helped.status, helped.stdout]).toEqual([0, 'ab\x01.']);
    expect(helped.stderr).toContain('Ctrl-A x       quit');
    expect(run('\x01cinfo status\n\x01x')).toMatchObject({ status: 0, stdout: expect.stringContaining('VM status: running') as string });
  }, 120_000);

  it('meets expectations or ends with 12', async () => {
    const script = join(folder, 'script');
    writeFileSync(script, 'wait zzz\n');
    const result = spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/emulate.ts', join(folder, 'kernel.bin'), '--expect', script, '--max-insns', '100000'], { cwd: ROOT, encoding: 'latin1' });
    expect([result.status, result.stderr]).toEqual([12, 'damselfly: stopped after 100000 instructions\ndamselfly: --expect: the run ended before this was seen: zzz\n']);
    writeFileSync(script, 'send abc.\nwait abc.\n');
    expect(spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/emulate.ts', join(folder, 'kernel.bin'), '--expect', script], { cwd: ROOT, encoding: 'latin1' })).toMatchObject({ status: 0, stdout: 'abc.', stderr: '' });
    const { multibootKernel } = await import('../pc/images.ts');
    const last = join(folder, 'last.bin');
    writeFileSync(last, multibootKernel([0xb0, 0x4b, 0x66, 0xba, 0xf8, 0x03, 0xee, 0xb0, 4, 0xe6, 0xf4])); // prints K, and ends with code 9
    writeFileSync(script, 'wait K\n');
    expect(spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/emulate.ts', last, '--expect', script], { cwd: ROOT, encoding: 'latin1' })).toMatchObject({ status: 0, stdout: 'K', stderr: '' });
  }, 120_000);
});
