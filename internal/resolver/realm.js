// Makes a fresh engine the realm of APPSYNC_JS: takes away what the runtime does
// not have, puts its own functions in, and freezes all that is left. Runs once
// for an engine, before any resolver code; `native` holds functions of the host.
(function (native) {
  "use strict";
  const { defineProperty, getOwnPropertyNames, getOwnPropertySymbols, getOwnPropertyDescriptor, getPrototypeOf, freeze } = Object;
  const { deleteProperty } = Reflect;
  const seen = new Set();
  const freezeKeys = (value, keys) => {
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === "length" || keys[i] === "name") continue; // never objects, and on every function
      const property = getOwnPropertyDescriptor(value, keys[i]);
      freezeAll(property.value);
      freezeAll(property.get);
      freezeAll(property.set);
    }
  };
  const freezeAll = (value) => {
    if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) return;
    seen.add(value);
    const names = getOwnPropertyNames(value);
    if (typeof value === "function" && names.length === 2) {
      freeze(value); // a plain function: its length and name
      return;
    }
    freezeKeys(value, names);
    freezeKeys(value, getOwnPropertySymbols(value));
    freezeAll(getPrototypeOf(value));
    freeze(value);
  };
  const keep = (object, names) => {
    for (const name of getOwnPropertyNames(object)) {
      if (!names.includes(name)) deleteProperty(object, name); // false for what cannot go, such as prototype
    }
  };
  const put = (object, functions) => {
    for (const name of getOwnPropertyNames(functions)) {
      defineProperty(object, name, { value: functions[name], writable: true, enumerable: false, configurable: true });
    }
  };

  // Reachable from syntax alone, so that no global names them.
  const hidden = [
    (function () {}).constructor.prototype,
    getPrototypeOf([][Symbol.iterator]()),
    getPrototypeOf(getPrototypeOf([][Symbol.iterator]())),
    getPrototypeOf(""[Symbol.iterator]()),
    Boolean.prototype, Symbol.prototype, Error.prototype, TypeError.prototype, RangeError.prototype,
    ReferenceError.prototype, SyntaxError.prototype, BigInt.prototype, RegExp.prototype,
  ];

  keep(Array.prototype, ["length", "constructor", "concat", "fill", "flat", "indexOf", "join", "lastIndexOf", "pop", "push", "reverse",
    "shift", "slice", "sort", "splice", "unshift", "forEach", "map", "flatMap", "filter", "reduce", "reduceRight", "find",
    "some", "every", "findIndex", "findLast", "findLastIndex", "includes", "at", "toString"]);
  keep(String.prototype, ["length", "constructor", "charAt", "concat", "endsWith", "includes", "indexOf", "lastIndexOf", "replace", "replaceAll",
    "match", "slice", "split", "startsWith", "substring", "toLowerCase", "toUpperCase", "trim", "trimEnd", "trimStart", "toString", "valueOf"]);
  keep(Object.prototype, ["toString", "valueOf", "hasOwnProperty"]);
  keep(Function.prototype, ["length", "name", "toString"]);
  for (const prototype of [Array.prototype, String.prototype, Number.prototype, ...hidden]) delete prototype.constructor;

  put(Array.prototype, native.array(Array.prototype));
  put(String.prototype, native.string(String.prototype));
  put(String, native.raw);
  for (const prototype of [Array.prototype, String.prototype]) {
    defineProperty(prototype, Symbol.iterator, { value: native.iterate(prototype[Symbol.iterator]) });
  }
  put(JSON, native.json);

  keep(Object, ["assign", "entries", "hasOwn", "keys", "values", "fromEntries", "length", "name"]);
  keep(Array, ["isArray", "length", "name"]);
  keep(String, ["raw", "length", "name"]);
  keep(Number, ["isFinite", "isNaN", "isInteger", "length", "name"]);
  keep(Math, ["random", "min", "max", "round", "floor", "ceil", "abs", "trunc", "sqrt", "pow", "log"]);
  keep(globalThis, ["Object", "Array", "String", "Number", "Math", "JSON", "NaN", "Infinity", "undefined", "globalThis"]);
  put(globalThis, native.globals);

  // A frozen property keeps objects that inherit it from having their own of
  // that name. As accessors these three do not: an assignment makes an own one.
  for (const name of getOwnPropertyNames(Object.prototype)) {
    const value = Object.prototype[name];
    hidden.push(value);
    defineProperty(Object.prototype, name, {
      get() { return value; },
      set(own) { defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true }); },
    });
  }

  for (const object of hidden) freezeAll(object);
  freezeAll(native.context);
  freezeAll(globalThis);
})
