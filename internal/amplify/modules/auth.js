// defineAuth and backend.auth: the user pool, its client and the identity pool.
const { recording } = require("fairway/recording");
const { recorder, tolerant } = require("fairway/recorder");
const { override } = require("fairway/override");
const { Resource } = require("fairway/resource");
const { role } = require("fairway/role");
const { stack } = require("fairway/stack");

function defineAuth(props = {}) {
  const { loginWith = {}, userAttributes = {}, groups = [], multifactor = {}, accountRecovery } = props;
  const record = {
    at: __at(),
    email: email(loginWith.email),
    phone: phone(loginWith.phone),
    username: Boolean(loginWith.username),
    attributes: Object.keys(userAttributes).map((name) => attribute(name, userAttributes[name] ?? {})),
    groups: groups.map(String),
    multifactor: { mode: multifactor.mode, sms: Boolean(multifactor.sms), totp: Boolean(multifactor.totp) },
    recovery: accountRecovery === undefined ? "" : String(accountRecovery),
    unsupported: unsupported(props),
  };
  multifactor.sms?.smsMessage?.(code);
  recording.auth.push(record);
  return new Resource(auth, record);
}

// Message callbacks are called as at deployment: with what writes the placeholder
// of the code, so that one that throws is found here.
const code = () => "{####}";

function email(login) {
  if (!login) return null;
  const { verificationEmailStyle, verificationEmailSubject, verificationEmailBody, userInvitation } = login;
  const link = verificationEmailStyle === "LINK";
  const body = verificationEmailBody?.(link ? (text) => `{##${text ?? "Verify Email"}##}` : code);
  userInvitation?.emailBody?.(() => "{username}", code);
  return { link, subject: String(verificationEmailSubject ?? ""), body: String(body ?? "") };
}

function phone(login) {
  if (!login) return null;
  const message = login.verificationMessage?.(code);
  login.userInvitation?.smsMessage?.(() => "{username}", code);
  return { message: String(message ?? "") };
}

// Attributes can be changed where nothing else is said (@aws-amplify/auth-construct).
function attribute(name, { required, mutable, dataType = "String", minLen, maxLen, min, max }) {
  const [least, most] = dataType === "Number" ? [min, max] : [minLen, maxLen];
  return {
    name, type: String(dataType), required: Boolean(required), mutable: mutable !== false,
    min: bound(least), max: bound(most),
  };
}

const bound = (value) => (value === undefined ? undefined : Number(value));

// unsupported names the properties that say what nothing here does.
function unsupported({ loginWith = {}, multifactor = {}, triggers = {}, senders = {}, access, passwordlessOptions }) {
  const said = {
    "loginWith.externalProviders": loginWith.externalProviders,
    "loginWith.webAuthn": loginWith.webAuthn,
    "loginWith.email.otpLogin": loginWith.email?.otpLogin,
    "loginWith.phone.otpLogin": loginWith.phone?.otpLogin,
    "loginWith.email.userInvitation": loginWith.email?.userInvitation,
    "loginWith.phone.userInvitation": loginWith.phone?.userInvitation,
    "multifactor.email": multifactor.email,
    passwordlessOptions,
    access,
  };
  for (const name of Object.keys(senders)) said[`senders.${name}`] = senders[name];
  for (const name of Object.keys(triggers)) said[`triggers.${name}`] = triggers[name];
  return Object.keys(said).filter((name) => said[name]);
}

// referenceAuth's pool lives on AWS; here the local user pool takes its place.
function referenceAuth() {
  recorder("referenceAuth")();
  return defineAuth({ loginWith: { email: true } });
}

function auth(name, record) {
  const resources = `${name}.resources`;
  const identity = (path, roleName) => {
    const named = { name: roleName };
    recording.roles.push(named);
    return role(`${resources}.${path}`, named);
  };
  const groups = {};
  for (const group of record.groups) {
    const path = `groups.${group}`;
    groups[group] = tolerant(`${resources}.${path}`, { role: identity(`${path}.role`, `${group}${__deployment.groupRole}`) });
  }
  return tolerant(name, {
    stack,
    resources: tolerant(resources, {
      authenticatedUserIamRole: identity("authenticatedUserIamRole", __deployment.authenticatedRole),
      unauthenticatedUserIamRole: identity("unauthenticatedUserIamRole", __deployment.guestRole),
      groups,
      cfnResources: tolerant(`${resources}.cfnResources`, cfnResources(`${resources}.cfnResources`, record)),
    }),
  });
}

// cfnResources are the templates' resources with what of them can be overridden
// here, at first as Amplify makes them.
function cfnResources(name, record) {
  const classes = { requireLowercase: true, requireUppercase: true, requireNumbers: true, requireSymbols: true };
  return {
    cfnUserPool: override(`${name}.cfnUserPool`, record, "userPool", {
      policies: { passwordPolicy: { minimumLength: 8, ...classes } },
      adminCreateUserConfig: { allowAdminCreateUserOnly: false },
    }),
    cfnUserPoolClient: override(`${name}.cfnUserPoolClient`, record, "client", {
      explicitAuthFlows: ["ALLOW_CUSTOM_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
      accessTokenValidity: undefined,
      idTokenValidity: undefined,
      refreshTokenValidity: undefined,
      tokenValidityUnits: undefined,
    }),
    cfnIdentityPool: override(`${name}.cfnIdentityPool`, record, "identityPool", { allowUnauthenticatedIdentities: true }),
  };
}

module.exports = { defineAuth, referenceAuth };
