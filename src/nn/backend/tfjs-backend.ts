/** Registers the native backend and its kernels with tfjs. */
import { tf } from '../tfjs.js';
import type { DeviceKernels } from '../../kernels/kernel-api.js';
import { BACKEND_NAME, NativeBackend } from './native-backend.js';
import { kernelConfigs } from './tfjs-kernels/kernel-configs.js';

/** Registers the backend `native` on these kernels. A second call has no effect. */
export function registerNativeBackend(kernels: DeviceKernels): void {
  if (Object.hasOwn(tf.engine().registryFactory, BACKEND_NAME)) return;
  tf.registerBackend(BACKEND_NAME, () => new NativeBackend(kernels));
  for (const config of kernelConfigs()) tf.registerKernel(config);
}
