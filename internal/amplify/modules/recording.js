// What the project declares, in source order. Everything else in this folder
// only adds to it; the loader reads it when evaluation is over.
const recording = {
  backends: [],
  data: [],
  auth: [],
  dataSources: [],
  roles: [],
  environment: {},
  outputs: [],
  unsupported: [],
};

globalThis.__recording = recording;

module.exports = { recording };
