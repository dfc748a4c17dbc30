/** A confusion matrix as text: rows are the true classes, columns the predicted ones. */
import Table from 'cli-table3';
import pc from 'picocolors';
import type { ClassFigures, ConfusionReport, Mistake } from '../../run/evaluation/confusion-report.js';
import { percent } from '../training/run-summary-text.js';

/**
 * With more classes a matrix does not fit on a terminal, so the most frequent mistakes and the weakest
 * classes are listed.
 */
const WIDEST = 12;
const LISTED = 10;

export function confusionText(report: ConfusionReport, classes: readonly string[]): string {
  const { confusion, mistakes, weakestClasses } = report;
  if (confusion !== null && classes.length <= WIDEST) return matrix(confusion, classes);
  return mistakes.length === 0 ? '' : `${mistakeTable(mistakes)}${classTable(weakestClasses)}`;
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

function mistakeTable(mistakes: readonly Mistake[]): string {
  const table = new Table({ head: ['true', 'predicted', 'count'], style: { head: [], border: [] } });
  for (const { actual, predicted, count } of mistakes.slice(0, LISTED))
    table.push([actual, predicted, count]);
  return `most frequent mistakes\n${table.toString()}\n`;
}

function classTable(weakest: readonly ClassFigures[]): string {
  const table = new Table({
    head: ['class', 'images', 'recall', 'precision'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right'],
  });
  for (const { class: name, images, recall, precision } of weakest.slice(0, LISTED)) {
    table.push([name, images, percent(recall), precision === null ? '' : percent(precision)]);
  }
  return `classes with the lowest recall\n${table.toString()}\n`;
}
