// mediasoup's compiled tests, as they are, against what resolver.cjs gives them.
const path = require("node:path");

module.exports = {
  rootDir: path.join(__dirname, ".cache", "mediasoup", "node", "lib", "test"),
  testEnvironment: "node",
  testRegex: ["test-.*\\.js$"],
  transform: {},
  injectGlobals: true,
  resolver: path.join(__dirname, "support", "resolver.cjs"),
  setupFiles: [path.join(__dirname, "support", "setup.cjs")],
};
