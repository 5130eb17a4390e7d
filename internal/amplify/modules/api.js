// backend.data: the GraphQL API and its data sources.
const { recording } = require("fairway/recording");
const { tolerant } = require("fairway/recorder");
const { role } = require("fairway/role");
const { stack } = require("fairway/stack");
const { PolicyStatement } = require("aws-cdk-lib/aws-iam");

// Each method's AppSync kind and how many arguments stand between the id and
// the options (CDK GraphqlApi reference).
const dataSourceMethods = {
  addHttpDataSource: ["HTTP", 1],
  addNoneDataSource: ["NONE", 0],
  addDynamoDbDataSource: ["AMAZON_DYNAMODB", 1],
  addLambdaDataSource: ["AWS_LAMBDA", 1],
  addEventBridgeDataSource: ["AMAZON_EVENTBRIDGE", 1],
  addElasticsearchDataSource: ["AMAZON_ELASTICSEARCH", 1],
  addOpenSearchDataSource: ["AMAZON_OPENSEARCH_SERVICE", 1],
  addRdsDataSource: ["RELATIONAL_DATABASE", 3],
};

function addDataSource(kind, targets) {
  return (id, ...rest) => {
    const options = rest[targets] ?? {};
    const name = String(options.name ?? id).replace(/\W+/g, "");
    const record = { at: __at(), id: String(id), name, kind };
    if (kind === "HTTP") {
      record.endpoint = String(rest[0]);
      const { signingRegion, signingServiceName } = options.authorizationConfig ?? {};
      if (signingRegion) record.signingRegion = String(signingRegion);
      if (signingServiceName) record.signingService = String(signingServiceName);
    }
    recording.dataSources.push(record);
    const serviceRole = role(name, record);
    return tolerant(`${name} data source`, { name, ds: { attrName: name }, serviceRole, grantPrincipal: serviceRole });
  };
}

// The one API here answers in any region.
const apiId = __deployment.api;
const arn = `arn:aws:appsync:*:${__deployment.account}:apis/${apiId}`;

// grant is the CDK's grantQuery and its siblings: fields of a type, or all of them.
const grant = (type) => (grantee, ...fields) => {
  const resources = fields.length ? fields.map((field) => `${arn}/types/${type}/fields/${field}`) : [`${arn}/types/${type}/*`];
  return grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions: ["appsync:GraphQL"], resources }));
};

function api(name) {
  const methods = {};
  for (const [method, [kind, targets]] of Object.entries(dataSourceMethods)) {
    methods[method] = addDataSource(kind, targets);
  }
  const cfnGraphqlApi = tolerant(`${name}.resources.cfnResources.cfnGraphqlApi`, {
    attrArn: arn,
    attrApiId: apiId,
    get environmentVariables() {
      return recording.environment;
    },
    set environmentVariables(variables) {
      recording.environment = variables;
    },
  });
  const grants = { grantQuery: grant("Query"), grantMutation: grant("Mutation"), grantSubscription: grant("Subscription") };
  return tolerant(name, {
    ...methods,
    stack,
    apiId,
    resources: tolerant(`${name}.resources`, {
      graphqlApi: tolerant(`${name}.resources.graphqlApi`, { ...methods, ...grants, arn, apiId }),
      cfnResources: tolerant(`${name}.resources.cfnResources`, { cfnGraphqlApi }),
    }),
  });
}

module.exports = { api };
