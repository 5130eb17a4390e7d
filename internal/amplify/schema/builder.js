// The schema builder `a`, as @aws-amplify/backend exports it. It records what a
// schema says and gives it no meaning: record() is plain data that the Go side
// turns into SDL. Properties that the real builder lacks are lacking here too, so
// that a wrong call fails where it is written. The host supplies __at(), which
// returns the caller's position as "file:line".

const recorded = Symbol('recorded');

// child keeps a builder as it is until record() and marks anything else.
const child = (value) => (value?.[recorded] ? value : { kind: 'unknown' });
const entries = (fields) => Object.entries(fields ?? {}).map(([name, value]) => [name, child(value)]);
const list = (value) => (Array.isArray(value) ? value : [value]);

// plain follows builders to what they recorded.
function plain(value) {
  if (value === null || typeof value !== 'object') return value;
  if (value[recorded]) return plain(value[recorded]);
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

// Authorization rules

const without = (self, name) => {
  const { [name]: _, ...rest } = self;
  return rest;
};
const to = function (operations) {
  this[recorded].operations = operations;
  return without(this, 'to');
};
const identityClaim = function (claim) {
  this[recorded].identityClaim = claim;
  return without(this, 'identityClaim');
};
const withClaimIn = function (claim) {
  this[recorded].groupClaim = claim;
  return without(this, 'withClaimIn');
};

function checked(provider, known) {
  if (provider && !known.includes(provider)) throw new Error(`Invalid provider (${provider}) given!`);
  return provider;
}

const onSignedIn = ['userPools', 'oidc', 'identityPool'];
const onOwners = ['userPools', 'oidc'];

// allowing makes an allow object whose rules carry the given modifiers, by strategy.
function allowing(modifiers) {
  const rule = (data) => ({ [recorded]: data, ...modifiers[data.strategy] });
  return {
    publicApiKey: () => rule({ strategy: 'public', provider: 'apiKey' }),
    guest: () => rule({ strategy: 'public', provider: 'identityPool' }),
    authenticated: (provider) => rule({ strategy: 'private', provider: checked(provider, onSignedIn) }),
    group: (group, provider) => rule({ strategy: 'groups', provider, groups: [group] }),
    groups: (groups, provider) => rule({ strategy: 'groups', provider, groups }),
    custom: (provider) => rule({ strategy: 'custom', provider }),
  };
}

function allowingOnModels(modifiers) {
  const rule = (data) => ({ [recorded]: data, ...modifiers[data.strategy] });
  const owner = (field, provider, multi) =>
    rule({ strategy: 'owner', provider: checked(provider, onOwners), field, multi });
  return {
    ...allowing(modifiers),
    owner: (provider) => owner('owner', provider, false),
    ownerDefinedIn: (field, provider) => owner(field, provider, false),
    ownersDefinedIn: (field, provider) => owner(field, provider, true),
    groupDefinedIn: (field, provider) => rule({ strategy: 'groups', provider, field, multi: false }),
    groupsDefinedIn: (field, provider) => rule({ strategy: 'groups', provider, field, multi: true }),
  };
}

const modifiers = {
  public: { to },
  private: { to },
  owner: { to, identityClaim },
  groups: { to, withClaimIn },
  custom: { to },
};
const allowOnOperations = allowing({});
const allowOnModels = allowingOnModels(modifiers);
const allowOnSchemas = {
  ...allowOnModels,
  resource: () => ({ [recorded]: { strategy: 'resource' }, to }),
};
const allowOnConversations = {
  owner: () => ({ [recorded]: { strategy: 'owner', provider: 'userPools' }, ...modifiers.owner }),
};

// rulesOf asks the callback for its rules. A call of a rule that allow lacks is
// reworded as Node words it, with the callback's own name for allow.
function rulesOf(callback, allow) {
  try {
    return list(callback(allow)).map((rule) => rule[recorded]);
  } catch (err) {
    const [, lacking] = /^Object has no member '([\w$]+)'/.exec(err?.message) ?? [];
    const [, name] = /^(?:function\s*[\w$]*\s*)?\(?\s*([\w$]+)/.exec(String(callback)) ?? [];
    if (lacking && name && !(lacking in allow)) err.message = `${name}.${lacking} is not a function`;
    throw err;
  }
}

// Fields

// checks records the rules of .validate(); the ones without a value compare with 0.
function checks() {
  const made = [];
  const check = (type) =>
    function (value, message) {
      made.push({ type, value: String(value), message });
      return this;
    };
  const sign = (type) =>
    function (message) {
      made.push({ type, value: '0', message });
      return this;
    };
  const builder = { positive: sign('gt'), negative: sign('lt') };
  for (const type of ['gt', 'lt', 'gte', 'lte', 'minLength', 'maxLength', 'startsWith', 'endsWith', 'matches'])
    builder[type] = check(type);
  return { made, builder };
}

const scalar = (type) => () => {
  const node = { kind: 'scalar', type, rules: [], checks: [] };
  let last = '';
  return {
    [recorded]: node,
    required() {
      node[last === 'array' ? 'arrayRequired' : 'required'] = true;
      last = 'required';
      return this;
    },
    array() {
      node.array = true;
      last = 'array';
      return this;
    },
    default(value) {
      if (value === undefined) node.generated = true;
      else node.default = String(value);
      last = 'default';
      return this;
    },
    authorization(callback) {
      node.rules = rulesOf(callback, allowOnModels);
      last = 'authorization';
      return this;
    },
    validate(callback) {
      const { made, builder } = checks();
      callback(builder);
      node.checks = made;
      last = 'validate';
      return this;
    },
  };
};

function ref(link) {
  const node = { kind: 'ref', type: String(link), rules: [], mutations: [], at: __at() };
  return {
    [recorded]: node,
    required() {
      node[node.array ? 'arrayRequired' : 'required'] = true;
      return this;
    },
    array() {
      node.array = true;
      return this;
    },
    authorization(callback) {
      node.rules = rulesOf(callback, allowOnSchemas);
      return this;
    },
    mutations(operations) {
      node.mutations = operations;
      return this;
    },
  };
}

const relation = (relation, methods) => (model, references) => {
  const node = { kind: 'relation', relation, type: model, array: relation === 'hasMany', references: list(references), rules: [] };
  const builder = {
    required() {
      node[node.array ? 'arrayRequired' : 'required'] = true;
      return this;
    },
    valueRequired() {
      node.required = true;
      return this;
    },
    authorization(callback) {
      node.rules = rulesOf(callback, allowOnSchemas);
      return this;
    },
  };
  return { [recorded]: node, ...Object.fromEntries(methods.map((name) => [name, builder[name]])) };
};

// Types

const enumType = (values) => ({ [recorded]: { kind: 'enum', values: Array.from(values, String) } });
const customType = (fields) => ({ [recorded]: { kind: 'customType', fields: entries(fields), at: __at() } });

function index(partitionKey) {
  const node = { partitionKey, sortKeys: [] };
  return {
    [recorded]: node,
    sortKeys(keys) {
      node.sortKeys = keys;
      return this;
    },
    name(name) {
      node.name = name;
      return this;
    },
    queryField(field) {
      if (field === null) node.noQuery = true;
      else node.queryField = field;
      return this;
    },
    projection(type, attributes) {
      node.projection = type;
      if (type === 'INCLUDE') node.attributes = attributes;
      return this;
    },
  };
}

function model(fields) {
  const node = { kind: 'model', fields: entries(fields), identifier: ['id'], indexes: [], disabled: [], rules: [], at: __at() };
  return {
    [recorded]: node,
    identifier(names) {
      node.identifier = names;
      return this;
    },
    secondaryIndexes(callback) {
      node.indexes = callback(index);
      return this;
    },
    disableOperations(operations) {
      node.disabled = operations;
      return this;
    },
    authorization(callback) {
      node.rules = rulesOf(callback, allowOnModels);
      return this;
    },
    relationships(more) {
      node.fields.push(...entries(more));
    },
  };
}

// Operations

const operation = (operation) => (route) => {
  const node = { kind: 'operation', operation, arguments: [], rules: [], handlers: [], sources: [], at: __at() };
  if (operation === 'Generation') node.route = routeOf(route);
  return {
    [recorded]: node,
    arguments(fields) {
      node.arguments = entries(fields);
      return this;
    },
    returns(type) {
      node.returns = child(type);
      return this;
    },
    authorization(callback) {
      node.rules = rulesOf(callback, allowOnOperations);
      return this;
    },
    handler(handlers) {
      node.handlers = list(handlers).map(child);
      return this;
    },
    for(sources) {
      node.sources = list(sources).map(child);
      return this;
    },
  };
};

const functionHandler = (fn, kind) => ({
  kind,
  ...(typeof fn === 'string' ? { function: fn } : { provider: typeof fn?.getInstance === 'function' }),
  at: __at(),
});

const handler = {
  custom: ({ entry, dataSource }) => ({
    [recorded]: { kind: 'custom', entry, dataSource: typeof dataSource === 'object' ? plain(dataSource) : { name: dataSource }, at: __at() },
  }),
  function: (fn) => ({
    [recorded]: functionHandler(fn, 'function'),
    async: () => ({ [recorded]: functionHandler(fn, 'asyncFunction') }),
  }),
  inlineSql: (sql) => ({ [recorded]: { kind: 'inlineSql', sql: String(sql), at: __at() } }),
  sqlReference: (entry) => ({ [recorded]: { kind: 'sqlReference', entry, at: __at() } }),
};

// Model routes

const models = {
  'Amazon Nova Pro': 'amazon.nova-pro-v1:0',
  'Amazon Nova Lite': 'amazon.nova-lite-v1:0',
  'Amazon Nova Micro': 'amazon.nova-micro-v1:0',
  'Claude 3 Haiku': 'anthropic.claude-3-haiku-20240307-v1:0',
  'Claude 3 Opus': 'anthropic.claude-3-opus-20240229-v1:0',
  'Claude 3 Sonnet': 'anthropic.claude-3-sonnet-20240229-v1:0',
  'Claude 3.5 Haiku': 'anthropic.claude-3-5-haiku-20241022-v1:0',
  'Claude 3.5 Sonnet': 'anthropic.claude-3-5-sonnet-20240620-v1:0',
  'Claude 3.5 Sonnet v2': 'anthropic.claude-3-5-sonnet-20241022-v2:0',
  'Claude 3.7 Sonnet': 'anthropic.claude-3-7-sonnet-20250219-v1:0',
  'Claude Opus 4': 'anthropic.claude-opus-4-20250514-v1:0',
  'Claude Sonnet 4': 'anthropic.claude-sonnet-4-20250514-v1:0',
  'Claude Haiku 4.5': 'global.anthropic.claude-haiku-4-5-20251001-v1:0',
  'Claude Sonnet 4.5': 'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'Claude Opus 4.5': 'global.anthropic.claude-opus-4-5-20251101-v1:0',
  'Claude Sonnet 4.6': 'global.anthropic.claude-sonnet-4-6',
  'Claude Opus 4.6': 'global.anthropic.claude-opus-4-6-v1',
  'Cohere Command R': 'cohere.command-r-v1:0',
  'Cohere Command R+': 'cohere.command-r-plus-v1:0',
  'Llama 3.1 8B Instruct': 'meta.llama3-1-8b-instruct-v1:0',
  'Llama 3.1 70B Instruct': 'meta.llama3-1-70b-instruct-v1:0',
  'Llama 3.1 405B Instruct': 'meta.llama3-1-405b-instruct-v1:0',
  'Mistral Large': 'mistral.mistral-large-2402-v1:0',
  'Mistral Large 2': 'mistral.mistral-large-2407-v1:0',
  'Mistral Small': 'mistral.mistral-small-2402-v1:0',
};

const ai = {
  model: (name) => ({ resourcePath: models[name] }),
  dataTool: (tool) => tool,
};

const routeOf = (route) => ({
  model: String(route?.aiModel?.resourcePath),
  systemPrompt: String(route?.systemPrompt),
  settings: Object.entries(route?.inferenceConfiguration ?? {}).map(([name, value]) => [name, String(value)]),
  tools: (route?.tools ?? []).map(({ name, description, model, query, modelOperation }) => ({
    name, description, model: plain(model)?.type, query: plain(query)?.type, operation: modelOperation,
  })),
  eventVersion: route?.handler ? String(route.handler.eventVersion) : undefined,
});

function conversation(route) {
  const node = { kind: 'conversation', route: routeOf(route), rules: [], at: __at() };
  return {
    [recorded]: node,
    authorization(callback) {
      node.rules = rulesOf(callback, allowOnConversations);
      return this;
    },
  };
}

// Schemas

function schema(types) {
  const node = { types: entries(types), rules: [], at: __at() };
  return {
    [recorded]: node,
    models: Object.fromEntries(Object.entries(types).filter(([, type]) => type?.[recorded]?.kind === 'model')),
    authorization(callback) {
      node.rules = rulesOf(callback, allowOnSchemas);
      return without(this, 'authorization');
    },
    record: () => ({ schemas: [plain(node)] }),
  };
}

const combine = (schemas) => ({
  schemas,
  record: () => ({ schemas: schemas.map((one) => plain(one[recorded])) }),
});

const a = {
  schema, combine, configure: () => ({ schema }),
  model, ref, customType, enum: enumType,
  query: operation('Query'), mutation: operation('Mutation'), subscription: operation('Subscription'),
  generation: operation('Generation'), conversation, ai, handler,
  hasOne: relation('hasOne', ['required', 'authorization']),
  hasMany: relation('hasMany', ['valueRequired', 'authorization']),
  belongsTo: relation('belongsTo', ['authorization']),
  id: scalar('ID'), string: scalar('String'), integer: scalar('Int'), float: scalar('Float'), boolean: scalar('Boolean'),
  date: scalar('AWSDate'), time: scalar('AWSTime'), datetime: scalar('AWSDateTime'), timestamp: scalar('AWSTimestamp'),
  email: scalar('AWSEmail'), json: scalar('AWSJSON'), phone: scalar('AWSPhone'), url: scalar('AWSURL'), ipAddress: scalar('AWSIPAddress'),
};

module.exports = { a };
