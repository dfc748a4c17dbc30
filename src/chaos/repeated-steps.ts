/** Finds steps that a run has committed twice, from its log. Pure. */

/** @param log the run's metrics.jsonl. @returns steps that it has twice, unless the run rolled back to a checkpoint */
export function repeatedSteps(log: string): readonly number[] {
  if (log.includes('"kind":"back"')) return [];
  const steps = [...log.matchAll(/"type":"step".*?"step":(\d+)/g)].map((match) => Number(match[1]));
  return steps.filter((step, i) => steps.indexOf(step) !== i);
}
