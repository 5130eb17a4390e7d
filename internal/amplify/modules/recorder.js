// Recorders stand in for what has no meaning outside AWS. A recorder takes any
// use: it is called, constructed, extended, read and assigned to, and is noted
// once under its name when a use would have had an effect.
const { recording } = require("fairway/recording");

const noted = new Set();

function note(name) {
  if (noted.has(name)) return;
  noted.add(name);
  recording.unsupported.push({ name, at: __at() });
}

// recorder stands for the thing called name; memberName names its properties.
function recorder(name, memberName = (key) => `${name}.${key}`) {
  const members = new Map();
  const text = () => {
    note(name);
    return `\${${name}}`;
  };
  const self = new Proxy(function () {}, {
    get(_, key) {
      if (key === Symbol.toPrimitive || key === "toString" || key === "toJSON") return text;
      if (key === Symbol.iterator) return () => [].values();
      if (typeof key === "symbol" || key === "then") return undefined;
      if (!members.has(key)) members.set(key, part(memberName(key)));
      return members.get(key);
    },
    set(_, key, value) {
      note(memberName(key));
      members.set(key, value);
      return true;
    },
    apply() {
      note(name);
      return part(name);
    },
    construct(_, __, newTarget) {
      note(name);
      return newTarget === self ? part(name) : Object.create(newTarget.prototype);
    },
  });
  return self;
}

// part is a member or product: a construct's own parts go by the construct's
// name, a path's by the longer path.
function part(name) {
  return name.includes(" ") ? recorder(name, () => name) : recorder(name);
}

// library is the module object of a package, or of the part of one, whose
// exports are all recorders but for the known ones. The exports are found
// through the prototype, which bundled code keeps where it copies own keys.
function library(name, known = {}) {
  const exports = recorder(name, (key) => `${name} ${key}`);
  const fallback = new Proxy({}, {
    get(_, key) {
      if (key === "__esModule") return undefined;
      if (/^aws_/.test(String(key))) return library(`${name}/${key.replace(/_/g, "-")}`);
      return exports[key];
    },
  });
  return Object.assign(Object.create(fallback), known);
}

// tolerant is an object of known members; whatever else is asked of it is a recorder.
function tolerant(name, known) {
  const rest = recorder(name);
  const isKnown = (target, key) => key in target || typeof key === "symbol" || key === "then" || key === "toJSON";
  return new Proxy(known, {
    get: (target, key) => (isKnown(target, key) ? target[key] : rest[key]),
    set(target, key, value) {
      if (isKnown(target, key)) target[key] = value;
      else rest[key] = value;
      return true;
    },
  });
}

module.exports = { recorder, library, tolerant };
