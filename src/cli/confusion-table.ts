/** A confusion matrix as text: rows are the true classes, columns the predicted ones. */
import Table from 'cli-table3';
import pc from 'picocolors';

/** More classes than this do not fit a terminal: the most frequent mistakes are listed instead. */
const WIDEST = 12;
const MISTAKES = 10;

export function confusionText(confusion: readonly (readonly number[])[], classes: readonly string[]): string {
  return classes.length <= WIDEST ? matrix(confusion, classes) : mistakes(confusion, classes);
}

function matrix(confusion: readonly (readonly number[])[], classes: readonly string[]): string {
  const table = new Table({
    head: ['true \\ predicted', ...classes, 'recall'],
    style: { head: [], border: [] },
    colAligns: ['left', ...classes.map(() => 'right' as const), 'right'],
  });
  confusion.forEach((row, actual) => {
    const total = row.reduce((sum, n) => sum + n, 0);
    const cells = row.map((n, predicted) => {
      if (n === 0) return pc.dim('.');
      return predicted === actual ? pc.green(String(n)) : pc.red(String(n));
    });
    const recall = total === 0 ? '' : `${(((row[actual] ?? 0) / total) * 100).toFixed(0)} %`;
    table.push([classes[actual] ?? '', ...cells, recall]);
  });
  return `${table.toString()}\n`;
}

function mistakes(confusion: readonly (readonly number[])[], classes: readonly string[]): string {
  const pairs = confusion.flatMap((row, actual) =>
    row.map((n, predicted) => ({ n, actual, predicted })).filter((p) => p.predicted !== actual && p.n > 0),
  );
  pairs.sort((a, b) => b.n - a.n || a.actual - b.actual || a.predicted - b.predicted);
  const table = new Table({ head: ['true', 'predicted', 'count'], style: { head: [], border: [] } });
  for (const { n, actual, predicted } of pairs.slice(0, MISTAKES)) {
    table.push([classes[actual] ?? '', classes[predicted] ?? '', n]);
  }
  return `most frequent mistakes\n${table.toString()}\n`;
}
