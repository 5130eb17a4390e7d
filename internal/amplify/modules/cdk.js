// aws-cdk-lib and aws-cdk-lib/core: the stack's tokens have values, all else is
// recorded.
const { library } = require("fairway/recorder");
const { Stack, Aws, Fn, Duration } = require("fairway/stack");

module.exports = library("aws-cdk-lib", {
  Stack,
  Aws,
  Fn,
  Duration,
  RemovalPolicy: { DESTROY: "destroy", RETAIN: "retain", SNAPSHOT: "snapshot", RETAIN_ON_UPDATE_OR_DELETE: "retain-on-update-or-delete" },
  aws_iam: require("aws-cdk-lib/aws-iam"),
});
