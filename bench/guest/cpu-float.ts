// Floating-point work on the x87: multiplications and additions (mandelbrot), and square roots and divisions over records
// in memory (nbody). The checksums are of exact bit patterns.

export function mandelbrot(): u32 {
  const size: i32 = 48;
  let sum: u32 = 0;
  for (let row: i32 = 0; row < size; row++) {
    for (let column: i32 = 0; column < size; column++) {
      const cr = (2.0 * (column as f64)) / (size as f64) - 1.5;
      const ci = (2.0 * (row as f64)) / (size as f64) - 1.0;
      let zr: f64 = 0.0;
      let zi: f64 = 0.0;
      let n: u32 = 0;
      while (n < 200) {
        const rr = zr * zr;
        const ii = zi * zi;
        if (rr + ii > 4.0) break;
        zi = 2.0 * zr * zi + ci;
        zr = rr - ii + cr;
        n++;
      }
      sum = sum * 31 + n;
    }
  }
  return sum;
}

class Body {
  x: f64 = 0.0; y: f64 = 0.0; z: f64 = 0.0;
  vx: f64 = 0.0; vy: f64 = 0.0; vz: f64 = 0.0;
  mass: f64 = 0.0;
}

let b0!: Embed<Body>;
let b1!: Embed<Body>;
let b2!: Embed<Body>;
let b3!: Embed<Body>;

function body(n: i32): Body {
  return n == 0 ? b0 : n == 1 ? b1 : n == 2 ? b2 : b3;
}

function setBody(n: i32, x: f64, y: f64, z: f64, v: f64, mass: f64): void {
  const b = body(n);
  b.x = x;
  b.y = y;
  b.z = z;
  b.vx = v;
  b.vy = 0.0 - v;
  b.vz = v / 3.0;
  b.mass = mass;
}

function pull(a: Body, b: Body, dt: f64): void {
  const dx = a.x - b.x;
  const dy = a.y - b.y;
  const dz = a.z - b.z;
  const d2 = dx * dx + dy * dy + dz * dz;
  const force = dt / (d2 * sqrt(d2));
  a.vx = a.vx - dx * b.mass * force;
  a.vy = a.vy - dy * b.mass * force;
  a.vz = a.vz - dz * b.mass * force;
  b.vx = b.vx + dx * a.mass * force;
  b.vy = b.vy + dy * a.mass * force;
  b.vz = b.vz + dz * a.mass * force;
}

export function nbody(): u32 {
  setBody(0, 0.0, 0.0, 0.0, 0.0, 39.5);
  setBody(1, 4.84, -1.16, -0.10, 0.6, 0.037);
  setBody(2, 8.34, 4.12, -0.4, -1.01, 0.011);
  setBody(3, 12.89, -15.11, -0.22, 1.08, 0.0017);
  const dt = 0.01;
  for (let step: i32 = 0; step < 3000; step++) {
    for (let i: i32 = 0; i < 4; i++) {
      for (let j = i + 1; j < 4; j++) pull(body(i), body(j), dt);
    }
    for (let i: i32 = 0; i < 4; i++) {
      const b = body(i);
      b.x = b.x + dt * b.vx;
      b.y = b.y + dt * b.vy;
      b.z = b.z + dt * b.vz;
    }
  }
  const bits = f64bits(b1.x + b2.y + b3.z);
  return (bits as u32) ^ ((bits >> 32) as u32);
}
