/** The name of a model on a hub: `hf:OWNER/NAME` or `hf:OWNER/NAME@REVISION`. */
import { coded } from '../../errors/errors.js';

export interface HubName {
  /** OWNER/NAME, or NAME alone for the oldest models. */
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

const PREFIX = 'hf:';

export function isHubName(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** The same model at a commit. @throws HUB_NAME_INVALID */
export function atCommit(text: string, commit: string): string {
  return `${PREFIX}${hubName(text).repository}@${commit}`;
}

/** One part of a name: no path leads out of the cache. */
const PART = '[A-Za-z0-9](?:[\\w.-]*[\\w-])?';
const NAME = new RegExp(`^(${PART}(?:/${PART})?)(?:@(${PART}(?:/${PART})*))?$`);

/** @throws HUB_NAME_INVALID */
export function hubName(text: string): HubName {
  const [, repository, revision = 'main'] = NAME.exec(text.slice(PREFIX.length)) ?? [];
  if (repository === undefined || text.includes('..')) throw coded('HUB_NAME_INVALID', { name: text });
  return { repository, revision };
}
