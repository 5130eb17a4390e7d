// aws-cdk-lib/aws-iam: statements and the policies that hold them.
const { library, tolerant } = require("fairway/recorder");

const list = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);

const Effect = { ALLOW: "Allow", DENY: "Deny" };

class PolicyStatement {
  constructor(props = {}) {
    this.at = __at();
    this.sid = props.sid;
    this.effect = props.effect ?? Effect.ALLOW;
    this.actions = [];
    this.notActions = [];
    this.resources = [];
    this.resourceAt = []; // parallel to resources: the call that added each
    this.notResources = [];
    this.conditions = {};
    this.addActions(...list(props.actions));
    this.addNotActions(...list(props.notActions));
    this.addResources(...list(props.resources));
    this.addNotResources(...list(props.notResources));
    this.addConditions(props.conditions ?? {});
    return tolerant("aws-cdk-lib/aws-iam PolicyStatement", this);
  }

  static fromJson(json) {
    return new PolicyStatement({
      sid: json.Sid,
      effect: json.Effect,
      actions: json.Action,
      notActions: json.NotAction,
      resources: json.Resource,
      notResources: json.NotResource,
      conditions: json.Condition,
    });
  }

  addActions(...actions) {
    if (actions.length && this.notActions.length) {
      throw new Error("Cannot add 'Actions' to policy statement if 'NotActions' have been added");
    }
    actions.forEach(checkAction);
    this.actions.push(...actions.map(String));
  }
  addNotActions(...actions) {
    if (actions.length && this.actions.length) {
      throw new Error("Cannot add 'NotActions' to policy statement if 'Actions' have been added");
    }
    actions.forEach(checkAction);
    this.notActions.push(...actions.map(String));
  }
  addResources(...resources) {
    if (resources.length && this.notResources.length) {
      throw new Error("Cannot add 'Resources' to policy statement if 'NotResources' have been added");
    }
    this.resources.push(...resources.map(String));
    this.resourceAt.push(...resources.map(() => __at()));
  }
  addNotResources(...resources) {
    if (resources.length && this.resources.length) {
      throw new Error("Cannot add 'NotResources' to policy statement if 'Resources' have been added");
    }
    this.notResources.push(...resources.map(String));
  }
  addAllResources() {
    this.addResources("*");
  }
  addCondition(operator, keys) {
    this.conditions[operator] = { ...this.conditions[operator], ...keys };
  }
  addConditions(conditions) {
    for (const operator of Object.keys(conditions)) this.addCondition(operator, conditions[operator]);
  }
}

// The CDK's own check and message (aws-cdk-lib policy-statement).
function checkAction(action) {
  if (!/^(\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*]+)$/.test(String(action))) {
    throw new Error(
      `Action '${action}' is invalid. An action string consists of a service namespace, a colon, and the name of an action. Action names can include wildcards.`,
    );
  }
}

class PolicyDocument {
  constructor(props = {}) {
    this.statements = list(props.statements);
  }
  static fromJson(json) {
    return new PolicyDocument({ statements: list(json.Statement).map(PolicyStatement.fromJson) });
  }
  addStatements(...statements) {
    this.statements.push(...statements);
  }
}

class Policy {
  constructor(scope, id, props = {}) {
    this.document = props.document ?? new PolicyDocument();
    this.addStatements(...list(props.statements));
    list(props.roles).forEach((role) => this.attachToRole(role));
  }
  get statements() {
    return this.document.statements;
  }
  addStatements(...statements) {
    this.document.addStatements(...statements);
  }
  attachToRole(role) {
    role.attachInlinePolicy(this);
  }
}

module.exports = library("aws-cdk-lib/aws-iam", { Effect, PolicyStatement, PolicyDocument, Policy });
