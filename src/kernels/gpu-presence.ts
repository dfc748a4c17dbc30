/** Counts the NVIDIA GPUs of this machine by Linux's list of PCI devices, whether or not they can be used. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PCI_DEVICES = '/sys/bus/pci/devices';
const NVIDIA = '0x10de';
/** The PCI classes of VGA controllers and 3D controllers. A card's audio device has another one. */
const DISPLAY_CLASS = /^0x030[02]/;

function attribute(folder: string, device: string, name: string): string {
  try {
    return readFileSync(join(folder, device, name), 'utf8').trim();
  } catch {
    return '';
  }
}

/** Gives 0 on systems that do not list them. */
export function nvidiaGpusPresent(folder = PCI_DEVICES): number {
  let devices: readonly string[];
  try {
    devices = readdirSync(folder);
  } catch {
    return 0;
  }
  return devices.filter(
    (device) =>
      attribute(folder, device, 'vendor') === NVIDIA &&
      DISPLAY_CLASS.test(attribute(folder, device, 'class')),
  ).length;
}
