// x87 effects as microcode. x87Effects names every effect (the `does` column of the ISA table) that x87Text defines; for
// each there is `throws fn x87_NAME(ip: i32)`. When it runs, #NM has been checked and the linear address of a memory
// operand is in `ea` (segment-checked, not yet touched); rd8..rd64 and wr8..wr64 access it. Micro-op fields:
// m32[IMM : ip] = opcode byte << 8 | ModRM, m8[AUX : ip] = operand size in bytes.

export const x87Effects: string[] = ['fnop', 'fwait', 'fninit'];

export const x87Text = `
throws fn x87_fnop(ip: i32) {}
throws fn x87_fwait(ip: i32) { if (fpuStatus & 0x80) { raiseFault(16); } }
throws fn x87_fninit(ip: i32) { fpuControl = 0x37f; fpuStatus = 0; fpuFull = 0; }
`;
