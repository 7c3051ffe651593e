// What mediasoup's tests require of mediasoup is the drop-in's. The classes of its wire format, by which tests make
// notifications, and its helpers of tests are not part of it: the former stay its own.
const path = require("node:path");

const TESTS = path.join(__dirname, "..", ".cache", "mediasoup", "node", "lib", "test");
const DROP_IN = path.join(__dirname, "..", "..", "dist");

const INSTEAD = {
  "../": path.join(DROP_IN, "index.js"),
  "../enhancedEvents": path.join(DROP_IN, "enhancedEvents.js"),
  "../errors": path.join(DROP_IN, "errors.js"),
  "../ortc": path.join(DROP_IN, "ortc.js"),
  "../utils": path.join(__dirname, "utils.cjs"),
  "../Transport": path.join(__dirname, "transport.cjs"),
};

module.exports = (request, options) =>
  (options.basedir === TESTS && INSTEAD[request]) || options.defaultResolver(request, options);
