/** Where the status page of a run can be asked for. Pure. */

const WILDCARD = /^(?:0\.0\.0\.0|\[::\]):/;
const LOOPBACK = /^(?:127\.[\d.]+|localhost|\[::1\]):/;

/**
 * host:port to ask, of a coordinator that listens on `httpAddress` on the machine `host`.
 * @param here the name of this machine
 * @returns null where it answers on its own machine only, and that is another
 */
export function statusAddress(
  { host, httpAddress }: { readonly host: string; readonly httpAddress: string },
  here: string,
): string | null {
  // A wildcard is an address to listen on, not one to ask.
  if (WILDCARD.test(httpAddress)) {
    return httpAddress.replace(WILDCARD, host === here ? '127.0.0.1:' : `${host}:`);
  }
  return LOOPBACK.test(httpAddress) && host !== here ? null : httpAddress;
}
