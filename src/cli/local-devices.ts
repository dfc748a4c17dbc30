/** Which device each worker of this machine computes on. */

/**
 * The --device of local worker `index`.
 * @param wanted devices in turn, or auto: a GPU for each worker where there are any, then round again
 * @param survey numbers of the GPUs that the native kernels can use here: asked only where one may be chosen
 */
export function deviceOfWorker(
  index: number,
  wanted: string,
  backend: string,
  survey: () => readonly number[],
): string {
  if (wanted !== 'auto') {
    const list = wanted.split(',').map((device) => device.trim());
    return list[index % list.length]!;
  }
  const gpus = backend === 'auto' || backend === 'native' ? survey() : [];
  return gpus.length > 0 ? `cuda:${gpus[index % gpus.length]!}` : 'auto';
}
