// Makes an object and all that is in it unchangeable, so that a test sees who writes into its options.
exports.deepFreeze = function deepFreeze(value) {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
};
