/** What a PromQL expression names: metrics, and matchers on their labels. Not a parser: promtool checks the syntax. */

interface LabelMatcher {
  readonly metric: string;
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

const KEYWORDS = new Set([
  ...[
    'and',
    'or',
    'unless',
    'bool',
    'offset',
    'by',
    'without',
    'on',
    'ignoring',
    'group_left',
    'group_right',
  ],
  ...['inf', 'nan'],
]);

/** Lists of labels after by, on and the like. */
const LABEL_LISTS = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
const STRINGS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
const SELECTOR = /([A-Za-z_:][\w:]*)\s*\{((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}/g;
const MATCHER = /([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g;

/** Names of the metrics that `expression` reads, each once, in order. */
export function metricNames(expression: string): string[] {
  const bare = expression
    .replace(STRINGS, '""')
    .replace(/\{[^{}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\boffset\s+[\w$]+/g, ' ')
    .replace(LABEL_LISTS, ' ');
  const names: string[] = [];
  for (const match of bare.matchAll(/(?<![\w:$.])[A-Za-z_:][\w:]*/g)) {
    const isFunction = /^\s*\(/.test(bare.slice(match.index + match[0].length));
    if (!isFunction && !KEYWORDS.has(match[0].toLowerCase()) && !names.includes(match[0]))
      names.push(match[0]);
  }
  return names;
}

/** The label matchers of `expression`, with the metric they select from. */
export function labelMatchers(expression: string): LabelMatcher[] {
  return [...expression.matchAll(SELECTOR)].flatMap(([, metric, matchers]) =>
    [...matchers!.matchAll(MATCHER)].map(([, label, operator, value]) => ({
      metric: metric!,
      label: label!,
      operator: operator as LabelMatcher['operator'],
      value: value!,
    })),
  );
}
