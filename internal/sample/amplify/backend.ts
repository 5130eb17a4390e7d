import { defineBackend } from "@aws-amplify/backend";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { auth } from "./auth/resource";
import { data } from "./data/resource";

const backend = defineBackend({ auth, data });

const account = "123456789012";
const model = "anthropic.claude-sonnet-4-20250514-v1:0";
const profile = `apac.${model}`;

// Questions enter in Singapore. The inference profile carries them to whichever
// region can answer.
const bedrock = backend.data.resources.graphqlApi.addHttpDataSource(
  "bedrockDS",
  "https://bedrock-runtime.ap-southeast-1.amazonaws.com",
  { authorizationConfig: { signingRegion: "ap-southeast-1", signingServiceName: "bedrock" } },
);

bedrock.grantPrincipal.addToPrincipalPolicy(
  new PolicyStatement({
    actions: ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
    resources: [
      `arn:aws:bedrock:ap-southeast-1:${account}:inference-profile/${profile}`,
      // Regions named one by one are tried in this order.
      `arn:aws:bedrock:ap-southeast-1::foundation-model/${model}`, // Singapore
      `arn:aws:bedrock:ap-northeast-1::foundation-model/${model}`, // Tokyo
      `arn:aws:bedrock:ap-southeast-2::foundation-model/${model}`, // Sydney
      `arn:aws:bedrock:ap-northeast-2::foundation-model/${model}`, // Seoul
      `arn:aws:bedrock:ap-northeast-3::foundation-model/${model}`, // Osaka
      // AWS wants every destination of the profile to be allowed.
      `arn:aws:bedrock:*::foundation-model/${model}`,
    ],
  }),
);
