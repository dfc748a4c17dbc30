/** Imported before the simulation: plants the fault that VITRAIL_PLANTED names into the module it belongs to. */
import { register } from 'node:module';
import { PLANTED_FAULTS } from './planted-faults.js';

const fault = PLANTED_FAULTS.find(({ name }) => name === process.env['VITRAIL_PLANTED']);
if (fault === undefined) throw new Error('VITRAIL_PLANTED names no fault');
register(new URL('plant-hooks.js', import.meta.url), { data: fault });
