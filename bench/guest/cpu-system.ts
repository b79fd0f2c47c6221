// What kernels do besides computing: system calls from ring 3, page faults that map a page, address-space switches, code
// that has just been written, instructions patched before they run, and string moves. The numbers of rounds are part of the
// bench's arithmetic: bench/cpu.ts divides by them.

import { directory, loadDirectory, runInRing3, setGate, WINDOW, WINDOW_TABLE } from './cpu-machine.ts';

const FRAMES: usize = 0x900000;      // memory for pages of the window, and for copies
const CODE: usize = 0xa00000;        // a page of code

let calls: u32 = 0;
let rounds: u32 = 0;

// ---- int 0x80: a handler that saves registers and calls a function by number

function addCall(a: u32, b: u32): u32 {
  calls += a;
  return calls ^ b;
}

function dispatch(number: u32, a: u32, b: u32): u32 {
  return number == 3 ? addCall(a, b) : 0;
}

function trapSystemCall(): void {
  naked();
  asm`push ebp
      push edi
      push esi
      push edx
      push ecx
      push ebx
      push ecx
      push ebx
      push eax
      call ${dispatch}
      add esp, 12
      pop ebx
      pop ecx
      pop edx
      pop esi
      pop edi
      pop ebp
      iretd`;
}

function callLoop(): void {
  naked();
  asm`mov esi, [${rounds}]
      again:
      mov eax, 3
      mov ebx, 1
      mov ecx, esi
      int 0x80
      dec esi
      jne again
      int 0x81`;
}

export function systemCalls(): u32 {
  calls = 0;
  rounds = 200000;
  setGate(0x80, codeof(trapSystemCall));
  runInRing3(codeof(callLoop));
  return calls;
}

// ---- page faults: ring 3 touches two pages in turn, of which only the last one touched is mapped

/** Maps the page that was missing, and unmaps its neighbour. */
function answerFault(address: usize): void {
  const page = (address >>> 12) & 1;
  store<u32>(WINDOW_TABLE + page * 4, (FRAMES + page * 4096) | 7);
  store<u32>(WINDOW_TABLE + (1 - page) * 4, 0);
  const other = address ^ 4096;
  asm`mov eax, ${other}
      invlpg [eax]`;
  calls++;
}

function trapPageFault(): void {
  naked();
  asm`push eax
      push ecx
      push edx
      mov eax, cr2
      push eax
      call ${answerFault}
      add esp, 4
      pop edx
      pop ecx
      pop eax
      add esp, 4
      iretd`;
}

function touchLoop(): void {
  naked();
  asm`mov esi, [${rounds}]
      mov edi, ${WINDOW}
      again:
      mov eax, [edi]
      add [edi], esi
      xor edi, 4096
      dec esi
      jne again
      int 0x81`;
}

export function pageFaults(): u32 {
  calls = 0;
  rounds = 100000;
  store<u32>(WINDOW_TABLE, 0);
  store<u32>(WINDOW_TABLE, 0, 4);
  loadDirectory(directory());
  setGate(14, codeof(trapPageFault));
  runInRing3(codeof(touchLoop));
  return calls;
}

// ---- CR3: two spaces that differ in 32 pages of the window, each page written and read after each switch

function makeSpace(n: u32): usize {
  const top: usize = 0x810000 + n * 0x2000;
  for (let i: u32 = 0; i < 1024; i++) {
    store<u32>(top + i * 4, load<u32>(directory() + i * 4));
    store<u32>(top + 4096 + i * 4, i < 32 ? (FRAMES + n * 0x20000 + i * 4096) | 7 : 0);
  }
  store<u32>(top + (WINDOW >>> 20), (top + 4096) | 7);
  return top;
}

export function directoryLoads(): u32 {
  const a = makeSpace(0);
  const b = makeSpace(1);
  let sum: u32 = 0;
  for (let i: u32 = 0; i < 20000; i++) {
    loadDirectory((i & 1) != 0 ? b : a);
    for (let page: u32 = 0; page < 32; page++) {
      const at = WINDOW + page * 4096 + page * 64;
      store<u32>(at, i + page);
      sum += load<u32>(at + 4);
    }
  }
  loadDirectory(directory());
  return sum;
}

// ---- fresh code: 64 functions are written into a page, and each runs three times

/** mov eax, imm; add eax, [esp+4]; xor eax, imm; rol eax, 3; inc eax; ret, in 64 bytes. */
function writeFunction(at: usize, value: u32): void {
  store<u8>(at, 0xb8);
  store<u32>(at, value, 1);
  store<u32>(at, 0x04244403, 5);
  store<u8>(at, 0x35, 9);
  store<u32>(at, value * 7, 10);
  store<u32>(at, 0x4003c0c1, 14);
  store<u8>(at, 0xc3, 18);
}

function callCode(at: usize, value: u32): u32 {
  let result: u32 = 0;
  asm`mov eax, ${value}
      push eax
      mov eax, ${at}
      call eax
      add esp, 4
      mov ${result}, eax`;
  return result;
}

export function freshPages(): u32 {
  let sum: u32 = 0;
  for (let round: u32 = 0; round < 200; round++) {
    for (let n: u32 = 0; n < 64; n++) writeFunction(CODE + n * 64, round * 64 + n);
    for (let pass: u32 = 0; pass < 3; pass++) {
      for (let n: u32 = 0; n < 64; n++) sum += callCode(CODE + n * 64, pass);
    }
  }
  return sum;
}

/** The immediate operand of one instruction changes before each run of it. */
export function patches(): u32 {
  let sum: u32 = 0;
  writeFunction(CODE, 0);
  for (let round: u32 = 0; round < 20000; round++) {
    store<u32>(CODE, round, 1);
    sum += callCode(CODE, round);
  }
  return sum;
}

// ---- 64 KiB string moves

export function copyRuns(): u32 {
  for (let i: u32 = 0; i < 65536; i += 4) store<u32>(FRAMES + i, i * 3);
  for (let round: u32 = 0; round < 1000; round++) {
    asm`push esi
        push edi
        mov esi, ${FRAMES}
        lea edi, [esi+0x40000]
        mov ecx, 0x4000
        cld
        rep movsd
        pop edi
        pop esi`;
  }
  return load<u32>(FRAMES + 0x40000 + 65532);
}

export function fillRuns(): u32 {
  for (let round: u32 = 0; round < 1000; round++) {
    asm`push edi
        mov edi, ${FRAMES}
        mov eax, 0x5a5a5a5a
        mov ecx, 0x4000
        cld
        rep stosd
        pop edi`;
  }
  return load<u32>(FRAMES + 65532);
}
