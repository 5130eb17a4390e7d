import { util } from "@aws-appsync/utils";

const profile = "apac.anthropic.claude-sonnet-4-20250514-v1:0";

// request asks for a recipe that uses the ingredients.
export function request(ctx) {
  const ingredients = ctx.args.ingredients ?? [];
  const question = `Suggest two recipes, in the language that the ingredients are written in. The ingredients: ${ingredients.join(", ")}.`;

  return {
    method: "POST",
    resourcePath: `/model/${profile}/invoke`,
    params: {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        anthropic_version: "bedrock-2023-05-31",
        max_tokens: 1000,
        temperature: 0.4,
        messages: [{ role: "user", content: [{ type: "text", text: question }] }],
      }),
    },
  };
}

// response is the text of the answer. Bedrock's errors become the field's error:
// their type is in a header, up to a colon; their text is called message, or
// Message where the signature or a permission was wrong.
export function response(ctx) {
  if (ctx.error) {
    util.error(ctx.error.message, ctx.error.type);
  }

  const { statusCode, headers, body } = ctx.result;
  const answer = JSON.parse(body);
  if (statusCode !== 200) {
    const type = headers["x-amzn-ErrorType"] ?? headers["x-amzn-errortype"] ?? "BedrockError";
    util.error(answer.message ?? answer.Message ?? `Bedrock answered with status ${statusCode}`, type.split(":")[0]);
  }
  return { body: answer.content[0].text };
}
