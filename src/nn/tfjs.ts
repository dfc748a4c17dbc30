/**
 * tfjs-core, the one door to its functions. It is one CommonJS file of 1.2 MB: `import` would have Node search it for the
 * names that it exports, which takes five times as long as running it and is paid again by every process.
 */
import tf = require('@tensorflow/tfjs-core');

export { tf };
