export function request(ctx) {
  const { ingredients = [] } = ctx.args;

  return {
    resourcePath: "/model/anthropic.claude-3-5-sonnet-20240620-v1:0/invoke",
    method: "POST",
    params: {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        anthropic_version: "bedrock-2023-05-31",
        max_tokens: 1000,
        messages: [
          { role: "user", content: [{ type: "text", text: `Suggest a recipe that uses ${ingredients.join(", ")}.` }] },
        ],
      }),
    },
  };
}

export function response(ctx) {
  const parsedBody = JSON.parse(ctx.result.body);
  return { body: parsedBody.content[0].text };
}
