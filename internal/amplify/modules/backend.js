// @aws-amplify/backend.
const { recording } = require("fairway/recording");
const { recorder, tolerant } = require("fairway/recorder");
const { api } = require("fairway/api");
const { defineAuth, referenceAuth } = require("fairway/auth");
const { Resource } = require("fairway/resource");
const { role } = require("fairway/role");
const { stack } = require("fairway/stack");
const { a } = require("@aws-amplify/data-schema");

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
      backend[key] = resource.getInstance(name, resource.record);
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
      oidc: oidcAuthorizationMode && oidc(oidcAuthorizationMode),
      lambda: lambdaAuthorizationMode && { timeToLiveInSeconds: lambdaAuthorizationMode.timeToLiveInSeconds },
    },
  };
  recording.data.push(record);
  return new Resource(api, record);
}

function oidc(mode) {
  const { oidcProviderName, oidcIssuerUrl, clientId, tokenExpiryFromAuthInSeconds, tokenExpireFromIssueInSeconds } = mode;
  return {
    name: String(oidcProviderName ?? ""),
    issuer: String(oidcIssuerUrl ?? ""),
    clientId: String(clientId ?? ""),
    fromAuthInSeconds: tokenExpiryFromAuthInSeconds,
    fromIssueInSeconds: tokenExpireFromIssueInSeconds,
  };
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
