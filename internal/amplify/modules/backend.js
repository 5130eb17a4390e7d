// @aws-amplify/backend.
const { recording } = require("fairway/recording");
const { recorder, tolerant } = require("fairway/recorder");
const { api } = require("fairway/api");
const { role } = require("fairway/role");
const { stack } = require("fairway/stack");
const { a } = require("@aws-amplify/data-schema");

// What a define function returns, Amplify's ConstructFactory: defineBackend gets
// the instance under the name that the resource is given there.
class Resource {
  constructor(getInstance, record = {}) {
    this.getInstance = getInstance;
    this.record = record;
  }
}

function defineBackend(resources) {
  const at = __at();
  const backend = {
    stack,
    createStack: () => stack,
    addOutput: (values) => {
      recording.outputs.push({ at: __at(), values });
    },
  };
  for (const [key, resource] of Object.entries(resources)) {
    const name = `backend.${key}`;
    if (resource instanceof Resource) {
      resource.record.used = true;
      backend[key] = resource.getInstance(name);
    } else {
      backend[key] = recorder(name);
    }
  }
  recording.backends.push({ at });
  return backend;
}

function defineData({ schema, authorizationModes = {} }) {
  const { defaultAuthorizationMode, apiKeyAuthorizationMode, oidcAuthorizationMode, lambdaAuthorizationMode } = authorizationModes;
  const record = {
    at: __at(),
    schema: typeof schema?.record === "function" ? schema.record() : null,
    authorization: {
      default: defaultAuthorizationMode,
      apiKey: apiKeyAuthorizationMode && { expiresInDays: apiKeyAuthorizationMode.expiresInDays },
      oidc: Boolean(oidcAuthorizationMode),
      lambda: Boolean(lambdaAuthorizationMode),
    },
  };
  recording.data.push(record);
  return new Resource(api, record);
}

function defineAuth(props = {}) {
  const { loginWith = {}, userAttributes = {}, groups = [], multifactor = {} } = props;
  const record = {
    at: __at(),
    email: loginName(loginWith.email),
    phone: loginName(loginWith.phone),
    username: loginName(loginWith.username),
    externalProviders: Boolean(loginWith.externalProviders),
    required: Object.keys(userAttributes).filter((name) => userAttributes[name]?.required),
    groups: groups.map(String),
    multifactor: { mode: multifactor.mode, sms: Boolean(multifactor.sms), totp: Boolean(multifactor.totp) },
  };
  recording.auth.push(record);
  return new Resource(auth, record);
}

// loginName reports whether a way to sign in is on. Its message callbacks are
// called as at deployment, so that one that throws is found here.
function loginName(login) {
  if (!login) return false;
  const code = () => "{####}";
  login.verificationEmailBody?.(code);
  login.verificationMessage?.(code);
  login.userInvitation?.emailBody?.(() => "{username}", code);
  login.userInvitation?.smsMessage?.(() => "{username}", code);
  return true;
}

// referenceAuth's pool lives on AWS; here the local user pool takes its place.
function referenceAuth() {
  recorder("referenceAuth")();
  return defineAuth({ loginWith: { email: true } });
}

function auth(name) {
  const identity = (roleName) => {
    const record = { name: `${name}.${roleName}` };
    recording.roles.push(record);
    return role(`${name}.resources.${roleName}`, record);
  };
  return tolerant(name, {
    stack,
    resources: tolerant(`${name}.resources`, {
      authenticatedUserIamRole: identity("authenticatedUserIamRole"),
      unauthenticatedUserIamRole: identity("unauthenticatedUserIamRole"),
    }),
  });
}

function defineFunction() {
  return new Resource(lambda);
}

function lambda(name) {
  const record = { name: `${name}.lambda` };
  recording.roles.push(record);
  const execution = role(`${name}.resources.lambda.role`, record);
  return tolerant(name, {
    stack,
    resources: tolerant(`${name}.resources`, {
      lambda: tolerant(`${name}.resources.lambda`, {
        role: execution,
        grantPrincipal: execution,
        addToRolePolicy: (statement) => {
          execution.addToPolicy(statement);
        },
      }),
    }),
  });
}

function defineStorage() {
  return new Resource((name) => tolerant(name, { stack }));
}

const referenceStorage = defineStorage;

function secret(name) {
  const text = () => `\${secret ${name}}`;
  return { toString: text, toJSON: text };
}

module.exports = {
  a, defineBackend, defineData, defineAuth, referenceAuth, defineFunction, defineStorage, referenceStorage, secret,
};
