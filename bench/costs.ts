// `npm run bench -- costs`: the cost table of the Pentium 4 and its documents, as bench/README.md has them.

import { DOCUMENTS, P4_COSTS } from '../src/cpu/p4.ts';

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => (cells[0] === '---' ? `|${cells.join('|')}|` : `| ${cells.join(' | ')} |`));
}

/** Two tables in Markdown. */
export function costTable(): string {
  return [
    ...table(['event', 'cycles', 'basis', 'document', 'figures'], P4_COSTS.map(({ event, cycles, basis, documents, how }) => [event, `${cycles}`, basis, documents.join(', '), how])),
    '',
    ...table(['document', 'title', 'where'], DOCUMENTS.map(({ name, title, where }) => [name, title, where])),
  ].join('\n');
}
