// Kernels that nobody here wrote, where this machine has them (see third-party-files.ts). Each test says which file it
// misses when it is skipped. Linux is judged by what its shell computes and by what it leaves on a disk.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Expectation, parseScript } from '../../src/cli/expect.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { Machine } from '../../src/pc/machine.ts';
import type { MachineOptions, RunResult } from '../../src/pc/machine.ts';
import { find, load } from './third-party-files.ts';

const STEP = 20_000_000;

interface Run {
  readonly serial: string;
  readonly screen: string;
  readonly result: RunResult;
  readonly missing: string;
}

/** Boots and runs until the script is through, the screen shows `wanted`, or the machine ends. */
function boot(path: string, commandLine: string, limit: number, { script = '', wanted = null as RegExp | null, initrd = '', options = {} as MachineOptions }): Run {
  let serial = '';
  const machine = new Machine({ memory: 256 << 20, ...options, serial: (byte) => { serial += String.fromCharCode(byte); talk.put(byte); } });
  const talk = new Expectation(parseScript(script, 'script'), (bytes) => machine.receive(bytes));
  machine.loadKernel(load(path), 'kernel', commandLine, initrd ? [{ bytes: readFileSync(initrd), commandLine: '' }] : []);
  let result: RunResult = { kind: 'limit' };
  let screen = '';
  for (let until = STEP; until < limit && result.kind === 'limit'; until += STEP) {
    result = machine.run(until, true);
    screen = machine.screen().join('\n');
    if (wanted ? wanted.test(screen) || wanted.test(serial) : talk.done && script && !machine.unread) break;
  }
  return { serial, screen, result, missing: talk.missing };
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const memtest = find(/^memtest86\+ia32\.bin$/, 'memtest86+');
const invaders = find(/^invaders\.exec$/, 'GRUB Invaders');
const mach = find(/^gnumach.*486(\.gz)?$/, 'GNU Mach');
const xen = find(/^xen-.*amd64(\.gz)?$/, 'Xen');
const xv6 = find(/^xv6-kernel$/, 'xv6');
const xv6Files = xv6 && find(/^xv6-fs\.img$/, "xv6's file system");
const ipxe = find(/^ipxe\.lkrn$/, 'iPXE');
const memdisk = find(/^memdisk$/, 'memdisk');
const linuxPae = find(/^vmlinuz-.*-686-pae$/, 'Linux with PAE');
const linux = find(/^vmlinuz-.*-686$/, 'Linux (not PAE)');
const initrd = linux && find(/^busybox-initrd(\.gz)?$/, 'an initial RAM disk with a shell on ttyS0');

describe('third-party kernels', () => {
  it.skipIf(!memtest)('memtest86+ finds no error', () => {
    const { serial, screen } = boot(memtest!, 'console=ttyS0,115200', 3_000_000_000, { wanted: /#2/, options: { memory: 8 << 20 } });
    expect(serial + screen).toContain('Memtest86+');
    expect(serial + screen).toMatch(/Errors: 0 /);
  }, 200_000);

  it.skipIf(!invaders)('GRUB Invaders draws its fleet', () => {
    expect(boot(invaders!, '', 500_000_000, { wanted: /-\*-.*-\*-/ }).screen).toMatch(/-\*-.*-\*-/);
  }, 60_000);

  it.skipIf(!mach)('GNU Mach comes up to its missing bootstrap module', () => {
    const { serial } = boot(mach!, 'console=com0', 4_000_000_000, { wanted: /No bootstrap code/ });
    expect(serial).toContain('RTC time is 2007-01-01');
    expect(serial).toContain('No bootstrap code loaded with the kernel');
  }, 120_000);

  it.skipIf(!xen)('Xen finds its low memory and says that the processor is a 32-bit one', () => {
    const { serial, result } = boot(xen!, '', 100_000_000, {});
    expect(serial).toContain('ERR: Not a 64-bit CPU!');
    expect(result).toEqual({ kind: 'dead-halt' });
  }, 60_000);

  it.skipIf(!xv6 || !xv6Files)('xv6 finds the APICs, lists its files and forks', () => {
    const files = Uint8Array.from(readFileSync(xv6Files!));
    const { serial, missing } = boot(xv6!, '', 2_000_000_000, {
      options: { memory: 512 << 20, disks: [new MemoryDisk(files), new MemoryDisk(files)] },
      script: 'wait $ \nsend ls\nwait console\nsend forktest\nwait fork test OK\nsend echo a b | wc\nwait 1 2 4\n',
    });
    expect(missing, serial).toBe('');
  }, 200_000);

  it.skipIf(!ipxe)('iPXE unpacks itself in real mode, looks for network cards and gives up', () => {
    const { screen } = boot(ipxe!, '', 700_000_000, { wanted: /No more network devices/ });
    expect(screen).toContain('iPXE initialising devices...ok');
    expect(screen).toContain('No more network devices');
  }, 120_000);

  it.skipIf(!memdisk)('memdisk puts itself between a boot sector and the BIOS', () => {
    const folder = mkdtempSync(join(tmpdir(), 'memdisk-'));
    const image = new Uint8Array(2880 * 512);
    // A letter read from sector 2 through INT 13h is written by INT 10h; then the machine powers off.
    image.set([0xb8, 1, 2, 0xbb, 0, 0x80, 0xb9, 2, 0, 0xb6, 0, 0xcd, 0x13, 0xa0, 0, 0x80, 0xb4, 0x0e, 0xbb, 7, 0, 0xcd, 0x10, 0xba, 4, 6, 0xb8, 0, 0x20, 0xef]);
    image.set([0x55, 0xaa], 510);
    image.fill(0x5a, 512, 1024);
    writeFileSync(join(folder, 'image'), image);
    const { screen, result } = boot(memdisk!, '', 100_000_000, { initrd: join(folder, 'image') });
    rmSync(folder, { recursive: true, force: true });
    expect(screen).toMatch(/Ramdisk at 0x[0-9a-f]+, length 0x00168000/);
    expect(screen).toMatch(/booting\.\.\.\s+Z\s*$/);
    expect(result).toEqual({ kind: 'off' });
  }, 60_000);

  it.skipIf(!linuxPae)('Linux that needs PAE says that it cannot run here', () => {
    const { screen } = boot(linuxPae!, '', 100_000_000, { wanted: /Unable to boot/ });
    expect(screen).toMatch(/not present on the CPU:\s+pae\s+Unable to boot - please use a kernel appropriate for your CPU/);
  }, 60_000);

  it.skipIf(!linux || !initrd)('Linux forks, hashes, packs, computes, and reads and writes its disks by DMA', () => {
    const numbers = Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join('');
    let sum = 0;
    for (let i = 1; i <= 1000; i++) sum += 1 / (i * i);
    const disc = Uint8Array.from({ length: 300 * 2048 }, (_, i) => (i * 7) ^ (i >> 8));
    const folder = mkdtempSync(join(tmpdir(), 'linux-'));
    const image = join(folder, 'disk.img');
    writeFileSync(image, new Uint8Array(8 << 20));
    const formatted = spawnSync('mke2fs', ['-q', '-F', image]).status === 0;
    const disk = new MemoryDisk(formatted ? Uint8Array.from(readFileSync(image)) : new Uint8Array(8 << 20));
    const { serial, result, missing } = boot(linux!, 'console=ttyS0 quiet nokaslr cryptomgr.notests', 12_000_000_000, {
      initrd: initrd!,
      options: { disks: [disk, null, Object.assign(new MemoryDisk(disc), { cdrom: true })] },
      script: `
wait /# (\\x1b\\[6n)?$/
send i=0; while [ $i -lt 60 ]; do (exit $i); [ $? = $i ] || echo lost $i; i=$((i+1)); done; echo forks''=$i
wait forks=60
send seq 1 20000 > /s; sha256sum /s; gzip -9 -c /s > /s.gz; gunzip -c /s.gz | sha256sum; echo hash''ed
wait hashed
send awk 'BEGIN { f = e = 1; for (i = 1; i <= 1000; i++) s += 1 / (i * i); for (i = 1; i < 20; i++) { f /= i; e += f }; printf "sum=%.12f e=%.10f %d\\\\n", s, e, 7 / 2; print "awk" "ed" }'
wait awked
send for m in $(cat /mod/order); do [ ! -f /mod/$m.ko ] || insmod /mod/$m.ko; done; sha256sum /dev/sr0; echo load''ed
wait loaded
send mount -t ext4 /dev/sda /mnt && cat /dev/sr0 > /mnt/copy && umount /mnt && mount -t ext4 /dev/sda /mnt && sha256sum /mnt/copy; umount /mnt; echo stor''ed
wait stored
send dmesg | grep -c 'max MWDMA2'; echo reboot''ing; reboot -f
wait rebooting
`,
    });
    const transcript = `missing: ${missing}\n${serial.slice(-4000)}`;
    expect(serial, transcript).toContain('forks=60');
    expect(serial).not.toMatch(/^lost/m);
    expect(serial.split(sha256(numbers)).length, transcript).toBe(3);
    expect(serial, transcript).toContain(`sum=${sum.toFixed(12)} e=${Math.E.toFixed(10)} 3`);
    expect(serial.split(sha256(disc)).length, transcript).toBe(formatted ? 3 : 2);
    expect(serial, transcript).toMatch(/^[1-9]\r?\nrebooting/m);
    expect(['limit', 'reset']).toContain(result.kind);
    if (formatted) {
      writeFileSync(image, disk.bytes);
      expect(spawnSync('e2fsck', ['-fn', image]).status).toBe(0);
    } else {
      console.log('mke2fs is not installed: Linux had no file system to write to');
    }
    rmSync(folder, { recursive: true, force: true });
  }, 900_000);

  it.skipIf(!linux || !initrd)('Linux takes its shell to the screen and the PS/2 keyboard, and powers off by ACPI', () => {
    const machine = new Machine({ memory: 256 << 20 });
    machine.loadKernel(load(linux!), 'kernel', 'console=tty0 quiet nokaslr cryptomgr.notests', [{ bytes: readFileSync(initrd!), commandLine: '' }]);
    const screen = () => machine.screen().join('\n');
    const until = (wanted: RegExp, limit: number) => {
      while (!wanted.test(screen()) && machine.cpu.instructions < limit) machine.run(machine.cpu.instructions + STEP, true);
      expect(screen()).toMatch(wanted);
    };
    until(/# $|#$/m, 8_000_000_000);
    machine.typeTerminal(Buffer.from('echo "Hello-$((6*7))" | tr a-z A-Z\r'));
    until(/^HELLO-42$/m, machine.cpu.instructions + 1_000_000_000);
    const pause = () => machine.run(machine.cpu.instructions + 4 * STEP, true);
    for (const keys of ['cat\r', '\x03', '\x1b[A\x1b[A\r']) { // Ctrl-C ends cat; the command before it once more
      machine.typeTerminal(Buffer.from(keys));
      pause();
    }
    until(/^HELLO-42$[^]*^HELLO-42$/m, machine.cpu.instructions + 1_000_000_000);
    machine.typeTerminal(Buffer.from('poweroff -f\r'));
    expect(machine.run(machine.cpu.instructions + 1_000_000_000, true)).toEqual({ kind: 'off' });
  }, 900_000);
});
