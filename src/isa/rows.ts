// The whole instruction table as records: ROWS[i] is row number i.
import { readEffects, Row, rowAt, rowCount } from "./row.ts";

export * from "./row.ts";

function allRows(): Row[] {
  const rows: Row[] = [];
  for (let n: i32 = 0; n < rowCount(); n++) {
    const row = rowAt(n);
    readEffects(row, n);
    rows.push(row);
  }
  return rows;
}

/** The table, in opcode order. */
export const ROWS: Row[] = allRows();
