/** Which device each worker of this machine computes on. */

/**
 * The --device of local worker `index`.
 * @param wanted devices in turn, or auto: a GPU for each worker where there are any, then round again
 * @param gpus numbers of the GPUs that the native kernels can use here
 */
export function deviceOfWorker(
  index: number,
  wanted: string,
  backend: string,
  gpus: readonly number[],
): string {
  if (wanted !== 'auto') {
    const list = wanted.split(',').map((device) => device.trim());
    return list[index % list.length]!;
  }
  const native = backend === 'auto' || backend === 'native';
  return native && gpus.length > 0 ? `cuda:${gpus[index % gpus.length]!}` : 'auto';
}
