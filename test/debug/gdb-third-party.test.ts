// The real gdb in a kernel that nobody here wrote: GNU Mach with its symbols and line tables.

import { describe, expect, it } from 'vitest';
import { find, load } from '../pc/third-party-files.ts';
import { hasGdb, session } from './gdb-session.ts';

const mach = find(/^gnumach-.*-dbg\.gz$/, 'GNU Mach with symbols');

describe.skipIf(!mach || !hasGdb)('gdb in GNU Mach', () => {
  it('breaks, steps by instruction and by line, reads memory behind page tables, watches and continues', async () => {
    const { text, code } = await session(load(mach!), ['-kernel', 'KERNEL', '-append', 'console=com0', '-m', '64', '-serial', 'null'], [
      'hbreak setup_main', 'continue', 'backtrace 2', 'printf "at %x\\n", $eip', 'info registers cr0', 'stepi', 'stepi', 'printf "after %x\\n", $eip',
      'step', 'x/s version', 'monitor info mem',
      'delete', 'break pmap_enter', 'continue', 'printf "pa %x\\n", pa', 'finish', 'delete',
      'watch -location *(int*)($esp-8)', 'continue', 'delete', 'printf "word %x\\n", *(int*)($esp-8)', 'kill',
    ]);
    expect(text).toMatch(/^Breakpoint 1, setup_main \(\) at [^\n]*startup\.c:102$/m);
    expect(text).toMatch(/^#1 +0x[0-9a-f]+ in c_boot_entry /m);
    expect(text).toMatch(/^cr0 .*\[.*PG.*\]$/m);
    const at = Number(`0x${/^at ([0-9a-f]+)$/m.exec(text)?.[1]}`);
    expect(at).toBeGreaterThan(0xc0000000);
    expect(Number(`0x${/^after ([0-9a-f]+)$/m.exec(text)?.[1]}`) - at).toBe(3); // push ebp; mov ebp,esp
    expect(text).toMatch(/"GNU Mach 1\.8/);
    expect(text).toMatch(/^c1000000-[0-9a-f]{8} [0-9a-f]{8} -r-$/m);
    expect(text).toMatch(/^Breakpoint 2, pmap_enter \(pmap=0x[0-9a-f]+ <kernel_pmap_store>/m);
    expect(text).toMatch(/^Hardware watchpoint 3: [^]*^Old value = [^]*^New value = /m);
    expect(text).toMatch(/^word [0-9a-f]+$/m);
    expect(code).toBe(0);
  }, 600_000);
});
