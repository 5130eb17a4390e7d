// An IAM role and what is attached to it, in source order. Statements are kept
// by reference, because they may still change until evaluation is over.
const { tolerant } = require("fairway/recorder");

function role(name, record) {
  const attached = [];
  Object.defineProperty(record, "statements", {
    enumerable: true,
    get: () => attached.flatMap((statements) => statements()),
  });
  const self = tolerant(name, {
    roleName: record.name,
    roleArn: `arn:aws:iam::${__deployment.account}:role/${record.name}`,
    get grantPrincipal() {
      return self;
    },
    addToPrincipalPolicy(statement) {
      attached.push(() => [statement]);
      return { statementAdded: true, policyDependable: self };
    },
    addToPolicy(statement) {
      attached.push(() => [statement]);
      return true;
    },
    attachInlinePolicy(policy) {
      attached.push(() => policy.statements);
    },
  });
  return self;
}

module.exports = { role };
