/**
 * Ends a script at once where Node is too old for it. `tools.mjs` imports this before anything else, so every script says
 * so in a line of its own, and not by the first built-in that it does not find. Keep this file, and what scripts import
 * statically, to syntax and built-ins that Node 18 can load.
 */
const NODE_MAJOR_MIN = 20;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  const advice = `install Node ${NODE_MAJOR_MIN} or newer, from https://nodejs.org or by your version manager`;
  process.stderr.write(`Node ${process.versions.node} is too old for this project: ${advice}.\n`);
  process.exit(1);
}
