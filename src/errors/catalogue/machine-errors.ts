/** Errors of the machine: addresses, devices, backends, and limits that are reached. */
import { define, type Definition } from './definition.js';

export const MACHINE_ERRORS = {
  OUTPUT_WRITE_FAILED: define(
    'cannot write the output: {reason}',
    'check free space and permissions of the place that it goes to',
  ),
  PORT_IN_USE: define(
    'cannot listen on {address}: {reason}',
    'choose another address, or stop the program that listens there',
  ),
  ADDRESS_INVALID: define('cannot use the address {address}: {reason}', 'write it as tcp://HOST:PORT'),
  HOST_UNRESOLVED: define(
    'the host name {host} does not resolve: {reason}',
    'give an IP address, or a name that this machine knows (`getent hosts {host}` asks for it)',
  ),
  BACKEND_MISMATCH: define(
    'the worker computes with backend {worker}, but the run computes with {run}',
    'choose a --backend that all machines have, and use machines of one kind: bits differ between processors',
  ),
  BACKEND_UNAVAILABLE: define(
    'the backend {backend} cannot be used here: {reason}',
    'use one of: {available}',
  ),
  BACKEND_NOT_INSTALLED: define(
    'the backend {backend} is not installed: there is no package {package}',
    'install it with `{command}`, which downloads TensorFlow, or leave --backend out',
  ),
  PRECISION_UNSUPPORTED: define(
    'the backend {backend} does not compute in {precision}',
    'use --precision fp32, or --backend native (built where there is a C++ compiler)',
  ),
  TENSOR_TYPE_UNSUPPORTED: define(
    'the backend {backend} has no tensors of type {dtype}',
    'use float32, int32 or bool, or another --backend',
  ),
  PRODUCT_CHOICES_UNREADABLE: define(
    'the table of algorithms {path} cannot be used: {reason}',
    'write it again with `vitrail tune`, on this kind of GPU',
  ),
  DEVICE_OUT_OF_MEMORY: define(
    'a micro-batch of {microBatch} does not fit the memory of {device}: {reason}',
    'use --micro-batch {fits} (estimated from smaller ones), or --recompute',
  ),
  DEVICE_TOO_SMALL: define(
    '{device} does not have enough memory for this model, even with one image at a time: {reason}',
    'use a device with more memory, --precision bf16, --recompute, or a smaller model',
  ),
  DEVICE_INVALID: define(
    'there is no device "{device}"',
    'use auto, cpu, or cuda:N with the number of a GPU',
  ),
  DEVICE_UNUSABLE: define(
    'the device {device} cannot be used: {reason}',
    '`vitrail devices` lists the devices of this machine; "cpu" always works',
  ),
  OPEN_FILES_EXHAUSTED: define(
    'no more files and connections can be opened: {reason}',
    'raise the limit before the command (`ulimit -n 4096`; LimitNOFILE= of a service, --ulimit nofile=4096 of a container), or use fewer --workers',
  ),
  THREADS_EXHAUSTED: define(
    'no more threads and processes can be started: {reason}',
    'raise the limit (`ulimit -u`; TasksMax= of a service, --pids-limit of a container), or use fewer --workers and --threads',
  ),
  MEMORY_EXHAUSTED: define(
    'there is no memory left: {reason}',
    'use fewer --workers, a smaller --micro-batch, or --recompute; or raise what limits it: the container, `ulimit -v`, NODE_OPTIONS=--max-old-space-size=MB',
  ),
  DISK_EXHAUSTED: define('there is no space left: {reason}', 'make room on that disk, or raise the quota'),
  INTERNAL: define('internal error: {reason}', 'please report it with the log'),
} as const satisfies Record<string, Definition>;
