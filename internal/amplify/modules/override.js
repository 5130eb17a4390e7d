// A resource of the CloudFormation template whose properties projects override, by
// assignment or by addPropertyOverride.
const { tolerant } = require("fairway/recorder");

// override keeps the properties in record[key], and takes those that it begins
// with; all others are recorded.
function override(name, record, key, properties) {
  record[key] = properties;
  const known = {
    addPropertyOverride(path, value) {
      const [first, ...rest] = String(path).split(".").map(camel);
      if (!(first in properties)) {
        resource[`addPropertyOverride ${path}`] = value; // which records it
        return;
      }
      if (rest.length === 0) {
        properties[first] = camelKeys(value);
        return;
      }
      const last = rest.pop();
      let object = (properties[first] ??= {});
      for (const step of rest) object = object[step] ??= {};
      object[last] = camelKeys(value);
    },
  };
  for (const property of Object.keys(properties)) {
    Object.defineProperty(known, property, {
      enumerable: true,
      get: () => properties[property],
      set(value) {
        properties[property] = value;
      },
    });
  }
  const resource = tolerant(name, known);
  return resource;
}

// camel is a property's name in the CDK, passwordPolicy for PasswordPolicy.
const camel = (name) => name.charAt(0).toLowerCase() + name.slice(1);

function camelKeys(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [camel(key), camelKeys(value[key])]));
}

module.exports = { override };
