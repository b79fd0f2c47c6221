// Integer work: table look-ups (crc), byte stores with strides (sieve), calls (fib), records, strings and switches after
// the manner of Dhrystone, and backtracking over arrays (queens).

const BLOCK: u32 = 65536;
let table!: FixedArray<u32, 256>;
let block!: FixedArray<u8, 65536>;

function makeTable(): void {
  for (let n: u32 = 0; n < 256; n++) {
    let c = n;
    for (let k: i32 = 0; k < 8; k++) c = (c & 1) != 0 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    table[n] = c;
  }
}

export function crc(): u32 {
  makeTable();
  for (let i: u32 = 0; i < BLOCK; i++) block[i] = (i * 7 + (i >>> 8)) as u8;
  let c: u32 = 0xffffffff;
  for (let pass: i32 = 0; pass < 60; pass++) {
    for (let i: u32 = 0; i < BLOCK; i++) c = table[(c ^ (block[i]! as u32)) & 255]! ^ (c >>> 8);
  }
  return c ^ 0xffffffff;
}

export function sieve(): u32 {
  let count: u32 = 0;
  for (let pass: i32 = 0; pass < 50; pass++) {
    count = 0;
    for (let i: u32 = 0; i < BLOCK; i++) block[i] = 1;
    for (let i: u32 = 2; i < BLOCK; i++) {
      if (block[i] == 0) continue;
      count++;
      for (let k = i + i; k < BLOCK; k += i) block[k] = 0;
    }
  }
  return count;
}

export function fibonacci(n: u32): u32 {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

class Item {
  next: Item | null = null;
  kind: i32 = 0;
  choice: i32 = 0;
  value: i32 = 0;
  text!: FixedArray<u8, 32>;
}

let first!: Embed<Item>;
let second!: Embed<Item>;
let numbers!: FixedArray<i32, 64>;
let grid!: FixedArray<i32, 2500>;

function setText(item: Item, last: u8): void {
  for (let i: i32 = 0; i < 30; i++) item.text[i] = (65 + i % 26) as u8;
  item.text[30] = last;
  item.text[31] = 0;
}

function compareText(a: Item, b: Item): i32 {
  let i: i32 = 0;
  while (a.text[i] == b.text[i] && a.text[i] != 0) i++;
  return (a.text[i]! as i32) - (b.text[i]! as i32);
}

function copyItem(to: Item, from: Item): void {
  to.kind = from.kind;
  to.choice = from.choice;
  to.value = from.value;
  for (let i: i32 = 0; i < 32; i++) to.text[i] = from.text[i]!;
}

function choose(value: i32): i32 {
  switch (value) {
    case 0: return 3;
    case 1: return value + 2;
    case 2: return 100;
    case 3: return value - 1;
    case 4: return 7;
    default: return 0;
  }
}

function fillArrays(at: i32, value: i32): void {
  numbers[at] = value;
  numbers[at + 1] = numbers[at]!;
  numbers[at + 20] = at;
  for (let i = at; i <= at + 1; i++) grid[at * 50 + i] = at;
  grid[at * 50 + at - 1] = grid[at * 50 + at - 1]! + 1;
  grid[(at + 20) * 50 + at] = numbers[at]!;
}

export function dhrystone(): u32 {
  first.next = second;
  first.kind = 0;
  setText(first, 49);
  let sum: i32 = 0;
  for (let run: i32 = 0; run < 60000; run++) {
    first.value = run & 63;
    copyItem(second, first);
    second.text[30] = (49 + (run & 1)) as u8;
    if (compareText(first, second) < 0) sum += choose(run & 7);
    const item = first.next;
    if (item != null) item.choice = choose(run % 6);
    fillArrays(8 + (run & 7), second.choice);
    sum = sum * 3 + second.choice + numbers[28]!;
    sum = sum / 5 + (sum & 0xffff);
  }
  return sum as u32;
}

let columns!: FixedArray<i32, 16>;

function place(row: i32, size: i32): u32 {
  if (row == size) return 1;
  let count: u32 = 0;
  for (let column: i32 = 0; column < size; column++) {
    let free = true;
    for (let i: i32 = 0; i < row && free; i++) {
      const other = columns[i]!;
      if (other == column || other - column == row - i || column - other == row - i) free = false;
    }
    if (!free) continue;
    columns[row] = column;
    count += place(row + 1, size);
  }
  return count;
}

export function queens(): u32 {
  return place(0, 8) + place(0, 8) + place(0, 8);
}
