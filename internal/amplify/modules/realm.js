// Takes from a fresh engine what could take the process with it: code made of
// text, which no one bounds, buffers of any size, and built-ins that walk or
// build without a limit. Runs once, before project code; `native` is the host's.
(function (native) {
  "use strict";
  const { defineProperty, getOwnPropertyNames, getPrototypeOf } = Object;
  const put = (object, name, value) => defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
  const refuse = (name) => function () {
    throw new TypeError(`${name} is not available to an amplify folder here`);
  };

  put(globalThis, "eval", refuse("eval"));
  const prototype = Function.prototype;
  put(globalThis, "Function", refuse("Function"));
  Function.prototype = prototype;
  for (const f of [() => {}, async () => {}, function* () {}]) put(getPrototypeOf(f), "constructor", Function);

  for (const name of getOwnPropertyNames(globalThis)) {
    if (/^(ArrayBuffer|SharedArrayBuffer|DataView|\w+\d+(Clamped)?Array)$/.test(name)) delete globalThis[name];
  }

  for (const name of getOwnPropertyNames(Array.prototype)) {
    const original = Array.prototype[name];
    if (typeof original === "function" && name !== "constructor") put(Array.prototype, name, native.array(name, original));
  }
  put(Array.prototype, Symbol.iterator, Array.prototype.values);
  put(Array, "from", native.from(Array.from));
  for (const name of ["repeat", "padStart", "padEnd"]) put(String.prototype, name, native.text(name, String.prototype[name]));

  put(JSON, "parse", native.parse(JSON.parse));
  put(JSON, "stringify", native.stringify(JSON.stringify));

  const pattern = native.pattern;
  const Native = RegExp;
  function Pattern(...args) {
    const made = pattern(args);
    return new.target ? Reflect.construct(Native, made, new.target) : Native(...made);
  }
  Pattern.prototype = Native.prototype;
  put(Pattern.prototype, "constructor", Pattern);
  put(globalThis, "RegExp", Pattern);
  delete RegExp.prototype.compile;
  for (const name of ["match", "matchAll", "search"]) {
    const original = String.prototype[name];
    put(String.prototype, name, function (...args) {
      return Reflect.apply(original, this, pattern(args));
    });
  }
})
