// The one stack a project deploys to. Its region and account are plain text
// here, where the CDK has tokens, so that templates and URLs of them work.
const { tolerant } = require("fairway/recorder");

const { region, account } = __deployment;

const pseudo = {
  region,
  account,
  partition: "aws",
  urlSuffix: "amazonaws.com",
  stackName: "amplify",
  stackId: `arn:aws:cloudformation:${region}:${account}:stack/amplify/local`,
};

const stack = tolerant("aws-cdk-lib Stack", { ...pseudo });

class Stack {
  constructor() {
    return tolerant("aws-cdk-lib Stack", Object.assign(this, pseudo));
  }
  static of() {
    return stack;
  }
}

const Aws = {
  REGION: region,
  ACCOUNT_ID: account,
  PARTITION: pseudo.partition,
  URL_SUFFIX: pseudo.urlSuffix,
  STACK_NAME: pseudo.stackName,
  STACK_ID: pseudo.stackId,
  NO_VALUE: undefined,
};

const parameters = {
  "AWS::Region": region,
  "AWS::AccountId": account,
  "AWS::Partition": pseudo.partition,
  "AWS::URLSuffix": pseudo.urlSuffix,
  "AWS::StackName": pseudo.stackName,
  "AWS::StackId": pseudo.stackId,
};

const Fn = tolerant("aws-cdk-lib Fn", {
  join: (delimiter, values) => values.join(delimiter),
  ref: (name) => parameters[name] ?? `\${${name}}`,
  select: (index, values) => values[index],
  split: (delimiter, text) => text.split(delimiter),
  sub: (text, variables = {}) =>
    text.replace(/\$\{([^!}][^}]*)\}/g, (whole, name) => variables[name] ?? parameters[name] ?? whole),
});

class Duration {
  constructor(seconds) {
    this.seconds = seconds;
  }
  static millis = (n) => new Duration(n / 1000);
  static seconds = (n) => new Duration(n);
  static minutes = (n) => new Duration(n * 60);
  static hours = (n) => new Duration(n * 3600);
  static days = (n) => new Duration(n * 86400);
  toMilliseconds() {
    return this.seconds * 1000;
  }
  toSeconds() {
    return this.seconds;
  }
  toMinutes() {
    return this.seconds / 60;
  }
  toHours() {
    return this.seconds / 3600;
  }
  toDays() {
    return this.seconds / 86400;
  }
}

module.exports = { stack, Stack, Aws, Fn, Duration };
