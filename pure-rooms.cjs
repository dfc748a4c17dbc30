/**
 * Folders of src/ that only compute: they do not touch the system and never wait. Tests reach every line of
 * them.
 */
module.exports = ['errors', 'numbers', 'run/schedule', 'run/model', 'run/evaluation', 'coordinator/step'];
