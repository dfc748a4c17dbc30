/** Folders of src/ that only compute: nothing of the system, nothing that waits. Tests reach every line of them. */
module.exports = ['errors', 'numbers', 'run/schedule', 'run/model', 'run/evaluation', 'coordinator/step'];
